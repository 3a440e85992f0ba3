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
    """The next bytes of the object; the parser gives them in the pieces in which they come."""
    END = b"E"
    """The object is whole; empty JSON."""
    HASHES = b"H"
    """What proves an instance that has ended: JSON `{"sop_uid", "size_bytes", "sha256"}`, a line's
    end, and the SHA-256 of every frame, 32 bytes each."""
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
    """Bytes in, messages out; raises ConversionCrashedError on anything that is no message.

    Whoever feeds it just the bytes that are `wanted` next has no byte of DATA copied.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._kind: Kind | None = None
        self._left = 0

    @property
    def wanted(self) -> int:
        """How many bytes end the header or the payload that has begun; never 0."""
        return self._left if self._kind else _HEADER.size - len(self._held)

    def feed(self, data: bytes) -> Iterator[tuple[Kind, bytes]]:
        """Yield every message that is whole once `data` has been added, and any part of DATA."""
        at = 0
        while at < len(data):
            piece = data[at : at + self.wanted]
            at += len(piece)
            yield from self._payload(self._kind, piece) if self._kind else self._header(piece)

    def _header(self, piece: bytes) -> Iterator[tuple[Kind, bytes]]:
        self._held += piece
        if len(self._held) < _HEADER.size:
            return
        letter, length = _HEADER.unpack(self._held)
        self._held.clear()
        try:
            kind = Kind(letter)
        except ValueError:
            raise ConversionCrashedError("The reader of the file sent nonsense.") from None
        if length > MAX_PAYLOAD:
            raise ConversionCrashedError("The reader of the file sent nonsense.")
        if length:
            self._kind, self._left = kind, length
        else:
            yield kind, b""

    def _payload(self, kind: Kind, piece: bytes) -> Iterator[tuple[Kind, bytes]]:
        self._left -= len(piece)
        if kind is not Kind.DATA:
            self._held += piece
        if not self._left:
            self._kind = None
        if kind is Kind.DATA:
            yield kind, piece
        elif not self._left:
            payload = bytes(self._held)
            self._held.clear()
            yield kind, payload
