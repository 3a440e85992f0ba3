"""Aperio SVS: the scanner's JPEG tiles handed on as they are.

An SVS is a TIFF: the tiled images are the levels, the second image (in strips) the thumbnail, and
the last ones (in strips) the label and the overview, which Aperio calls "macro". Slides with a
level in JPEG 2000 are not claimed here, since their tiles cannot be handed on as JPEG.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.formats.aperio.layout import has_mark, read_layout
from tiling.jpeg_tiff import claim, open_claimed
from tiling.limits import Limits
from tiling.slide import SlideReader

NAME = "Aperio SVS"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a TIFF whose first description is Aperio's and whose levels are all JPEG."""
    return claim(path, head, has_mark, read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, read_layout)
