"""One module per format; each is found by its place here (see `tiling.registry`)."""
