"""Aperio SVS: the scanner's JPEG tiles handed on as they are.

An SVS is a TIFF: the tiled images are the levels, the second image (in strips) the thumbnail, and
the last ones (in strips) the label and the overview, which Aperio calls "macro". Slides with a
level in JPEG 2000 are not claimed here, since their tiles cannot be handed on as JPEG.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError
from tiling.formats.aperio.layout import has_mark, is_readable, read_layout
from tiling.formats.aperio.reader import AperioSlide
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.source import FileSource
from tiling.tiff import TiffFile, is_tiff

NAME = "Aperio SVS"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a TIFF whose first description is Aperio's and whose levels are all JPEG."""
    if not is_tiff(head):
        return Confidence.NONE
    marked = False
    source = FileSource(path)
    try:
        tiff = TiffFile(source, Limits())
        for directory in tiff.directories():
            marked = marked or has_mark(tiff, directory)
            if not marked or not is_readable(tiff, directory):
                return Confidence.NONE
    except TilingError:
        # Aperio's mark on a broken file: opening it says what is broken.
        pass
    finally:
        source.close()
    return Confidence.VENDOR if marked else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open an SVS; raises DamagedSlideError when any tile lies beyond the file's end."""
    source = FileSource(path)
    try:
        layout = read_layout(TiffFile(source, limits), source, limits)
        return AperioSlide(NAME, path, source, layout)
    except ValueError as error:
        source.close()
        raise DamagedSlideError(
            "The file's directory contradicts itself; copy it again from the scanner."
        ) from error
    except TilingError:
        source.close()
        raise
