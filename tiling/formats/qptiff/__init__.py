"""PerkinElmer/Akoya QPTIFF: bright field in one image, fluorescence in one for each channel.

Each directory has an XML description that tells what it is. Images in full resolution are the
slide: one in RGB, or as many in grey as there are channels. Reduced ones follow, level by level
and in the channels' order; where a slide in bright field has its levels in JPEG tiles, those are
handed on as they are, and smaller ones in strips left out, since they are quicker built than read.

Checked against a fluorescence scan of three channels by a Vectra Polaris, without levels; no
scanner's file with a pyramid, or in bright field, was at hand.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.formats.qptiff.layout import has_mark, read_scene
from tiling.limits import Limits
from tiling.slide import SlideReader
from tiling.tiff import is_tiff
from tiling.tiff_layers import bears_mark, open_layered

NAME = "PerkinElmer QPTIFF"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a TIFF whose first description is of this format."""
    is_ours = is_tiff(head) and bears_mark(path, has_mark)
    return Confidence.VENDOR if is_ours else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_layered(path, limits, NAME, lambda file: [read_scene(file)])
