"""TIFF of nobody in particular: a pyramid of JPEG tiles handed on as they are.

The first directory is the base; its levels are the other directories that call themselves reduced,
or hang from the base as SubIFDs. Whether somebody's mark is in the file is asked of OpenSlide,
which knows more of them than there are readers here: a vendor's file that its own reader left alone
(overlapping tiles, several areas) must not come in by this door. Files with other tiled images
besides, in other colours than RGB and YCbCr, or on their side are not claimed.
"""

from pathlib import Path

import openslide

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import UnsupportedSlideError
from tiling.jpeg_tiff import JpegTiff, Layout, claim, open_claimed
from tiling.limits import Limits
from tiling.slide import SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile
from tiling.xml_tree import parse_root

NAME = "Tiled TIFF"

_COLOURED = {2, 6}
"""PhotometricInterpretation: RGB and YCbCr."""
_KNOWN_ROOTS = {"OME", "PerkinElmer-QPI-ImageDescription"}
"""Descriptions of formats that OpenSlide takes for a TIFF of nobody's."""


def sniff(path: Path, head: bytes) -> Confidence:
    """STRUCTURE for a pyramid of JPEG tiles without any vendor's mark."""
    if claim(path, head, _is_nobodys, _read_layout) is Confidence.NONE:
        return Confidence.NONE
    if openslide.OpenSlide.detect_format(path) != "generic-tiff":
        return Confidence.NONE
    return Confidence.STRUCTURE


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _is_nobodys(file: TiffFile, directory: Directory) -> bool:
    if file.number(directory, tiff.PHOTOMETRIC) not in _COLOURED:
        return False
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return tiff.TILE_OFFSETS in directory and (root is None or root.name not in _KNOWN_ROOTS)


def _read_layout(file: JpegTiff) -> Layout:
    base, *others = file.directories
    tiled = [directory for directory in others if file.is_tiled(directory)]
    if (
        not all(file.is_reduced(directory) for directory in tiled)
        or file.number(base, tiff.ORIENTATION, 1) != 1
    ):
        raise UnsupportedSlideError(
            "The file holds several images, or one on its side; export one, upright."
        )
    levels = file.pyramid([base, *tiled, *file.sub_directories(base)])
    if levels[0].level.size != file.size(base):
        raise UnsupportedSlideError("The file does not begin with its base; export it anew.")
    return Layout(_metadata(file), levels, {})


def _metadata(file: JpegTiff) -> SlideMetadata:
    """What TIFF's own fields say."""
    base = file.directories[0]
    named = {
        "ImageDescription": file.words(base, tiff.IMAGE_DESCRIPTION),
        "Make": file.words(base, tiff.MAKE),
        "Model": file.words(base, tiff.MODEL),
        "Software": file.words(base, tiff.SOFTWARE),
        "DateTime": file.words(base, tiff.DATE_TIME),
    }
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base),
        scanned_at=file.date_time(base),
        manufacturer=named["Make"],
        model=named["Model"],
        software=named["Software"],
        icc_profile=file.icc_profile(base),
        vendor={name: text for name, text in named.items() if text},
    )
