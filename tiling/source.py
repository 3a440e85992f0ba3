"""A file read at given places by several threads at once."""

import os
import weakref
from pathlib import Path

from tiling.errors import DamagedSlideError, IncompleteSlideError

CUT_SHORT = "The file is cut short; copy it again from the scanner."


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

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; raises DamagedSlideError where the file ends."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise DamagedSlideError(CUT_SHORT)
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
        self._finalizer()
