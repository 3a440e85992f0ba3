"""Slides as OME-Zarr 0.5 (Zarr 3): what the documents say, where a chunk lies, how it is written.

`multiscale` describes an image, `documents` makes its JSON, `keys` reads the keys that clients ask
for, `chunks` turns tiles into their bytes. The view over stored frames needs no more; `writer`
makes a pyramid of its own out of an open slide, its chunks gathered in `shards`.
"""
