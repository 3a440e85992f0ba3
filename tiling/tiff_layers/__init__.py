"""Slides whose optical paths, focal planes and levels are images of their own in TIFF files.

What these formats share is here: an image cut into tiles whatever its strips and compression, the
levels that such images make together, and the reader of the scenes that they show. A format's own
file in `tiling.formats` tells which directory is what.
"""

from tiling.tiff_layers.claim import bears_mark, open_layered
from tiling.tiff_layers.directories import LayeredTiff
from tiling.tiff_layers.levels import Layer, LayeredLevel
from tiling.tiff_layers.planes import Plane, Upright
from tiling.tiff_layers.pyramid import has_shape_of, ordered_pyramid
from tiling.tiff_layers.slide import LayeredSlide, PlaneImage, Scene, open_scenes

__all__ = [
    "Layer",
    "LayeredLevel",
    "LayeredSlide",
    "LayeredTiff",
    "Plane",
    "PlaneImage",
    "Scene",
    "Upright",
    "bears_mark",
    "has_shape_of",
    "open_layered",
    "open_scenes",
    "ordered_pyramid",
]
