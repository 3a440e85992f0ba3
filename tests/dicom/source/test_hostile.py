"""Files from anywhere: a slide or a TilingError, soon, and never anything else."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom.codes import EPIFLUORESCENCE
from dicom.elements import Element
from dicom.errors import DicomError
from dicom.formats import open_any
from dicom.source import open_
from dicom.source.files import first_facts
from dicom.source.header_dataset import read_header_dataset
from dicom.source.per_frame import read_positions
from dicom.source.testing import (
    JPEG_420,
    SERIES,
    FramePosition,
    WrittenInstance,
    instance_of,
    write,
)
from dicom.testing import MemorySource
from tiling.errors import TilingError
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import Codec, Colour, TileEncoding
from tiling.testing import draw_pattern

TILE = Size(columns=32, rows=32)
MANY = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def full() -> WrittenInstance:
    instance = instance_of(draw_pattern(60, 50), TILE, JPEG_420)
    return replace(instance, illumination=EPIFLUORESCENCE, undefined_lengths=True)


def sparse() -> WrittenInstance:
    encoding = TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS)
    instance = instance_of(draw_pattern(60, 50), TILE, encoding)
    positions = [FramePosition(c, r, 1.0, "1") for r in (1, 33) for c in (1, 33)]
    extra = {"ConcatenationUID": SERIES + ".7", "ConcatenationFrameOffsetNumber": 0}
    return replace(instance, organization="TILED_SPARSE", positions=positions, extra=extra)


@pytest.fixture(scope="module", params=[full, sparse], ids=["full", "sparse"])
def sound(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("sound") / "a", request.param()).read_bytes()


@contextmanager
def as_file(folder: Path, data: bytes) -> Iterator[Path]:
    path = folder / "slide"
    path.write_bytes(data)
    yield path


def read_everything(folder: Path, data: bytes) -> None:
    with as_file(folder, data) as path:
        try:
            reader = open_(path, Limits())
        except TilingError:
            return
        try:
            for number, level in enumerate(reader.levels):
                for column, row in list(level.grid.positions())[:4]:
                    with suppress(TilingError):
                        reader.read_tile(number, column, row)
                        if level.encoding is not None:
                            reader.encoded_tile_lengths(number)
                            reader.read_encoded_tile(number, column, row)
            for kind in reader.associated:
                with suppress(TilingError):
                    reader.read_associated(kind)
        finally:
            reader.close()


def test_the_sound_file_is_read(tmp_path: Path, sound: bytes) -> None:
    with as_file(tmp_path, sound) as path:
        reader = open_any(path)
        reader.read_tile(0, 1, 1)
        reader.close()


@MANY
@given(data=st.data())
def test_flipped_bytes(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    changed = bytearray(sound)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(132, len(sound) - 1))
        changed[at] = data.draw(st.integers(0, 255))
    read_everything(tmp_path, bytes(changed))


@MANY
@given(data=st.data())
def test_numbers_of_the_header_replaced(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    """Lengths and counts, where a flipped byte seldom hits."""
    end = sound.index(b"\xe0\x7f\x10\x00")
    at = data.draw(st.integers(132, end - 4))
    number = data.draw(st.sampled_from([0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF]))
    width = data.draw(st.sampled_from(["<H", "<I"]))
    changed = bytearray(sound)
    struct.pack_into(width, changed, at, number & (0xFFFF if width == "<H" else 0xFFFFFFFF))
    read_everything(tmp_path, bytes(changed))


@MANY
@given(data=st.data())
def test_cut_and_stretched(tmp_path: Path, sound: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sound)))
    to = data.draw(st.integers(0, len(sound)))
    read_everything(tmp_path, sound[:at] + sound[to:])


@MANY
@given(junk=st.binary(max_size=400))
def test_junk_after_the_mark(tmp_path: Path, junk: bytes) -> None:
    read_everything(tmp_path, bytes(128) + b"DICM" + junk)
    first_facts(bytes(128) + b"DICM" + junk)


@MANY
@given(junk=st.binary(max_size=300), undefined=st.booleans(), explicit=st.booleans())
def test_positions_of_junk(junk: bytes, undefined: bool, explicit: bool) -> None:
    data = b"\xfe\xff\x00\xe0" + junk
    groups = Element(0x52009230, b"SQ", 0, 0xFFFFFFFF if undefined else len(data))
    with suppress(DicomError):
        read_positions(MemorySource(data), groups, 3, explicit=explicit)


def element(tag: int, representation: bytes, value: bytes) -> bytes:
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + representation
    if representation in (b"SQ", b"OB", b"UN"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


OPENING = bytes(128) + b"DICM" + element(0x00020010, b"UI", b"1.2.840.10008.1.2.1\0")


def test_a_million_empty_items_are_not_parsed() -> None:
    items = b"\xfe\xff\x00\xe0\0\0\0\0" * 1_000_000
    data = OPENING + element(0x00480105, b"SQ", items) + element(0x7FE00010, b"OB", b"")
    header = read_header_dataset(MemorySource(data), 1 << 20)
    assert "OpticalPathSequence" not in header.dataset


def test_long_values_and_deep_sequences_are_left_out() -> None:
    deep = b""
    for _ in range(40):
        deep = element(0x00081140, b"SQ", b"\xfe\xff\x00\xe0" + struct.pack("<I", len(deep)) + deep)
    data = (
        OPENING
        + element(0x00080070, b"LO", b"Maker ")
        + element(0x00080104, b"UN", bytes(100))
        + deep
        + element(0x00090010, b"OB", bytes(1 << 17))
        + element(0x7FE00010, b"OB", b"")
    )
    header = read_header_dataset(MemorySource(data), 1 << 20)
    assert list(header.dataset.keys()) == [0x00080070]


def test_a_sequence_in_implicit_form_hidden_in_an_unknown_one() -> None:
    inner = struct.pack("<HHI", 0x0008, 0x1140, 16) + b"\xfe\xff\x00\xe0\0\0\0\0" * 2
    data = OPENING + element(0x00081111, b"UN", inner) + element(0x7FE00010, b"OB", b"")
    assert not read_header_dataset(MemorySource(data), 1000).dataset
