"""Frames waiting on disk between being made and being written out."""

import os
import tempfile
import weakref
from array import array
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class Spool:
    """A nameless file of frames: it vanishes with this object, or with the process.

    One thread appends; any number may read once `finish` was called. A full disk raises OSError
    as it is.
    """

    def __init__(self, folder: Path) -> None:
        # Closed with this object: levels are handed around, and nobody owns the last one.
        self._file = tempfile.TemporaryFile(dir=folder, buffering=1 << 20)  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._offsets = array("q")
        self._lengths = array("q")
        self._end = 0
        self._stored: dict[bytes, int] = {}

    def append(self, frame: bytes, *, repeats: bool = False) -> None:
        """Add the next frame; one that `repeats`, such as blank glass, is stored only once."""
        offset = self._stored.get(frame) if repeats else None
        if offset is None:
            offset = self._end
            self._file.write(frame)
            self._end += len(frame)
        if repeats:
            self._stored[frame] = offset
        self._offsets.append(offset)
        self._lengths.append(len(frame))

    def finish(self) -> None:
        """Bring the last frames to the file; no frame may be added after this."""
        self._file.flush()

    @property
    def frames(self) -> int:
        """How many were appended."""
        return len(self._lengths)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each frame, shape `(frames,)`."""
        return np.array(self._lengths, np.int64)

    def read(self, frame_index: int) -> bytes:
        """The frame of that index, from 0; raises OSError when the disk does not give it back."""
        length, offset = self._lengths[frame_index], self._offsets[frame_index]
        frame = os.pread(self._file.fileno(), length, offset)
        if len(frame) != length:
            raise OSError("a spooled frame came back shorter than it was written")
        return frame
