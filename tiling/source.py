"""A file read at given places by several threads at once."""

import os
import weakref
from pathlib import Path

from tiling.errors import DamagedSlideError, IncompleteSlideError

CUT_SHORT = "The file is cut short; copy it again from the scanner."
_AHEAD_BYTES = 1 << 18
"""Read at once where reads follow each other: tiles are some 12 kB and mostly lie in order."""
_GAP_BYTES = 1 << 12
"""Padding and small headers between two pieces that count as one after the other."""


class FileSource:
    """Reads by offset (POSIX pread): there is no position that two threads could quarrel over."""

    def __init__(self, path: Path) -> None:
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as error:
            raise IncompleteSlideError(
                "The slide file is not there; check that it was copied."
            ) from error
        self._finalizer = weakref.finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size
        """Length of the file in bytes, when it was opened."""
        self._ahead = (0, b"")
        """Where the bytes that were read ahead begin, and they themselves."""
        self._next = self.size
        """Where the last read ended; before the first, where none can follow."""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; raises DamagedSlideError where the file ends."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise DamagedSlideError(CUT_SHORT)
        follows = 0 <= offset - self._next <= _GAP_BYTES
        self._next = offset + length
        start, ahead = self._ahead  # one read, since other threads replace it
        if start <= offset and offset + length <= start + len(ahead):
            return ahead[offset - start : offset - start + length]
        if not follows or length >= _AHEAD_BYTES:
            return self._read(offset, length)
        ahead = self._read(offset, min(_AHEAD_BYTES, self.size - offset))
        self._ahead = offset, ahead
        return ahead[:length]

    def _read(self, offset: int, length: int) -> bytes:
        data = os.pread(self._descriptor, length, offset)
        # A read may come back short on network shares and beyond 2 GiB.
        while len(data) < length:
            more = os.pread(self._descriptor, length - len(data), offset + len(data))
            if not more:
                raise DamagedSlideError(CUT_SHORT)
            data += more
        return data

    def close(self) -> None:
        """Give the descriptor back, once no thread reads any more; twice is harmless."""
        self._descriptor = -1
        self._ahead = (0, b"")
        self._finalizer()
