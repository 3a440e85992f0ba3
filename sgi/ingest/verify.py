"""Prove that a stored instance is what was written, header and frames: read it all again."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from dicom.frame_index import FrameIndex
from sgi.errors import VerificationError
from sgi.stored import StoredObject
from storage.store import ObjectStore

_PIECE_BYTES = 16 << 20
_HASH_BYTES = 32


def verify_instance(
    store: ObjectStore,
    key: str,
    size_bytes: int,
    sha256: str,
    frame_hashes: bytes,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Read an instance from the store once, and compare its hash and that of every frame.

    The frames are found as the tile server finds them. `sha256` is of the whole object, in
    hexadecimal; `frame_hashes` is 32 bytes a frame; `progress` hears how many bytes were just
    compared. Raises VerificationError, or the store's and DICOM's errors as they are.
    """
    if store.size(key) != size_bytes:
        raise VerificationError("The stored object has another size than was written.")
    index = FrameIndex.read(StoredObject(store, key, size_bytes))
    if len(frame_hashes) != len(index.offsets) * _HASH_BYTES:
        raise VerificationError("The stored instance has another number of frames.")
    frames = _Frames(index, frame_hashes)
    whole = hashlib.sha256()
    start = 0
    for data in _pieces(store, key, size_bytes):
        frames.compare(start, data)
        whole.update(data)
        start += len(data)
        progress(len(data))
    if not frames.all_compared or whole.hexdigest() != sha256:
        raise VerificationError("The stored object is not what was written.")


def _pieces(store: ObjectStore, key: str, size_bytes: int) -> Iterator[memoryview]:
    """The whole object in order; the next piece is on its way while one is worked on."""
    starts = range(0, size_bytes, _PIECE_BYTES)

    def read(start: int) -> bytes:
        return store.read_range(key, start, min(_PIECE_BYTES, size_bytes - start))

    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(read, 0)
        for following in starts[1:]:
            data = coming.result()
            coming = reader.submit(read, following)
            yield memoryview(data)
        yield memoryview(coming.result())


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
