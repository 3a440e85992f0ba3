from collections.abc import Callable
from hashlib import sha256
from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.encaps import generate_frames, parse_basic_offsets
from pydicom.uid import JPEGBaseline8Bit

from dicom.dataset import build_dataset
from dicom.errors import FrameMismatchError, UnsupportedInstanceError
from dicom.frame_index import FrameIndex
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.reader import Instance
from dicom.testing import MemorySink, MemorySource
from dicom.writer import WrittenInstance, write_instance
from tiling.geometry import Size

Build = Callable[..., pydicom.Dataset]


@pytest.fixture(scope="session")
def build(identity: SlideIdentity) -> Build:
    def dataset(frames: int, *, native: bool = False, side: int = 8) -> pydicom.Dataset:
        size = Size(columns=side * frames, rows=side)
        image = ImageDescription(
            ImageRole.VOLUME,
            "1.2.3",
            1,
            size,
            Size(columns=side, rows=side),
            pixel_spacing_mm=(1.0, 1.0),
            **({} if native else {"transfer_syntax_uid": JPEGBaseline8Bit}),
        )
        return build_dataset(identity, Equipment(), Optics(), image)

    return dataset


def write(dataset: pydicom.Dataset, frames: list[bytes]) -> tuple[bytes, WrittenInstance]:
    sink = MemorySink()
    written = write_instance(sink, dataset, np.array([len(frame) for frame in frames]), frames)
    return sink.data, written


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(frames=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8))
def test_encapsulated_frames_are_where_the_tables_say(build: Build, frames: list[bytes]) -> None:
    # Act
    data, written = write(build(len(frames)), frames)
    # Assert
    read = pydicom.dcmread(BytesIO(data))
    offsets = np.frombuffer(read.ExtendedOffsetTable, "<u8").tolist()
    lengths = np.frombuffer(read.ExtendedOffsetTableLengths, "<u8").tolist()
    assert lengths == [len(frame) + len(frame) % 2 for frame in frames]
    assert parse_basic_offsets(read.PixelData) == []
    tables = (read.ExtendedOffsetTable, read.ExtendedOffsetTableLengths)
    found = generate_frames(read.PixelData, number_of_frames=len(frames), extended_offsets=tables)
    assert list(found) == [frame + bytes(len(frame) % 2) for frame in frames]
    for offset, length, frame in zip(offsets, lengths, frames, strict=True):
        assert read.PixelData[8 + offset + 8 :][:length] == frame + bytes(len(frame) % 2)
    instance = Instance.open(MemorySource(data))
    assert [instance.frame(number) for number in range(len(frames))] == frames
    assert written.sha256 == sha256(data).hexdigest()
    assert written.size_bytes == len(data)
    assert written.frame_hashes == b"".join(sha256(frame).digest() for frame in frames)
    assert written.header_bytes == FrameIndex.read(MemorySource(data)).offset(0)[0]
    assert written.header_sha256 == sha256(data[: written.header_bytes]).hexdigest()


def test_native_frames_follow_one_another_and_are_padded_to_even(build: Build) -> None:
    frames = [bytes([number]) * 27 for number in range(1, 4)]
    data, _ = write(build(3, native=True, side=3), frames)
    read = pydicom.dcmread(BytesIO(data))
    assert read.PixelData == b"".join(frames) + b"\0"
    assert "ExtendedOffsetTable" not in read


def test_the_same_slide_gives_the_same_bytes(build: Build) -> None:
    assert write(build(2), [b"ab", b"c"]) == write(build(2), [b"ab", b"c"])


def test_the_preamble_is_empty_and_the_file_says_who_wrote_it(build: Build) -> None:
    data, _ = write(build(1), [b"ab"])
    assert data[:132] == bytes(128) + b"DICM"
    assert pydicom.dcmread(BytesIO(data)).file_meta.ImplementationVersionName == "SGI_WSI_1"


def test_small_frames_are_gathered_into_long_writes(build: Build) -> None:
    sink = MemorySink()
    frame = bytes(10_001)
    write_instance(sink, build(500), np.full(500, len(frame)), [frame] * 500)
    assert 1 << 20 <= sink.longest_write_bytes < (1 << 20) + len(frame) + 8


@pytest.mark.parametrize(
    ("announced", "frames", "message"),
    [
        ([2, 2], [b"ab", b"abc"], "Frame 2 has 3 bytes"),
        ([2, 2], [b"ab"], "1 frames came"),
        ([2, 2], [b"ab", b"ab", b"ab"], "More frames"),
        ([2], [b"ab"], "2 frames are described"),
    ],
)
def test_frames_other_than_announced_are_refused(
    build: Build, announced: list[int], frames: list[bytes], message: str
) -> None:
    with pytest.raises(FrameMismatchError, match=message):
        write_instance(MemorySink(), build(2), np.array(announced), frames)


def test_what_dicom_cannot_hold_is_refused(build: Build) -> None:
    with pytest.raises(UnsupportedInstanceError, match="empty"):
        write_instance(MemorySink(), build(1), np.array([0]), [b""])
    with pytest.raises(UnsupportedInstanceError, match="4 GiB"):
        write_instance(MemorySink(), build(1, native=True), np.array([2**32]), [])


class HugeFrame(bytes):
    """One byte that passes for 3 GiB and one, so that no memory is spent."""

    def __len__(self) -> int:
        return 3 * 2**30 + 1


def test_offsets_beyond_4_gib(build: Build) -> None:
    sink = MemorySink()
    frame = HugeFrame(b"x")
    write_instance(sink, build(3), np.full(3, len(frame)), [frame] * 3)
    table = sink.data.index(b"\xe0\x7f\x01\x00OV") + 12
    offsets = np.frombuffer(sink.data[table : table + 24], "<u8").tolist()
    assert offsets == [0, len(frame) + 1 + 8, 2 * (len(frame) + 1 + 8)]


def test_a_failing_sink_is_told_of(build: Build) -> None:
    class Full:
        def write(self, data: bytes) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_instance(Full(), build(1), np.array([2]), [b"ab"])
