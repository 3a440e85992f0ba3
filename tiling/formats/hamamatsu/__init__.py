"""Hamamatsu NDPI and VMS: restart-marked JPEG cut into tiles without being encoded again.

An image of these scanners is one large JPEG stream that restarts every few blocks, and whole
restart segments make a tile under a header of its own size. The bytes are read here and not by
OpenSlide, which gives pixels, nor by tifffile, which gives a segment of 8 rows as a tile. Where a
slide has a large image that does not restart, or not in step with its rows, OpenSlide reads it.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError, UnsupportedSlideError
from tiling.formats.hamamatsu import ndpi, vms
from tiling.formats.hamamatsu.reader import HamamatsuSlide, Layout
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource

NAME = "Hamamatsu"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for an NDPI or VMS from which every level can be had."""
    try:
        if not vms.has_mark(head) and not ndpi.has_mark(path, head):
            return Confidence.NONE
        open_(path, Limits()).close()
    except UnsupportedSlideError:
        return Confidence.NONE
    except TilingError:
        # The mark is there, or what led to it is broken: opening it says what is wrong.
        pass
    return Confidence.VENDOR


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open an NDPI or a VMS; raises DamagedSlideError when an image lies beyond its file's end."""
    sources = [FileSource(path)]
    try:
        return HamamatsuSlide(sources, _read_layout(path, sources, limits))
    except (TilingError, ValueError) as error:
        for source in sources:
            source.close()
        if isinstance(error, TilingError):
            raise
        raise DamagedSlideError(
            "The file's directory contradicts itself; copy it again from the scanner."
        ) from error


def _read_layout(path: Path, sources: list[FileSource], limits: Limits) -> Layout:
    index = sources[0]
    if vms.has_mark(index.read(0, min(64, index.size))):
        return vms.read_layout(path, sources, limits)
    return ndpi.read_layout(index, limits)
