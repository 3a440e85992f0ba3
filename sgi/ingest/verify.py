"""Prove that a stored instance is what was written, header and frames: read it all again."""

import hashlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from dicom.behind import Behind
from dicom.frame_index import FrameIndex
from sgi.errors import VerificationError
from sgi.stored.sources import StoredObject
from storage.store import ObjectStore

_PIECE_BYTES = 16 << 20
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Written:
    """An instance that is in the store, and what it must be when it is read back."""

    key: str
    size_bytes: int
    sha256: str
    """Of the whole object, in hexadecimal."""
    frame_hashes: bytes
    """SHA-256 of each frame, 32 bytes each."""


@dataclass(frozen=True, slots=True)
class ReadHeader:
    """What was read back of an instance before its first frame."""

    size_bytes: int
    sha256: str
    """In hexadecimal."""


class Verification:
    """Reads instances back on a thread of its own, while others are still being made.

    Leaving the context gives up what is not finished.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="verify")
        self._begun: list[Future[tuple[str, ReadHeader]]] = []
        self._given_up = threading.Event()
        self._compared_bytes = 0
        self._progress: Callable[[int], None] = lambda _: None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up.set()
        self._executor.shutdown(wait=False, cancel_futures=True)

    def begin(self, written: Written) -> None:
        """Verify an instance as soon as those before it are verified."""
        self._begun.append(self._executor.submit(self._verify, written))

    def finish(self, progress: Callable[[int], None]) -> dict[str, ReadHeader]:
        """Wait for all, and tell their headers by key; `progress` hears how many bytes have been
        compared so far.

        Raises what `verify_instance` raised of the first that failed.
        """
        self._progress = progress
        progress(self._compared_bytes)
        return dict(verified.result() for verified in self._begun)

    def _verify(self, written: Written) -> tuple[str, ReadHeader]:
        header = verify_instance(
            self._store,
            written.key,
            written.size_bytes,
            written.sha256,
            written.frame_hashes,
            self._told,
        )
        return written.key, header

    def _told(self, compared: int) -> None:
        if self._given_up.is_set():
            raise VerificationError("The verification was given up.")
        self._compared_bytes += compared
        self._progress(self._compared_bytes)


def verify_instance(
    store: ObjectStore,
    key: str,
    size_bytes: int,
    sha256: str,
    frame_hashes: bytes,
    progress: Callable[[int], None] = lambda _: None,
) -> ReadHeader:
    """Read an instance from the store once, and compare its hash and that of every frame.

    The frames are found as the tile server finds them. `sha256` is of the whole object, in
    hexadecimal; `frame_hashes` is 32 bytes a frame; `progress` hears how many bytes were just
    compared. Returns what lies before the first frame. Raises VerificationError, or the store's
    and DICOM's errors as they are.
    """
    if store.size(key) != size_bytes:
        raise VerificationError("The stored object has another size than was written.")
    index = FrameIndex.read(StoredObject(store, key, size_bytes))
    if len(frame_hashes) != len(index.offsets) * _HASH_BYTES:
        raise VerificationError("The stored instance has another number of frames.")
    frames = _Frames(index, frame_hashes)
    header_bytes, _ = index.offset(0)
    start = 0
    whole, header = hashlib.sha256(), hashlib.sha256()
    with Behind(whole.update) as hashing:
        for data in store.read_chunks(key, _PIECE_BYTES):
            hashing.write(data)
            header.update(memoryview(data)[: max(header_bytes - start, 0)])
            frames.compare(start, memoryview(data))
            start += len(data)
            progress(len(data))
    if not frames.all_compared or whole.hexdigest() != sha256:
        raise VerificationError("The stored object is not what was written.")
    return ReadHeader(header_bytes, header.hexdigest())


class _Frames:
    """Compares the frames of an object as its bytes go by."""

    def __init__(self, index: FrameIndex, hashes: bytes) -> None:
        self._index = index
        self._hashes = hashes
        self._next = 0
        self._hash = hashlib.sha256()

    @property
    def all_compared(self) -> bool:
        return self._next == len(self._index.offsets)

    def compare(self, start: int, data: memoryview) -> None:
        """The bytes of the object from `start`; each call goes on where the one before ended."""
        end = start + len(data)
        while not self.all_compared:
            offset, length = self._index.offset(self._next)
            if offset >= end:
                return
            self._hash.update(data[max(offset - start, 0) : offset + length - start])
            if offset + length > end:
                return
            at = self._next * _HASH_BYTES
            if self._hash.digest() != self._hashes[at : at + _HASH_BYTES]:
                raise VerificationError("A stored frame is not what was written.")
            self._next += 1
            self._hash = hashlib.sha256()
