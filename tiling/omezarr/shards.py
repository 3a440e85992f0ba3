"""Several chunks in one object, with an index at its end (Zarr 3, codec `sharding_indexed` 1.0)."""

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError
from tiling.omezarr.crc32c import crc32c
from tiling.omezarr.documents import LITTLE_ENDIAN, Document

ABSENT = (1 << 64) - 1
"""Offset and length of a chunk that is not there."""
SEAL_BYTES = 4
_ENTRY = np.dtype("<u8")
_DAMAGED = "The index of a shard is damaged; copy the slide again from where it was written."


def sharding_codec(chunk_shape: list[int], codecs: list[Document]) -> Document:
    """The codec of a shard whose chunks have that shape and those codecs of their own."""
    return {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": chunk_shape,
            "codecs": codecs,
            "index_codecs": [LITTLE_ENDIAN, {"name": "crc32c"}],
            "index_location": "end",
        },
    }


def build_shard(chunks: list[bytes | None]) -> bytes | None:
    """The object of these encoded chunks, in row-major order; None when it has none of them."""
    index = np.full((len(chunks), 2), ABSENT, _ENTRY)
    end = 0
    for number, chunk in enumerate(chunks):
        if chunk is not None:
            index[number] = end, len(chunk)
            end += len(chunk)
    if end == 0:
        return None
    entries = index.tobytes()
    seal = crc32c(entries).to_bytes(SEAL_BYTES, "little")
    return b"".join([*(chunk for chunk in chunks if chunk is not None), entries, seal])


def index_bytes(chunks: int, *, sealed: bool = True) -> int:
    """Length of the index of a shard with room for so many chunks."""
    return chunks * 2 * _ENTRY.itemsize + (SEAL_BYTES if sealed else 0)


def parse_index(data: bytes, *, sealed: bool = True) -> NDArray[np.uint64]:
    """Offset and length of each chunk, shape `(chunks, 2)`; `ABSENT` twice for none.

    Raises DamagedSlideError when the index and its seal differ.
    """
    if sealed:
        data, seal = data[:-SEAL_BYTES], data[-SEAL_BYTES:]
        if crc32c(data) != int.from_bytes(seal, "little"):
            raise DamagedSlideError(_DAMAGED)
    index: NDArray[np.uint64] = np.frombuffer(data, _ENTRY).astype(np.uint64).reshape(-1, 2)
    return index
