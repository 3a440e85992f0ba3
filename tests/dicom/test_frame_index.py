"""Frame indices of instances built byte by byte, with every kind of offset table."""

import struct
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from dicom.dataset import build_dataset
from dicom.errors import DamagedInstanceError, DicomError, UnsupportedInstanceError
from dicom.frame_index import FrameIndex
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.padding import padding_elements
from dicom.reader import Instance
from dicom.testing import MemorySource
from tiling.geometry import Size

FRAMES = [b"first!", b"second", b"the third one "]
ITEM = b"\xfe\xff\x00\xe0"
END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def item(value: bytes) -> bytes:
    return ITEM + struct.pack("<I", len(value)) + value


def element(number: int, representation: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2s2xI", 0x7FE0, number, representation, len(value)) + value


def encapsulated(*items: bytes) -> bytes:
    return struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF) + b"".join(items) + END


def offset_table(values: Sequence[int], width: str) -> bytes:
    return np.array(values, dtype=width).tobytes()


@pytest.fixture
def dataset(identity: SlideIdentity) -> pydicom.Dataset:
    tile = Size(columns=2, rows=2)
    image = ImageDescription(
        ImageRole.VOLUME,
        "1.2.3",
        1,
        Size(columns=6, rows=2),
        tile,
        JPEGBaseline8Bit,
        pixel_spacing_mm=(0.5, 0.25),
    )
    return build_dataset(identity, Equipment(), Optics(), image)


def stored(dataset: pydicom.Dataset, pixels: bytes, syntax: str | None = None) -> Instance:
    if syntax:
        dataset.file_meta.TransferSyntaxUID = syntax
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return Instance.open(MemorySource(buffer.getvalue() + pixels))


def frames_of(instance: Instance) -> list[bytes]:
    return [instance.frame(number) for number in range(instance.header.number_of_frames)]


def extended(offsets: Sequence[int], lengths: Sequence[int]) -> bytes:
    return element(1, b"OV", offset_table(offsets, "<u8")) + element(
        2, b"OV", offset_table(lengths, "<u8")
    )


def test_extended_offset_table_gives_unpadded_frames(dataset: pydicom.Dataset) -> None:
    tables = extended([0, 14, 28], [6, 6, 14])
    pixels = encapsulated(item(b""), *map(item, FRAMES))
    assert frames_of(stored(dataset, tables + pixels)) == FRAMES
    odd = padding_elements(np.array([6, 5, 14]))
    instance = stored(dataset, odd + tables + pixels)
    assert frames_of(instance) == [b"first!", b"secon", b"the third one "]
    assert instance.index.exact


def test_extended_offset_table_of_a_writer_that_counts_no_padding(
    dataset: pydicom.Dataset,
) -> None:
    tables = extended([0, 14, 28], [6, 5, 14])
    instance = stored(dataset, tables + encapsulated(item(b""), *map(item, FRAMES)))
    assert frames_of(instance) == [b"first!", b"secon", b"the third one "]


def test_basic_offset_table(dataset: pydicom.Dataset) -> None:
    table = item(offset_table([0, 14, 28], "<u4"))
    instance = stored(dataset, encapsulated(table, *map(item, FRAMES)))
    assert frames_of(instance) == FRAMES


def test_basic_offset_table_with_fragments(dataset: pydicom.Dataset) -> None:
    table = item(offset_table([0, 22, 36], "<u4"))
    pixels = encapsulated(
        table, item(b"fi"), item(b"rst!"), item(b"second"), item(b"the third "), item(b"one ")
    )
    assert frames_of(stored(dataset, pixels)) == FRAMES


def test_no_offset_table(dataset: pydicom.Dataset) -> None:
    instance = stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))
    assert frames_of(instance) == FRAMES


def test_no_offset_table_and_one_frame_in_fragments(dataset: pydicom.Dataset) -> None:
    dataset.NumberOfFrames = 1
    instance = stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))
    assert frames_of(instance) == [b"".join(FRAMES)]


