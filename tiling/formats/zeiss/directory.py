"""The directory of a CZI: every image (subblock) in it, where it lies and what it shows.

Entries (schema DV) are of 32 bytes and 20 more for each dimension. They are read as arrays, since
a slide with channels and focal planes has some hundred thousand.
"""

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.zeiss.container import DIRECTORY, SPREAD, Container

Subblocks = NDArray[np.void]
"""Records of `RECORD`, shape `(subblocks,)`."""

ABSENT = -(1 << 31)
"""Stands for the place in a dimension that an entry does not have."""
PLACES = "CZTSMRIHVB"
"""Channel, focal plane, time, scene, mosaic tile (higher ones lie above lower ones), rotation,
illumination, phase, view, block."""

RECORD = np.dtype(
    [
        ("position", "<i8"),
        ("pixel_type", "<i4"),
        ("compression", "<i4"),
        ("x", "<i8"),
        ("y", "<i8"),
        ("columns", "<i8"),
        ("rows", "<i8"),
        ("stored_columns", "<i8"),
        ("stored_rows", "<i8"),
        ("axes", "<i4"),
        *((name, "<i4") for name in PLACES),
    ]
)
"""A place (`x`, `y`) and extent in pixels of the finest resolution, and the extent in its own."""

MOST_SUBBLOCKS = 1 << 20
_MOST_AXES = 40
_HEADER_BYTES = 128
_FIXED_BYTES, _AXIS_BYTES = 32, 20
_AXIS = np.dtype(
    [("name", "S4"), ("start", "<i4"), ("size", "<i4"), ("coordinate", "<f4"), ("stored", "<i4")]
)
_CHUNK = 4096
"""Entries turned into records at a time."""
_CORRUPT = "The file's directory is corrupt; copy it again from the scanner."


def read_directory(container: Container, position: int) -> Subblocks:
    """Every subblock, in the directory's order.

    Raises DamagedSlideError when an entry contradicts itself or points beyond the file,
    SlideTooLargeError for absurdly many, UnsupportedSlideError when some lie in other files.
    """
    (count,) = struct.unpack("<i", container.payload(position, DIRECTORY, 4))
    if count > MOST_SUBBLOCKS:
        raise SlideTooLargeError("The file announces absurdly many images; it is refused.")
    if count < 1:
        raise DamagedSlideError("The file holds no image; copy it again from the scanner.")
    most = count * (_FIXED_BYTES + _MOST_AXES * _AXIS_BYTES)
    length = min(container.used_bytes(position) - _HEADER_BYTES, most)
    data = container.payload(position, DIRECTORY, max(length, 0) + _HEADER_BYTES)[_HEADER_BYTES:]
    starts, axes = _find_entries(data, count)
    records = np.zeros(count, RECORD)
    for number in np.unique(axes):
        chosen = np.flatnonzero(axes == number)
        for first in range(0, len(chosen), _CHUNK):
            rows = chosen[first : first + _CHUNK]
            records[rows] = _read_entries(data, starts[rows], int(number))
    _check(records, container.size)
    return records


def _find_entries(data: bytes, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each entry begins, and how many dimensions it has."""
    starts, axes = np.empty(count, np.int64), np.empty(count, np.int64)
    place = 0
    for index in range(count):
        if place + _FIXED_BYTES > len(data):
            raise DamagedSlideError(_CORRUPT)
        number = int.from_bytes(data[place + 28 : place + 32], "little")
        if not 2 <= number <= _MOST_AXES:
            raise DamagedSlideError(_CORRUPT)
        starts[index], axes[index] = place, number
        place += _FIXED_BYTES + number * _AXIS_BYTES
    if place > len(data):
        raise DamagedSlideError(_CORRUPT)
    return starts, axes


def _read_entries(data: bytes, starts: NDArray[np.int64], axes: int) -> Subblocks:
    """The entries at these places, which all have so many dimensions."""
    layout = np.dtype(
        [
            ("schema", "S2"),
            ("pixel_type", "<i4"),
            ("position", "<i8"),
            ("part", "<i4"),
            ("compression", "<i4"),
            ("spare", "V6"),
            ("axes", "<i4"),
            ("axis", _AXIS, (axes,)),
        ]
    )
    indices = starts[:, None] + np.arange(layout.itemsize)
    entries = np.frombuffer(data, np.uint8)[indices].view(layout)[:, 0]
    if (entries["schema"] != b"DV").any():
        raise UnsupportedSlideError(
            "The slide is of an old kind of CZI; open and save it with the scanner's software."
        )
    if entries["part"].any():
        raise UnsupportedSlideError(SPREAD)
    records = np.zeros(len(starts), RECORD)
    for name in ("position", "pixel_type", "compression", "axes"):
        records[name] = entries[name]
    axis = entries["axis"]
    for name, low, across in (("X", "x", "columns"), ("Y", "y", "rows")):
        found = _pick(axis, name)
        records[low], records[across] = found["start"], found["size"]
        # None is told where nothing was made smaller.
        records[f"stored_{across}"] = np.where(found["stored"], found["stored"], found["size"])
    for name in PLACES:
        records[name] = _pick(axis, name)["start"]
    return records


def _pick(axis: NDArray[np.void], name: str) -> NDArray[np.void]:
    """Of each entry the dimension of that name; its start is `ABSENT` where there is none."""
    named = axis["name"] == name.encode()
    picked: NDArray[np.void] = axis[np.arange(len(axis)), named.argmax(axis=1)]
    missing = ~named.any(axis=1)
    picked["start"][missing] = ABSENT
    picked["size"][missing] = 0
    return picked


def _check(records: Subblocks, size: int) -> None:
    sides: list[NDArray[Any]] = [
        records[name] for name in ("columns", "rows", "stored_columns", "stored_rows")
    ]
    if any((side < 1).any() for side in sides):
        raise DamagedSlideError(_CORRUPT)
    if (records["position"] < 0).any() or (records["position"] >= size).any():
        raise DamagedSlideError("The file is cut short; copy it again from the scanner.")
