import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import storage.errors
from dicom.errors import DicomError
from dicom.frame_index import FrameIndex
from sgi.errors import VerificationError
from sgi.ingest import verify as module
from sgi.ingest.verify import Verification, Written, verify_instance
from sgi.jobs.decisions import Decision, verdict_on
from sgi.stored.keys import instance_key
from sgi.stored.sources import StoredObject


@pytest.fixture
def base(store: Any, convert_into: Callable[..., Any]) -> tuple[str, int, str, bytes]:
    """The base level of a stored slide: key, size, hash and hashes."""
    made = convert_into(store)
    record = made.manifest.instances[0]
    assert record.frames > 10
    key = instance_key(made.id, record.sop_instance_uid)
    return key, record.size_bytes, record.sha256, made.frame_hashes[record.sop_instance_uid]


def test_a_sound_instance(store: Any, base: Any) -> None:
    told: list[int] = []
    verify_instance(store, *base, told.append)
    assert sum(told) == base[1]


@pytest.mark.parametrize("piece_bytes", [500, 5_000, 1 << 30])
def test_in_pieces_of_any_size(
    store: Any, base: Any, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(module, "_PIECE_BYTES", piece_bytes)
    verify_instance(store, *base)
    frames = FrameIndex.read(StoredObject(store, base[0], base[1]))
    for frame_index in (0, 7, len(frames.offsets) - 1):
        offset, length = frames.offset(frame_index)
        flip(store, base[0], offset + length - 1)
        with pytest.raises(VerificationError):
            verify_instance(store, *base)
        flip(store, base[0], offset + length - 1)


def flip(store: Any, key: str, at: int) -> None:
    data = bytearray(store.objects[key])
    data[at] ^= 1
    store.objects[key] = bytes(data)


def test_every_flipped_bit_of_a_frame_is_found(store: Any, base: Any) -> None:
    key, size, *_ = base
    index = FrameIndex.read(StoredObject(store, key, size))
    frame_bytes = [
        position
        for frame_index in range(len(index.offsets))
        for offset, length in [index.offset(frame_index)]
        for position in range(offset, offset + length)
    ]
    for position in frame_bytes[:: len(frame_bytes) // 40]:
        flip(store, key, position)
        with pytest.raises(VerificationError):
            verify_instance(store, *base)
        flip(store, key, position)


def test_every_flipped_bit_outside_the_frames_is_found(store: Any, base: Any) -> None:
    key, size, *_ = base
    index = FrameIndex.read(StoredObject(store, key, size))
    first, last = int(index.offsets[0]), int(index.offsets[-1] + index.lengths[-1])
    for position in (*range(0, first, max(first // 60, 1)), first - 1, *range(last, size)):
        flip(store, key, position)
        with pytest.raises((VerificationError, DicomError)):
            verify_instance(store, *base)
        flip(store, key, position)
    verify_instance(store, *base)


def test_another_pixel_spacing_is_found(store: Any, base: Any) -> None:
    key = base[0]
    spacing = store.objects[key].index(b"\x28\x00\x30\x00DS") + 8
    flip(store, key, spacing + 3)
    with pytest.raises(VerificationError):
        verify_instance(store, *base)


def broken(store: Any, base: Any) -> Iterator[tuple[str, tuple[str, int, str, bytes]]]:
    key, size, sha256, hashes = base
    whole = store.objects[key]
    yield "another size", (key, size + 1, sha256, hashes)
    yield "too few hashes", (key, size, sha256, hashes[:-32])
    yield "too many hashes", (key, size, sha256, hashes + hashes[:32])
    yield "half a hash", (key, size, sha256, hashes[:-1])
    store.objects[key] = whole[:-1]
    yield "cut short", (key, size, sha256, hashes)
    store.objects[key] = whole[: size // 2]
    yield "cut in half, and said to be so", (key, size // 2, sha256, hashes)
    store.objects[key] = whole + b"\0"
    yield "longer", (key, size, sha256, hashes)
    store.objects[key] = b""
    yield "empty", (key, 0, sha256, hashes)
    store.objects[key] = bytes(size)
    yield "all zero", (key, size, sha256, hashes)
    del store.objects[key]
    yield "gone", (key, size, sha256, hashes)


def test_everything_that_can_be_wrong_is_found_and_tried_again(store: Any, base: Any) -> None:
    count = 0
    for what, arguments in broken(store, base):
        with pytest.raises((VerificationError, DicomError, storage.errors.StorageError)) as caught:
            verify_instance(store, *arguments)
        verdict = verdict_on(caught.value)
        assert (verdict.decision, verdict.reason) == (Decision.RETRY, "not_verified"), what
        assert verdict.attempts, f"{what}: tried for ever"
        count += 1
    assert count == 10


def test_instances_are_verified_while_others_are_made(store: Any, base: Any) -> None:
    told: list[int] = []
    with Verification(store) as verification:
        for _ in range(3):
            verification.begin(Written(*base))
        verification.finish(told.append)
    assert told == sorted(told)
    assert told[-1] == 3 * base[1]


def test_the_first_that_fails_is_told(store: Any, base: Any) -> None:
    key, size, sha256, hashes = base
    with Verification(store) as verification:
        verification.begin(Written(*base))
        verification.begin(Written(key, size, sha256[::-1], hashes))
        verification.begin(Written("slides/gone", size, sha256, hashes))
        with pytest.raises(VerificationError):
            verification.finish(lambda _: None)


def test_what_is_left_is_given_up(store: Any, base: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PIECE_BYTES", 500)
    reading, left = threading.Event(), threading.Event()
    pieces: list[bytes] = []
    read = store.read_chunks

    def slowly(key: str, chunk_bytes: int) -> Iterator[bytes]:
        for piece in read(key, chunk_bytes):
            pieces.append(piece)
            yield piece
            reading.set()
            assert left.wait(10)

    monkeypatch.setattr(store, "read_chunks", slowly)
    with Verification(store) as verification:
        verification.begin(Written(*base))
        verification.begin(Written(*base))
        assert reading.wait(10)
    left.set()
    running, waiting = verification._begun
    with pytest.raises(VerificationError, match="given up"):
        running.result(10)
    assert waiting.cancelled()
    assert len(pieces) == 2
