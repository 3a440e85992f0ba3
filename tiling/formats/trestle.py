"""Trestle TIFF: JPEG tiles handed on as they are, where they do not overlap.

Every directory is a level. The description tells how far the tiles of each level overlap; slides
with overlaps are not claimed, since their tiles have to be joined. The overview is a JPEG beside
the file, with the suffix `.Full`.
"""

from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import SlideTooLargeError, UnsupportedSlideError
from tiling.jpeg_tiff import (
    AssociatedImage,
    JpegTiff,
    Layout,
    StreamImage,
    claim,
    open_claimed,
)
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile

NAME = "Trestle TIFF"


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a file of Trestle's MedScan in which no tiles overlap."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    return file.text(directory, tiff.SOFTWARE).startswith("MedScan") and bool(
        file.text(directory, tiff.IMAGE_DESCRIPTION)
    )


def _read_layout(file: JpegTiff) -> Layout:
    base = file.directories[0]
    pairs = (part.partition("=") for part in file.description(base).split(";"))
    vendor = {name.strip(): text.strip() for name, equals, text in pairs if equals}
    if any(overlap.strip("0") for overlap in vendor.get("OverlapsXY", "").split()):
        raise UnsupportedSlideError("The slide's tiles overlap, so that they cannot be kept.")
    return Layout(_metadata(file, vendor), file.pyramid(file.directories), _overview(file))


def _metadata(file: JpegTiff, vendor: dict[str, str]) -> SlideMetadata:
    """The resolution fields hold micrometres per pixel, which TIFF does not foresee."""
    base = file.directories[0]
    across_um = file.fraction(base, tiff.X_RESOLUTION) or 0
    down_um = file.fraction(base, tiff.Y_RESOLUTION) or 0
    known = across_um > 0 and down_um > 0
    return SlideMetadata(
        pixel_spacing_mm=(down_um / 1000, across_um / 1000) if known else None,
        objective_power=positive(vendor.get("Objective Power")),
        scanned_at=file.date_time(base),
        manufacturer="Trestle",
        software=file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        vendor=vendor,
    )


def _overview(file: JpegTiff) -> dict[AssociatedKind, AssociatedImage]:
    companion = file.path.with_suffix(".Full")
    if not companion.is_file():
        return {}
    if companion.stat().st_size > file.limits.text_bytes:
        raise SlideTooLargeError("The overview beside the slide is absurdly long; it is refused.")
    image = StreamImage.of(companion.read_bytes())
    return {AssociatedKind.OVERVIEW: image} if image else {}
