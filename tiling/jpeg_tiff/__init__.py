"""Slides that are TIFF files of JPEG or JPEG 2000 tiles, whoever wrote them.

What these formats share is here; a vendor's own file in `tiling.formats` keeps its mark, its
choice of directories, its metadata and its associated images.
"""

from tiling.jpeg_tiff.claim import claim, open_claimed
from tiling.jpeg_tiff.directories import JpegTiff, Layout
from tiling.jpeg_tiff.images import AssociatedImage, StreamImage
from tiling.jpeg_tiff.levels import StoredLevel

__all__ = [
    "AssociatedImage",
    "JpegTiff",
    "Layout",
    "StoredLevel",
    "StreamImage",
    "claim",
    "open_claimed",
]
