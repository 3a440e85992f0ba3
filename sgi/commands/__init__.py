"""What each `sgi` command does, one file a command; `sgi.cli` only names them."""
