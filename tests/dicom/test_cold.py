"""Instances packed and given back: bit for bit, or an error."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicom import cold
from dicom.cold import FOOTER_BYTES, ColdInstance, PackedInstance, pack
from dicom.conversion import convert
from dicom.dataset import build_dataset
from dicom.errors import DamagedInstanceError, DicomError, UnsupportedInstanceError
from dicom.frame_index import FrameIndex
from dicom.models import Equipment, ImageDescription, ImageRole, Optics, SlideIdentity
from dicom.targets import DirectoryTarget
from dicom.testing import MemorySink, MemorySource
from dicom.writer import write_instance
from tiling.codecs import jpeg_recompressed
from tiling.errors import TilingError
from tiling.geometry import Size
from tiling.slide import Colour, TileEncoding


def recompress(frames: Sequence[bytes]) -> list[bytes | None]:
    return [jpeg_recompressed.recompress(frame) for frame in frames]


def give_back(frames: Sequence[bytes], _: Sequence[int]) -> list[bytes]:
    return [jpeg_recompressed.give_back(frame) for frame in frames]


def halve(frames: Sequence[bytes]) -> list[bytes | None]:
    """Every second frame becomes one byte less: its first one must be a 0xFF."""
    return [frame[1:] if number % 2 else None for number, frame in enumerate(frames)]


def double(frames: Sequence[bytes], _: Sequence[int]) -> list[bytes]:
    return [b"\xff" + frame for frame in frames]


def packed(data: bytes, made: cold.Recompress | None = recompress) -> tuple[bytes, PackedInstance]:
    sink = MemorySink()
    facts = pack(MemorySource(data), len(data), sink, made)
    assert facts.size_bytes == len(sink.data)
    assert facts.sha256 == hashlib.sha256(data).hexdigest()
    return sink.data, facts


def opened(data: bytes) -> ColdInstance:
    return ColdInstance.open(MemorySource(data), len(data))


@pytest.fixture(scope="session")
def instance_of(
    plain_slide: Any, plain_levels: list[Any], bare_identity: Any, tmp_path_factory: Any
) -> Callable[[TileEncoding, int], bytes]:
    """The base of a slide whose tiles are so many pixels wide and high."""

    def make(encoding: TileEncoding, side: int) -> bytes:
        folder: Path = tmp_path_factory.mktemp("cold")
        base = replace(plain_levels[0], encoding=encoding, tile=Size(side, side), encoded=[])
        convert(plain_slide, [base], bare_identity, DirectoryTarget(folder))
        return (folder / "level-0.dcm").read_bytes()

    return make


@pytest.fixture(
    scope="session", params=[(Colour.YCBCR, (2, 1)), (Colour.YCBCR, (2, 2)), (Colour.RGB, (1, 1))]
)
def instance(request: pytest.FixtureRequest, instance_of: Any) -> bytes:
    made: bytes = instance_of(TileEncoding(*request.param), 112)
    return made


@pytest.fixture(scope="session")
def small(instance_of: Any) -> bytes:
    """Some of whose frames become smaller, and some do not."""
    made: bytes = instance_of(TileEncoding(Colour.YCBCR, (2, 2)), 96)
    return made


@pytest.fixture(scope="session")
def sound(small: bytes) -> bytes:
    return packed(small)[0]


def test_it_comes_back_bit_for_bit(instance: bytes) -> None:
    data, facts = packed(instance)
    assert facts.recompressed > 0
    assert len(data) < len(instance)
    found, sink = opened(data), MemorySink()
    written = found.unpack(sink, give_back)
    assert sink.data == instance
    assert (written.size_bytes, written.sha256) == (len(instance), facts.sha256)
    header = found.header()
    assert instance.startswith(header)
    assert written.header_bytes == len(header)
    assert written.header_sha256 == hashlib.sha256(header).hexdigest()
    assert (found.frames, found.recompressed) == (facts.frames, facts.recompressed)


def test_frames_come_back_singly(instance: bytes) -> None:
    index = FrameIndex.read(MemorySource(instance))
    found = opened(packed(instance)[0])
    hashes = b""
    for number in range(found.frames):
        offset, length = index.offset(number)
        frame = found.frame(number, give_back)
        assert frame == instance[offset : offset + length]
        hashes += hashlib.sha256(frame).digest()
    assert found.unpack(MemorySink(), give_back).frame_hashes == hashes
    for outside in (-1, found.frames):
        with pytest.raises(IndexError):
            found.frame(outside, give_back)


@pytest.mark.parametrize("made", [None, halve, lambda frames: [None] * len(frames)])
def test_frames_that_stay_as_they_were(small: bytes, made: cold.Recompress | None) -> None:
    data, facts = packed(small, made)
    sink = MemorySink()
    opened(data).unpack(sink, double)
    assert sink.data == small
    assert facts.recompressed == (facts.frames // 2 if made is halve else 0)


def test_in_many_batches(instance: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold, "_BATCH_BYTES", 1)
    monkeypatch.setattr(cold, "_LONGEST_RECOMPRESSED", 3000)
    data, facts = packed(instance)
    assert 0 <= facts.recompressed <= facts.frames
    sink = MemorySink()
    opened(data).unpack(sink, give_back)
    assert sink.data == instance


def test_it_is_read_and_written_in_pieces() -> None:
    """An instance much larger than what is held at a time."""
    frames = [np.random.default_rng(n).bytes(50_001) for n in range(160)]
    image = ImageDescription(
        ImageRole.VOLUME, "1.2.3", 1, Size(columns=160 * 16, rows=16), Size(columns=16, rows=16),
        "1.2.840.10008.1.2.4.50", pixel_spacing_mm=(1.0, 1.0),
    )  # fmt: skip
    identity = SlideIdentity(uuid.UUID(int=5))
    dataset = build_dataset(identity, Equipment(), Optics(icc_profile=b"abcd"), image)
    whole = MemorySink()
    write_instance(whole, dataset, np.full(160, 50_001), frames)
    source, sink = MemorySource(whole.data), MemorySink()
    pack(source, len(whole.data), sink, None)
    assert sink.longest_write_bytes <= 1 << 20
    back = MemorySink()
    opened(sink.data).unpack(back, give_back)
    assert back.data == whole.data
    assert back.longest_write_bytes < 3 << 20


def test_a_decoder_that_lies(small: bytes, sound: bytes) -> None:
    def of_another_length(frames: Sequence[bytes], _: Sequence[int]) -> list[bytes]:
        return [b"x" for _ in frames]

    def of_other_bytes(_: Sequence[bytes], lengths: Sequence[int]) -> list[bytes]:
        return [bytes(length) for length in lengths]

    def too_few(frames: Sequence[bytes], lengths: Sequence[int]) -> list[bytes]:
        return give_back(frames, lengths)[:-1]

    for liar in (of_another_length, of_other_bytes, too_few):
        with pytest.raises(DamagedInstanceError):
            opened(sound).unpack(MemorySink(), liar)


def test_a_later_version(sound: bytes) -> None:
    later = sound[:-8] + b"\x02" + sound[-7:]
    with pytest.raises(UnsupportedInstanceError, match="later"):
        opened(later)


def test_no_instance_is_packed() -> None:
    with pytest.raises(DicomError):
        pack(MemorySource(b"no instance"), 11, MemorySink(), recompress)


def test_an_instance_that_is_shorter_than_said(small: bytes) -> None:
    with pytest.raises(DamagedInstanceError):
        pack(MemorySource(small), len(small) + 10, MemorySink(), recompress)


quickly = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_everything(data: bytes, original: bytes) -> None:
    """What is given back is what was packed, or there is an error."""
    sink = MemorySink()
    try:
        found = opened(data)
        for number in range(found.frames):
            found.frame(number, give_back)
        found.unpack(sink, give_back)
    except (DicomError, TilingError):
        return
    assert sink.data == original


@quickly
@given(place=st.integers(0, 1 << 30), patch=st.binary(min_size=1, max_size=6))
def test_damage_is_found(small: bytes, sound: bytes, place: int, patch: bytes) -> None:
    data = bytearray(sound)
    at = place % len(data)
    data[at : at + len(patch)] = patch
    read_everything(bytes(data), small)


@quickly
@given(place=st.integers(0, 200), patch=st.binary(min_size=1, max_size=6))
def test_damage_at_the_end_is_found(small: bytes, sound: bytes, place: int, patch: bytes) -> None:
    data = bytearray(sound)
    at = max(0, len(data) - 1 - place)
    data[at : at + len(patch)] = patch
    read_everything(bytes(data), small)


@quickly
@given(cut=st.floats(0, 1, exclude_max=True))
def test_cut_short(sound: bytes, cut: float) -> None:
    with pytest.raises(DicomError):
        opened(sound[: int(cut * len(sound))])


@quickly
@given(
    frames_bytes=st.integers(0, 2**64 - 1),
    rest=st.integers(0, 2**64 - 1),
    size=st.integers(0, 2**64 - 1),
    count=st.integers(0, 2**32 - 1),
    entries=st.lists(st.integers(0, 2**32 - 1), min_size=3, max_size=30),
    fits=st.booleans(),
)
def test_a_forged_index(
    frames_bytes: int, rest: int, size: int, count: int, entries: list[int], fits: bool
) -> None:
    """With a digest that fits: what it says is hostile, not damaged."""
    table = np.array(entries[: len(entries) // 3 * 3], "<u4").tobytes()
    body = b"0123456789" * 20
    if fits:
        count, frames_bytes = len(table) // 12, len(body)
        rest = 0
    facts = cold._FACTS.pack(frames_bytes, rest, size, count, bytes(32))
    end = cold._END.pack(hashlib.sha256(table + facts).digest(), 1, b"SGICOLD")
    assert len(facts + end) == FOOTER_BYTES
    read_everything(body + table + facts + end, b"never")


def test_the_header_is_read_without_a_frame(instance: bytes) -> None:
    stored, _ = packed(instance)
    first = int(FrameIndex.read(MemorySource(instance)).offsets[0])
    assert opened(stored).header() == instance[:first]
    with pytest.raises(DamagedInstanceError):
        opened(stored).header(limit_bytes=first - 1)
