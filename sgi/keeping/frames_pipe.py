"""What goes between us and the process that recompresses: batches of bytes, nothing to interpret.

A batch is a letter for what is to be done, the number of its members, the length of each (32 bits,
big-endian), and the members one after the other.
"""

import struct
from collections.abc import Callable, Sequence
from enum import Enum

_HEADER = struct.Struct(">cI")
MOST_MEMBERS = 1 << 20
MOST_BYTES = 64 << 20


class Work(Enum):
    """What is asked, and how it is answered."""

    RECOMPRESS = b"R"
    """JPEG frames; each is answered by fewer bytes, or none where it stays as it is."""
    GIVE_BACK = b"G"
    """Recompressed frames; each is answered by the JPEG frame, or nothing where it is damaged."""


def encode_batch(work: Work, members: Sequence[bytes]) -> bytes:
    """A batch as bytes."""
    lengths = struct.pack(f">{len(members)}I", *map(len, members))
    return b"".join((_HEADER.pack(work.value, len(members)), lengths, *members))


def read_batch(read: Callable[[int], bytes]) -> tuple[Work, list[bytes]] | None:
    """The next batch of a stream; None at its end.

    `read` gives so many bytes, fewer only at the end. Raises ValueError for what is no batch.
    """
    header = read(_HEADER.size)
    if not header:
        return None
    if len(header) != _HEADER.size:
        raise ValueError("the stream ends within a batch")
    letter, count = _HEADER.unpack(header)
    if count > MOST_MEMBERS:
        raise ValueError("the batch is too long")
    lengths = struct.unpack(f">{count}I", _exactly(read, 4 * count))
    if sum(lengths) > MOST_BYTES:
        raise ValueError("the batch is too long")
    return Work(letter), [_exactly(read, length) for length in lengths]


def _exactly(read: Callable[[int], bytes], length: int) -> bytes:
    data = read(length) if length else b""
    if len(data) != length:
        raise ValueError("the stream ends within a batch")
    return data