def test_no_offset_table_and_too_many_fragments(dataset: pydicom.Dataset) -> None:
    dataset.NumberOfFrames = 2
    with pytest.raises(UnsupportedInstanceError, match="fragments"):
        stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_native(dataset: pydicom.Dataset, syntax: str) -> None:
    pixels = bytes(range(36))
    head = struct.pack("<HHI", 0x7FE0, 0x10, 36)
    if syntax == ExplicitVRLittleEndian:
        head = struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OB", 36)
    instance = stored(dataset, head + pixels, syntax)
    assert frames_of(instance) == [pixels[:12], pixels[12:24], pixels[24:]]
    assert instance.header.pixel_spacing_mm == (0.5, 0.25)


@pytest.mark.parametrize(
    "pixels",
    [
        extended([0, 14, 28], [6, 6, 15]) + encapsulated(item(b""), *map(item, FRAMES))[:-10],
        extended([0, 14, 28], [6, 7, 14]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([0, 14, 28], [6, 0, 14]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([0, 28, 14], [6, 6, 6]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([8, 22, 36], [6, 6, 6]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([0, 14], [6, 6]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([0, 14, 2**63], [6, 6, 6]) + encapsulated(item(b""), *map(item, FRAMES)),
        extended([0, 14, 2**50], [6, 6, 6]) + encapsulated(item(b""), *map(item, FRAMES)),
        element(1, b"OV", offset_table([0, 14, 28], "<u8")) + encapsulated(item(b"")),
        padding_elements(np.full(17, 6))
        + extended([0, 14, 28], [6, 6, 14])
        + encapsulated(item(b""), *map(item, FRAMES)),
        encapsulated(item(offset_table([0, 0, 28], "<u4")), *map(item, FRAMES)),
        encapsulated(item(offset_table([0, 14, 2**31], "<u4")), *map(item, FRAMES)),
        encapsulated(item(b""), *map(item, FRAMES[:2])),
        encapsulated(item(b"")),
        encapsulated(item(b""), b"junk" * 20),
        element(0x10, b"OB", bytes(36)),
        b"",
    ],
)
def test_tables_that_contradict_the_frames_are_damage(
    dataset: pydicom.Dataset, pixels: bytes
) -> None:
    with pytest.raises(DamagedInstanceError):
        stored(dataset, pixels)


def test_basic_offset_table_beside_the_items_is_damage_when_read(
    dataset: pydicom.Dataset,
) -> None:
    table = item(offset_table([0, 16, 28], "<u4"))
    instance = stored(dataset, encapsulated(table, *map(item, FRAMES)))
    with pytest.raises(DamagedInstanceError):
        instance.frame(1)


def test_index_takes_few_reads(dataset: pydicom.Dataset) -> None:
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    tables = extended([0, 14, 28], [6, 6, 14])
    source = MemorySource(buffer.getvalue() + tables + encapsulated(item(b""), *map(item, FRAMES)))
    FrameIndex.read(source)
    assert source.reads == 2


def test_frames_outside_are_an_index_error(dataset: pydicom.Dataset) -> None:
    instance = stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))
    for frame_index in (-1, 3):
        with pytest.raises(IndexError):
            instance.frame(frame_index)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("Rows", 0),
        ("NumberOfFrames", 0),
        ("NumberOfFrames", 2**30),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),
        ("ImageType", ["ORIGINAL"] * 3000),
    ],
)
def test_impossible_headers_are_refused(
    dataset: pydicom.Dataset, attribute: str, value: object
) -> None:
    setattr(dataset, attribute, value)
    with pytest.raises(DicomError):
        stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))


@pytest.mark.parametrize("missing", ["Rows", "SOPClassUID", "StudyInstanceUID", "BitsAllocated"])
def test_headers_lacking_what_is_needed_are_refused(dataset: pydicom.Dataset, missing: str) -> None:
    delattr(dataset, missing)
    with pytest.raises(DicomError):
        stored(dataset, encapsulated(item(b""), *map(item, FRAMES)))
