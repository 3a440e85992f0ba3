"""A sink that hashes what passes through it, beside the writing instead of before it."""

from hashlib import sha256
from types import TracebackType
from typing import Self

from dicom.behind import Behind
from dicom.ports import ByteSink

_CHUNK_BYTES = 1 << 20
"""Small writes are gathered to this: a frame is some 15 kB, and sinks like long writes."""


class HashingSink:
    """Gathers writes into chunks, hands each to the sink, and hashes it meanwhile.

    The whole object's SHA-256 costs a second pass over bytes that are already hashed frame by
    frame. hashlib gives up the interpreter lock, so that pass runs on a thread of its own, never
    more than one chunk behind. Leaving the context flushes, unless by an exception.
    """

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._hash = sha256()
        self._hashing = Behind(self._hash.update)
        self._pieces: list[bytes] = []
        self._gathered_bytes = 0
        self.size_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._hashing:
            if kind is None:
                self._flush()

    def write(self, data: bytes) -> None:
        self._pieces.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes >= _CHUNK_BYTES:
            self._flush()

    def hexdigest(self) -> str:
        """SHA-256 of everything written; only after the context was left."""
        return self._hash.hexdigest()

    def _flush(self) -> None:
        chunk = b"".join(self._pieces)
        self._pieces.clear()
        self._gathered_bytes = 0
        self._hashing.write(chunk)
        self._sink.write(chunk)
        self.size_bytes += len(chunk)
