"""Ventana BIF and TIFF: JPEG tiles handed on as they are, where they do not overlap.

The scanner's own words lie in XMP (iScan) of the first directory, and how tiles were joined in XMP
(EncodeInfo) of the base; each level is named by its description, `level=0 mag=40 quality=90`. A
BIF is claimed when it has one scanned area, that area fills the directory, and no joint overlaps:
all others have to be stitched. The area itself is the slide; OpenSlide leaves as much room
to its left as lies between it and the stage's origin. A Ventana TIFF without EncodeInfo has no
joints at all.
"""

import math
from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import TilingError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.jpeg_tiff import (
    AssociatedImage,
    JpegTiff,
    Layout,
    StoredLevel,
    claim,
    open_claimed,
)
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.printed_code import code
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile
from tiling.xml_tree import Element, flatten, parse_xml

NAME = "Ventana BIF"

_KINDS = {
    "Label Image": AssociatedKind.OVERVIEW,
    "Label_Image": AssociatedKind.OVERVIEW,
    "Thumbnail": AssociatedKind.THUMBNAIL,
}
"""Ventana's "label image" is the whole glass with its label."""
_OVERLAPS = ("OverlapX", "OverlapY")


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a slide of Ventana's iScan whose tiles meet without overlap."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    text = file.text(directory, tiff.XMP)
    if "iScan" not in text:
        return False
    try:
        return _iscan(parse_xml(text)) is not None
    except TilingError:
        return False


def _iscan(root: Element) -> Element | None:
    return root if root.name == "iScan" else root.first("iScan")


def _read_layout(file: JpegTiff) -> Layout:
    initial = parse_xml(file.text(file.directories[0], tiff.XMP))
    levels = _levels(file)
    stitching = file.text(levels[0], tiff.XMP)
    joins = parse_xml(stitching) if stitching else None
    base = file.size(levels[0])
    if joins is not None and not _is_seamless(joins, base, file.tile(levels[0])):
        raise UnsupportedSlideError("The slide's tiles overlap, so that they cannot be kept.")
    stored = tuple(_level(file, directory, levels[0]) for directory in levels)
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for index, directory in enumerate(file.directories):
        kind = _KINDS.get(file.description(directory))
        image = file.image(index) if kind else None
        if kind and image:
            associated.setdefault(kind, image)
    return Layout(_metadata(file, initial, joins, levels[0]), stored, associated)


def _levels(file: JpegTiff) -> list[Directory]:
    """The directories that call themselves levels, which count from 0 without a gap."""
    levels = [d for d in file.directories if "level=" in file.description(d)]
    numbers = [_named(file, directory).get("level") for directory in levels]
    if not levels or numbers != [str(number) for number in range(len(levels))]:
        raise UnsupportedSlideError("The file's levels are not in order; export the slide anew.")
    return levels


def _named(file: JpegTiff, directory: Directory) -> dict[str, str]:
    """`name=value` by name."""
    pairs = (part.partition("=") for part in file.description(directory).split())
    return {name: text for name, _, text in pairs}


def _level(file: JpegTiff, directory: Directory, base: Directory) -> StoredLevel:
    """A level whose downsample is told by its magnification."""
    finest = positive(_named(file, base).get("mag"))
    own = positive(_named(file, directory).get("mag"))
    size, whole = file.size(directory), file.size(base)
    if finest is None or own is None or own > finest or file.tile(directory) != file.tile(base):
        raise UnsupportedSlideError("A level's magnification is not told; export the slide anew.")
    factor = finest / own
    expected = Size(math.ceil(whole.columns / factor), math.ceil(whole.rows / factor))
    if abs(size.columns - expected.columns) > 1 or abs(size.rows - expected.rows) > 1:
        raise UnsupportedSlideError("A level is cut otherwise than its base; export it anew.")
    return file.level(directory, whole, downsample=factor)


def _is_seamless(joins: Element, base: Size, tile: Size) -> bool:
    """Whether one scanned area fills the base and no two of its tiles overlap."""
    areas = joins.all("SlideStitchInfo", "ImageInfo")
    origins = [origin for list_ in joins.all("AoiOrigin") for origin in list_.children]
    if len(areas) != 1 or len(origins) != 1:
        return False
    said = areas[0].attributes
    joints = areas[0].all("TileJointInfo")
    grid = (positive(said.get("NumCols")), positive(said.get("NumRows")))
    return (
        said.get("AOIScanned") == "1"
        and grid == (base.columns / tile.columns, base.rows / tile.rows)
        and (said.get("Width"), said.get("Height")) == (str(tile.columns), str(tile.rows))
        and all(origins[0].attributes.get(name) == "0" for name in ("OriginX", "OriginY"))
        and all(_is_zero(joint.attributes.get(name)) for joint in joints for name in _OVERLAPS)
    )


def _is_zero(text: str | None) -> bool:
    try:
        return float(text or "") == 0
    except ValueError:
        return False


def _metadata(
    file: JpegTiff, initial: Element, joins: Element | None, base: Directory
) -> SlideMetadata:
    iscan = _iscan(initial)
    said = iscan.attributes if iscan else {}
    mpp_um = positive(said.get("ScanRes"))
    first = file.directories[0]
    return SlideMetadata(
        pixel_spacing_mm=None if mpp_um is None else (mpp_um / 1000, mpp_um / 1000),
        objective_power=positive(said.get("Magnification")),
        scanned_at=file.date_time(base) or file.date_time(first),
        manufacturer="Roche Ventana",
        model=said.get("ScannerModel") or None,
        serial_number=said.get("UnitNumber") or None,
        software=file.words(base, tiff.SOFTWARE) or file.words(first, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        barcode=code(said.get("Barcode2D"), said.get("Barcode1D")),
        vendor=flatten(initial) | (flatten(joins) if joins else {}),
    )
