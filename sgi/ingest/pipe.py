"""What a converting child tells its parent: framed messages on a pipe, pure bytes.

Each message is one letter for its kind, four bytes of length (big-endian), and the payload.
"""

import struct
from collections.abc import Iterator
from enum import Enum

from sgi.errors import ConversionCrashedError

_HEADER = struct.Struct(">cI")
MAX_PAYLOAD = 64 << 20
"""Largest payload taken, in bytes."""


class Kind(Enum):
    """What a message says."""

    BEGIN = b"B"
    """An object begins: JSON `{"sop_uid", "scene"}` for an instance, `{"zarr", "scene"}` for one
    of an OME-Zarr, by its key."""
    DATA = b"D"
    """The next bytes of the instance."""
    END = b"E"
    """The instance is whole; JSON `{"size_bytes", "sha256"}`."""
    HASHES = b"H"
    """SHA-256 of every frame of the instance that just ended, 32 bytes each."""
    PROGRESS = b"P"
    """JSON `{"progress"}`, 0 to 1."""
    RESULT = b"R"
    """The slide is whole; its manifest as JSON."""
    ERROR = b"X"
    """JSON `{"error", "message"}`: the class of the error and its sentence."""


def encode_header(kind: Kind, length: int) -> bytes:
    """The bytes that go before a payload of `length` bytes."""
    if length > MAX_PAYLOAD:
        raise ValueError(f"a message of {length} bytes is too long")
    return _HEADER.pack(kind.value, length)


class MessageParser:
    """Bytes in, messages out; raises ConversionCrashedError on anything that is no message."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Yield every message that is whole once `data` has been added."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _HEADER.size:
            letter, length = _HEADER.unpack_from(self._buffer, start)
            if length > MAX_PAYLOAD:
                raise ConversionCrashedError("The reader of the file sent nonsense.")
            end = start + _HEADER.size + length
            if len(self._buffer) < end:
                break
            try:
                kind = Kind(letter)
            except ValueError:
                raise ConversionCrashedError("The reader of the file sent nonsense.") from None
            with memoryview(self._buffer) as view:
                payload = bytes(view[start + _HEADER.size : end])
            yield kind, payload
            start = end
        del self._buffer[:start]
