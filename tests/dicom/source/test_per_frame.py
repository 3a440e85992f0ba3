"""Positions of many frames, whatever the shape of their items."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicom.elements import Element
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.source.per_frame import MOST_FRAMES, read_positions
from dicom.testing import MemorySource

POSITION, PATHS = 0x0048021A, 0x00480207
COLUMN, ROW, Z, PATH = 0x0048021E, 0x0048021F, 0x0040074A, 0x00480106
ITEM, ITEM_END, SEQUENCE_END = b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0", b"\xfe\xff\xdd\xe0"


def element(tag: int, representation: bytes, value: bytes, explicit: bool) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF)
    if not explicit:
        return head + struct.pack("<I", len(value)) + value
    if representation == b"SQ":
        return head + b"SQ\0\0" + struct.pack("<I", len(value)) + value
    return head + representation + struct.pack("<H", len(value)) + value


def item(value: bytes, undefined: bool) -> bytes:
    if undefined:
        return ITEM + b"\xff\xff\xff\xff" + value + ITEM_END + bytes(4)
    return ITEM + struct.pack("<I", len(value)) + value


def frame(
    column: int, row: int, z_um: str | None, path: str | None, explicit: bool, undefined: bool
) -> bytes:
    position = b""
    if z_um is not None:
        position += element(Z, b"DS", z_um.encode().ljust(-(-len(z_um) // 2) * 2), explicit)
    position += element(COLUMN, b"SL", struct.pack("<i", column), explicit)
    position += element(ROW, b"SL", struct.pack("<i", row), explicit)
    groups = b""
    if path is not None:
        inner = element(PATH, b"SH", path.encode().ljust(-(-len(path) // 2) * 2), explicit)
        groups += element(PATHS, b"SQ", item(inner, undefined), explicit)
    groups += element(POSITION, b"SQ", item(position, undefined), explicit)
    return item(groups, undefined)


FRAMES = st.lists(
    st.tuples(
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**31), 2**31 - 1),
        st.none() | st.integers(-9999, 9999).map(lambda n: f"{n / 16:g}"),
        st.none() | st.sampled_from(["1", "2", "dapi", "a longer one"]),
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=80)
@given(frames=FRAMES, explicit=st.booleans(), undefined=st.booleans())
def test_what_goes_in_comes_out(frames, explicit: bool, undefined: bool) -> None:  # type: ignore[no-untyped-def] # tuples of hypothesis
    data = b"".join(frame(*one, explicit, undefined) for one in frames)
    length = 0xFFFFFFFF if undefined else len(data)
    if undefined:
        data += SEQUENCE_END + bytes(4)
    groups = Element(0x52009230, b"SQ", 0, length)
    found = read_positions(MemorySource(data), groups, len(frames), explicit=explicit)
    for number, (column, row, z_um, path) in enumerate(frames):
        assert (found.columns[number], found.rows[number]) == (column, row)
        height = found.heights_um[number]
        assert np.isnan(height) if z_um is None else height == float(z_um)
        index = found.paths[number]
        assert index == -1 if path is None else found.path_identifiers[index] == path


def test_a_hundred_thousand_frames() -> None:
    """A sequence larger than what is held of it at a time."""
    count = 100_000
    data = b"".join(frame(n + 1, n // 7 + 1, f"{n % 3}.0", "1", True, False) for n in range(count))
    groups = Element(0x52009230, b"SQ", 0, len(data))
    found = read_positions(MemorySource(data), groups, count, explicit=True)
    np.testing.assert_array_equal(found.columns, np.arange(count) + 1)
    np.testing.assert_array_equal(found.rows, np.arange(count) // 7 + 1)
    np.testing.assert_array_equal(found.heights_um, np.arange(count) % 3)


def test_fewer_items_than_frames() -> None:
    data = frame(1, 1, None, None, True, False)
    groups = Element(0x52009230, b"SQ", 0, len(data))
    with pytest.raises(DamagedInstanceError, match="no position"):
        read_positions(MemorySource(data), groups, 2, explicit=True)


def test_an_item_without_a_position() -> None:
    data = item(b"", undefined=False)
    groups = Element(0x52009230, b"SQ", 0, len(data))
    with pytest.raises(DamagedInstanceError, match="where it lies"):
        read_positions(MemorySource(data), groups, 1, explicit=True)


def test_more_frames_than_are_read() -> None:
    groups = Element(0x52009230, b"SQ", 0, 0)
    with pytest.raises(UnsupportedInstanceError):
        read_positions(MemorySource(b""), groups, MOST_FRAMES + 1, explicit=True)
