"""A stored instance cut into pieces that are read, proved and sent one after the other."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from dicom.errors import DamagedInstanceError
from dicom.frame_index import FrameIndex

PIECE_BYTES = 4 << 20
_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """A span of the object, and the frames that lie in it whole."""

    offset: int
    length: int
    first_frame: int
    end_frame: int


def pieces_of(index: FrameIndex, size_bytes: int, most_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """Spans that make up the whole object, none longer than `most_bytes`.

    A frame lies whole in one of them, unless it is longer itself.
    """
    frames = len(index.offsets)
    frame = position = 0
    while position < size_bytes:
        first, end = frame, min(position + most_bytes, size_bytes)
        while frame < frames and sum(index.offset(frame)) <= end:
            frame += 1
        if frame < frames and position < index.offset(frame)[0] < end:
            end = index.offset(frame)[0]  # else that frame would be cut
        yield Piece(position, end - position, first, frame)
        position = end
        # A frame longer than a piece is proved by the whole object's hash alone.
        while frame < frames and index.offset(frame)[0] < position:
            frame += 1


class Proof:
    """Compares what is read of an instance with what was written, frame by frame and as a whole."""

    def __init__(self, index: FrameIndex, hashes: bytes, sha256: str) -> None:
        self._index = index
        self._hashes = hashes
        self._sha256 = sha256
        self._whole = hashlib.sha256()

    def add(self, piece: Piece, data: bytes) -> None:
        """The next piece; raises DamagedInstanceError where a frame in it is another."""
        if len(data) != piece.length:
            raise DamagedInstanceError("The object ends before its last frame; it was cut short.")
        self._whole.update(data)
        view = memoryview(data)
        for frame in range(piece.first_frame, piece.end_frame):
            offset, length = self._index.offset(frame)
            start, at = offset - piece.offset, frame * _HASH_BYTES
            found = hashlib.sha256(view[start : start + length]).digest()
            if found != self._hashes[at : at + _HASH_BYTES]:
                raise DamagedInstanceError("A stored frame is not what was written.")

    def finish(self) -> None:
        """After the last piece, before it is handed on."""
        if self._whole.hexdigest() != self._sha256:
            raise DamagedInstanceError("The stored object is not what was written.")
