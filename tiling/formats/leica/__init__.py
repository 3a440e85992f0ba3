"""Leica SCN: scanned areas, JPEG tiles in bright field handed on as they are.

A collection is the whole glass, in nanometres; an image is an area of it, scanned in several
resolutions, and the image that covers the collection is the overview. OpenSlide paints the areas
on a canvas as large as the glass. Tiles can only be handed on where they lie, and an area hardly
ever begins on a tile's corner of that canvas; so here the area itself is the slide, from its own
upper left, instead of a huge white canvas that would have to be compressed anew. Its place on
the glass stays in the vendor's metadata (`view.offsetX`, `view.offsetY`).

Channels of fluorescence and focal planes are directories of their own; each area with them is a
scene. They were written from public descriptions: no scanner's file with any was at hand. Several
areas that are all in bright field, and several collections, are not claimed.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.formats.leica.layers import is_layered, read_scenes
from tiling.formats.leica.layout import has_mark, read_layout
from tiling.jpeg_tiff import claim, open_claimed
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.tiff import is_tiff
from tiling.tiff_layers import bears_mark, open_layered

NAME = "Leica SCN"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a collection with a single area in bright field, or with channels or planes."""
    plain = claim(path, head, has_mark, read_layout)
    if plain is Confidence.NONE and is_tiff(head) and bears_mark(path, is_layered):
        return Confidence.VENDOR
    return plain


def open_(path: Path, limits: Limits) -> SlideReader:
    if bears_mark(path, is_layered):
        return open_layered(path, limits, NAME, read_scenes)
    return open_claimed(path, limits, NAME, read_layout)
