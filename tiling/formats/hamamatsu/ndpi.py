"""NDPI: one file, each image one JPEG stream, its restart segments listed in private fields.

Tags by OpenSlide's format notes and by what a NanoZoomer's file holds. Images with a positive
magnification are levels, one of each size and focal plane; -1 is the overview ("macro", with the
slide's paper label in it, if anywhere), -2 a map of the scanned area, which is not kept.

The images of the largest size say which focal planes there are. A smaller size is a level where
all of them have it; where one lacks it, or has it coded otherwise, it is left to be built.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.focal_planes import FARTHEST_UM
from tiling.formats.hamamatsu.directories import (
    NDPI_MARK,
    NdpiDirectory,
    first_offset,
    iter_directories,
    may_be_ndpi,
)
from tiling.formats.hamamatsu.levels import StoredLevel, store_level
from tiling.formats.hamamatsu.optics import read_focus_method, read_path
from tiling.formats.hamamatsu.planes import nearest, store_stack
from tiling.formats.hamamatsu.reader import Layout, StoredImage
from tiling.formats.hamamatsu.recent import Recent
from tiling.formats.hamamatsu.stream import SegmentedJpeg, StoredJpeg, is_segmented
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.printed_code import code
from tiling.slide import AssociatedKind, SlideMetadata
from tiling.source import FileSource

NAME = "Hamamatsu NDPI"

_MAKE, _MODEL, _SOFTWARE, _DATE_TIME = 271, 272, 305, 306
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_MAGNIFICATION, _Z_OFFSET_NM = 65421, 65424
_STARTS_LOW, _STARTS_HIGH = 65426, 65432
_FILTER_SET, _PROPERTIES, _WAVELENGTH_NM, _FULLY_AUTO_FOCUS = 65434, 65449, 65451, 65458
_NO_PROPERTIES = frozenset({_STARTS_LOW, _STARTS_HIGH, _PROPERTIES})
_JPEG = 7
_OVERVIEW_MAGNIFICATION = -1
_NM_PER_UM = 1000
_MM_PER_UNIT = {2: 25.4, 3: 10.0}
"""Millimetres in an inch and in a centimetre, by ResolutionUnit (TIFF 6.0 section 8)."""
_MOST_VALUES = 256
"""Private fields with more values than this are tables, not properties."""

_NAMES = {
    65421: "SourceLens", 65422: "XOffsetFromSlideCentre", 65423: "YOffsetFromSlideCentre",
    65424: "ZOffsetFromSlideCentre", 65425: "TissueIndex", 65427: "Reference",
    65428: "AuthCode", 65434: "FilterSetName", 65435: "ExposureRatio", 65436: "RedMultiplier",
    65437: "GreenMultiplier", 65438: "BlueMultiplier", 65439: "FocusPoints",
    65440: "FocusPointRegions", 65441: "CaptureMode", 65442: "SerialNumber",
    65444: "JpegQuality", 65445: "RefocusInterval", 65446: "FocusOffset", 65447: "BlankLines",
    65448: "FirmwareVersion", 65451: "Wavelength", 65453: "LampAge", 65454: "ExposureTime",
    65455: "FocusTime", 65456: "ScanTime", 65457: "WriteTime", 65458: "FullyAutoFocus",
}  # fmt: skip
"""Private fields as other readers call them; the others keep their number."""


def has_mark(path: Path, head: bytes) -> bool:
    """Whether a file is an NDPI by the mark in its first directory; raises a TilingError.

    A file cut off before its first directory has lost the mark. Only NDPI has offsets beyond
    4 GiB in a classic TIFF, so that one of these with NDPI's suffix is one, cut short.
    """
    if not may_be_ndpi(head):
        return False
    source = FileSource(path)
    try:
        offset = first_offset(head)
        if offset + 2 > source.size:
            return path.suffix.lower() == ".ndpi" and 0 < offset >> 32 < 1 << 16
        first = next(iter_directories(source, Limits()), None)
        return first is not None and NDPI_MARK in first
    finally:
        source.close()


def read_layout(source: FileSource, limits: Limits) -> Layout:
    """Read every directory and the header of every image.

    Raises DamagedSlideError when one contradicts the file, UnsupportedSlideError when a level is
    not such that its tiles or its pixels can be had here, SlideTooLargeError beyond the limits.
    """
    directories = list(iter_directories(source, limits))
    if not directories or NDPI_MARK not in directories[0]:
        raise DamagedSlideError("The file is not an NDPI; copy it again from the scanner.")
    images = [d for d in directories if (d.number(_MAGNIFICATION) or 0) > 0]
    if not images:
        raise DamagedSlideError("The file holds no tissue image; copy it again from the scanner.")
    sizes = _by_size_and_plane(images)
    sharpest = sizes[0][nearest(sizes[0], 0)]
    base, recent = _size(sharpest), Recent()
    stack = store_stack(sizes, lambda image: _store_level(source, image, base, recent, limits))
    associated: dict[AssociatedKind, StoredImage] = {}
    for directory in directories:
        if directory.number(_MAGNIFICATION) == _OVERVIEW_MAGNIFICATION and _is_jpeg(directory):
            image = _associated(source, directory, limits)
            associated.setdefault(AssociatedKind.OVERVIEW, image)
    metadata = _metadata(sharpest).keeping_less(*stack.not_kept)
    path = read_path(
        _text(sharpest, _FILTER_SET),
        _positive(sharpest.number(_WAVELENGTH_NM)),
        sharpest.text(_PROPERTIES),
    )
    return Layout(NAME, metadata, stack.levels, associated, stack.heights_um, path)


def _by_size_and_plane(images: list[NdpiDirectory]) -> list[dict[float, NdpiDirectory]]:
    """The images of each size, from the largest downwards, by their height in micrometres.

    Of two in one plane the first counts.
    """
    found: dict[Size, dict[float, NdpiDirectory]] = {}
    for directory in images:
        found.setdefault(_size(directory), {}).setdefault(_height_um(directory), directory)
    return [found[size] for size in sorted(found, key=lambda size: -size.area)]


def _height_um(directory: NdpiDirectory) -> float:
    height_nm = directory.number(_Z_OFFSET_NM) or 0.0
    if not abs(height_nm) <= FARTHEST_UM * _NM_PER_UM:
        raise DamagedSlideError("A focal plane has no height; copy the file again.")
    return height_nm / _NM_PER_UM


def _size(directory: NdpiDirectory) -> Size:
    return Size(directory.integer(tiff.IMAGE_WIDTH), directory.integer(tiff.IMAGE_LENGTH))


def _is_jpeg(directory: NdpiDirectory) -> bool:
    bits = directory.integers(tiff.BITS_PER_SAMPLE)
    return directory.integer(tiff.COMPRESSION) == _JPEG and bool((bits == 8).all())


def _stream(source: FileSource, directory: NdpiDirectory, recent: Recent) -> StoredJpeg:
    offsets = directory.integers(tiff.STRIP_OFFSETS)
    lengths = directory.integers(tiff.STRIP_BYTE_COUNTS)
    if not offsets.size == lengths.size == 1:
        raise UnsupportedSlideError(
            "The slide's images are in several strips; export it again as NDPI."
        )
    return StoredJpeg(source, int(offsets[0]), int(lengths[0]), recent)


def _store_level(
    source: FileSource, directory: NdpiDirectory, base: Size, recent: Recent, limits: Limits
) -> StoredLevel:
    if not _is_jpeg(directory):
        raise UnsupportedSlideError(
            "The slide is not in 8-bit JPEG; export it again as NDPI with 8-bit JPEG."
        )
    stream = _stream(source, directory, recent)
    size = _size(directory)
    segmented = None
    if is_segmented(stream.header, size):
        _check_stated(stream, size)
        segmented = SegmentedJpeg(stream, size, lambda: _table(directory))
    elif stream.header.stated is not None:
        # Coarse levels without restarts differ by a pixel: the stream is right, not the directory.
        size = stream.header.stated
    downsample = (base.columns / size.columns + base.rows / size.rows) / 2
    return store_level(stream, segmented, size, downsample, limits)


def _check_stated(stream: StoredJpeg, size: Size) -> None:
    """Raise DamagedSlideError when directory and stream differ where the stream can say it."""
    stated = stream.header.stated
    if stated is not None and stated != size and max(size.columns, size.rows) < 1 << 16:
        raise DamagedSlideError(
            "A level differs in size from its compressed image; copy the file again."
        )


def _table(directory: NdpiDirectory) -> NDArray[np.int64]:
    """Where the restart segments begin, from SOI; the upper halves may be left out."""
    low, high = directory.integers(_STARTS_LOW), directory.integers(_STARTS_HIGH)
    return low + (high << 32) if high.size == low.size else low


def _associated(source: FileSource, directory: NdpiDirectory, limits: Limits) -> StoredImage:
    stream = _stream(source, directory, Recent())
    size = stream.header.stated or _size(directory)
    limits.check_associated(size)
    return StoredImage(stream, size)


def _metadata(base: NdpiDirectory) -> SlideMetadata:
    vendor = _vendor(base)
    return SlideMetadata(
        pixel_spacing_mm=_spacing(base),
        objective_power=_positive(base.number(_MAGNIFICATION)),
        scanned_at=_date_time(base.text(_DATE_TIME)),
        manufacturer=base.text(_MAKE).strip() or "Hamamatsu",
        model=base.text(_MODEL).strip() or None,
        serial_number=vendor.get("SerialNumber") or vendor.get("NDP.S/N") or None,
        software=base.text(_SOFTWARE).strip() or None,
        icc_profile=None,
        focus_method=read_focus_method(
            base.integer(_FULLY_AUTO_FOCUS) if base.count(_FULLY_AUTO_FOCUS) else None
        ),
        label_text=code(vendor.get("SlideLabel"), vendor.get("Reference")),
        vendor=vendor,
    )


def _text(directory: NdpiDirectory, tag: int) -> str:
    return directory.text(tag) if tag in directory and directory.is_text(tag) else ""


def _spacing(base: NdpiDirectory) -> tuple[float, float] | None:
    """From pixels per unit, between rows and between columns; None without a unit."""
    unit = _MM_PER_UNIT.get(base.integer(_RESOLUTION_UNIT))
    across, down = (_positive(base.number(tag)) for tag in (_X_RESOLUTION, _Y_RESOLUTION))
    return (unit / down, unit / across) if unit and across and down else None


def _positive(number: float | None) -> float | None:
    return number if number and number > 0 and math.isfinite(number) else None


def _date_time(text: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  none is given
    except ValueError:
        return None


def _vendor(base: NdpiDirectory) -> Mapping[str, str]:
    """The private fields of the base, and the property map that one of them holds."""
    vendor: dict[str, str] = {}
    for tag in base.tags:
        told = base.is_text(tag) or base.count(tag) <= _MOST_VALUES
        if told and tag > NDPI_MARK and tag not in _NO_PROPERTIES:
            vendor[_NAMES.get(tag, str(tag))] = base.as_words(tag)
    return vendor | parse_properties(base.text(_PROPERTIES))


def parse_properties(text: str) -> dict[str, str]:
    """`name=value` lines; a name that comes again, as in lists of filters, is numbered."""
    properties: dict[str, str] = {}
    times: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.strip(" ;").partition("=")
        if not name:
            continue
        times[name] = times.get(name, 0) + 1
        properties[name if times[name] == 1 else f"{name} ({times[name]})"] = value
    return properties
