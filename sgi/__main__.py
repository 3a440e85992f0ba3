"""`python -m sgi` is the `sgi` command."""

from sgi.cli import main

main()
