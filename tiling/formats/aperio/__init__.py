"""Aperio SVS: the scanner's JPEG and JPEG 2000 tiles handed on as they are.

An SVS is a TIFF: the tiled images are the levels, the second image (in strips) the thumbnail, and
the last ones (in strips) the label and the overview, which Aperio calls "macro".

Two compressions of Aperio's own are JPEG 2000. 33005 is RGB, mostly under the irreversible
component transform. 33003 is YCbCr as JPEG has it, without a component transform, and mostly with
chroma halved across. Where it is whole, a byte of the header makes it the same transform; where it
is halved, DICOM has no name for it, and the tiles are compressed again.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.formats.aperio.layout import has_mark, read_layout
from tiling.jpeg_tiff import claim, open_claimed
from tiling.limits import Limits
from tiling.slide import SlideReader

NAME = "Aperio SVS"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a TIFF whose first description is Aperio's and whose levels can all be read."""
    return claim(path, head, has_mark, read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, read_layout)
