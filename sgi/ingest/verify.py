"""Prove that a stored instance gives back every frame that was written: read it all again."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from dicom.frame_index import FrameIndex
from sgi.errors import VerificationError
from sgi.stored import StoredObject
from storage.store import ObjectStore

_BATCH_BYTES = 16 << 20
_HASH_BYTES = 32


def verify_instance(
    store: ObjectStore,
    key: str,
    size_bytes: int,
    frame_hashes: bytes,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Read an instance from the store as the tile server would, and compare every frame's hash.

    `frame_hashes` is 32 bytes a frame; `progress` hears how many bytes were just compared.
    Raises VerificationError, or the store's and DICOM's errors as they are.
    """
    if store.size(key) != size_bytes:
        raise VerificationError("The stored object has another size than was written.")
    index = FrameIndex.read(StoredObject(store, key, size_bytes))
    frames = len(index.offsets)
    if len(frame_hashes) != frames * _HASH_BYTES:
        raise VerificationError("The stored instance has another number of frames.")
    batches = list(_batches(index))
    # The next batch is on its way from the store while this one is hashed.
    with ThreadPoolExecutor(max_workers=1) as reader:
        coming = reader.submit(_read_batch, store, key, index, batches[0])
        for number, batch in enumerate(batches):
            data = memoryview(coming.result())
            if number + 1 < len(batches):
                coming = reader.submit(_read_batch, store, key, index, batches[number + 1])
            _compare(data, index, batch, frame_hashes)
            progress(len(data))


def _read_batch(store: ObjectStore, key: str, index: FrameIndex, batch: range) -> bytes:
    start = int(index.offsets[batch.start])
    end = int(index.offsets[batch.stop - 1] + index.lengths[batch.stop - 1])
    return store.read_range(key, start, end - start)


def _compare(data: memoryview, index: FrameIndex, batch: range, frame_hashes: bytes) -> None:
    start = int(index.offsets[batch.start])
    for frame_index in batch:
        offset, length = index.offset(frame_index)
        digest = hashlib.sha256(data[offset - start : offset - start + length]).digest()
        at = frame_index * _HASH_BYTES
        if digest != frame_hashes[at : at + _HASH_BYTES]:
            raise VerificationError("A stored frame is not what was written.")


def _batches(index: FrameIndex) -> Iterator[range]:
    """Runs of frames that are each read in one range."""
    first = 0
    while first < len(index.offsets):
        last = _end_of_batch(index, first)
        yield range(first, last)
        first = last


def _end_of_batch(index: FrameIndex, first: int) -> int:
    """One past the last frame of a run that is read in one range; at least one frame."""
    reach = int(index.offsets[first]) + _BATCH_BYTES
    last = int(index.offsets.searchsorted(reach))
    return max(last, first + 1)
