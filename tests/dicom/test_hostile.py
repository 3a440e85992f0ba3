"""Objects from anywhere: a value or a DicomError, soon, and never anything else."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import JPEGBaseline8Bit

from dicom.dataset import build_dataset
from dicom.errors import DicomError
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.reader import Instance
from dicom.testing import MemorySink, MemorySource
from dicom.tile_order import tile_order_of
from dicom.writer import write_instance
from tiling.geometry import Size

OPENING = bytes(128) + b"DICM" + struct.pack("<HH2sH", 2, 0x10, b"UI", 18)
OPENING += b"1.2.840.10008.1.2\0"


@pytest.fixture(scope="module")
def sound(bare_identity: SlideIdentity) -> bytes:
    image = ImageDescription(
        ImageRole.VOLUME,
        "1.2.3",
        1,
        Size(columns=40, rows=20),
        Size(columns=16, rows=16),
        JPEGBaseline8Bit,
        pixel_spacing_mm=(1.0, 1.0),
    )
    dataset = build_dataset(bare_identity, Equipment(), Optics(icc_profile=b"abcd"), image)
    sink = MemorySink()
    write_instance(sink, dataset, np.full(6, 9), [b"123456789"] * 6)
    return sink.data


def undefined_lengths(data: bytes) -> bytes:
    """The same dataset with every sequence and item delimited instead of counted."""
    dataset = pydicom.dcmread(BytesIO(data))
    for element in dataset.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset)
    return buffer.getvalue()


def read_everything(data: bytes) -> None:
    try:
        instance = Instance.open(MemorySource(data))
        tile_order_of(instance.header)
        for frame_index in range(min(instance.header.number_of_frames, 100)):
            instance.frame(frame_index)
    except DicomError:
        pass


mutations = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=8)), max_size=6
)
quickly = settings(
    deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_both_forms_of_sequences_read_alike(sound: bytes) -> None:
    counted = Instance.open(MemorySource(sound))
    delimited = Instance.open(MemorySource(undefined_lengths(sound)))
    assert counted.header == delimited.header
    assert counted.frame(5) == delimited.frame(5) == b"123456789"


@quickly
@given(cut=st.floats(0, 1, exclude_max=True))
def test_cut_short(sound: bytes, cut: float) -> None:
    end = int(cut * len(sound))
    if end <= len(sound) - 10:  # the closing delimiter and the padding are not needed
        with pytest.raises(DicomError):
            Instance.open(MemorySource(sound[:end]))


@pytest.fixture(scope="module", params=["counted", "delimited"])
def either_form(request: pytest.FixtureRequest, sound: bytes) -> bytes:
    return sound if request.param == "counted" else undefined_lengths(sound)


@quickly
@given(changes=mutations)
def test_mutated(either_form: bytes, changes: list[tuple[float, bytes]]) -> None:
    data = bytearray(either_form)
    for place, patch in changes:
        begin = int(place * len(data))
        data[begin : begin + len(patch)] = patch
    read_everything(bytes(data))


@quickly
@given(tail=st.binary(max_size=400))
def test_anything_after_a_sound_beginning(tail: bytes) -> None:
    read_everything(OPENING + tail)


@quickly
@given(data=st.binary(max_size=300))
def test_anything(data: bytes) -> None:
    with pytest.raises(DicomError):
        Instance.open(MemorySource(data))


SLIDE = b"1.2.840.10008.5.1.4.1.1.77.1.6"
IMPLICIT_SLIDE = OPENING + struct.pack("<HHI", 8, 0x16, len(SLIDE)) + SLIDE
SEQUENCE = struct.pack("<HHI", 0x0040, 0x0555, 0xFFFFFFFF)


def test_deep_nesting_ends() -> None:
    nest = SEQUENCE + struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    with pytest.raises(DicomError, match="deep"):
        Instance.open(MemorySource(IMPLICIT_SLIDE + nest * 100_000))


def test_a_long_header_ends() -> None:
    items = struct.pack("<HHI", 0xFFFE, 0xE000, 0) * 1_100_000
    with pytest.raises(DicomError, match="more than 1000000 elements"):
        Instance.open(MemorySource(IMPLICIT_SLIDE + SEQUENCE + items))


def test_bad_files(test_data: Path) -> None:
    for path in sorted((test_data / "bad").glob("*.dcm")):
        with pytest.raises(DicomError):
            Instance.open(MemorySource(path.read_bytes()))


def test_whole_files_of_others_give_a_value_or_a_dicom_error(test_data: Path) -> None:
    for folder in ("dicom-wsi", "dicom-ann-sr-seg", "labels"):
        for path in sorted(path for path in (test_data / folder).rglob("*") if path.is_file()):
            read_everything(path.read_bytes())
