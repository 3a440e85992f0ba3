"""Bytes read from their beginning to their end, in large pieces, and never more than were asked."""

import hashlib
import zlib
from collections.abc import Iterator
from typing import IO

from dicom.errors import DamagedInstanceError
from dicom.ports import ByteSource

PIECE_BYTES = 1 << 20
DAMAGED = "The packed instance is damaged; repair it from a copy."


def read_exactly(source: ByteSource, offset: int, length: int) -> bytes:
    data = source.read(offset, length)
    if len(data) != length:
        raise DamagedInstanceError(DAMAGED)
    return data


def read_pieces(source: ByteSource, offset: int, length: int) -> Iterator[bytes]:
    for start in range(0, length, PIECE_BYTES):
        yield read_exactly(source, offset + start, min(PIECE_BYTES, length - start))


class Forward:
    """A part of a source, read from its beginning to its end in large pieces, and hashed."""

    def __init__(self, source: ByteSource, offset: int, length: int) -> None:
        self._pieces = read_pieces(source, offset, length)
        self._held = bytearray()
        self._hash = hashlib.sha256()
        self.left = length

    def take(self, length: int) -> bytes:
        """The next `length` bytes."""
        if length > self.left:
            raise DamagedInstanceError(DAMAGED)
        while len(self._held) < length:
            piece = next(self._pieces)
            self._hash.update(piece)
            self._held += piece
        data = bytes(self._held[:length])
        del self._held[:length]
        self.left -= length
        return data

    def digest(self) -> bytes:
        """SHA-256 of what was taken; of all of it, once nothing is left."""
        return self._hash.digest()


class Deflating:
    """Compresses into a file what is copied from elsewhere."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._deflate = zlib.compressobj()

    def copy(self, source: Forward, length: int) -> None:
        while length > 0:
            piece = source.take(min(length, PIECE_BYTES))
            self._file.write(self._deflate.compress(piece))
            length -= len(piece)

    def finish(self) -> int:
        """End the stream and go back to the file's beginning; returns its length."""
        self._file.write(self._deflate.flush())
        length = self._file.tell()
        self._file.seek(0)
        return length


class Inflating:
    """Gives a zlib stream back, never more of it than was asked for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._inflate = zlib.decompressobj()

    def take(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes, in pieces."""
        while length > 0:
            packed = self._inflate.unconsumed_tail or next(self._pieces, b"")
            try:
                data = self._inflate.decompress(packed, min(length, PIECE_BYTES))
            except zlib.error as error:
                raise DamagedInstanceError(DAMAGED) from error
            if not data and (not packed or self._inflate.eof):
                raise DamagedInstanceError(DAMAGED)
            length -= len(data)
            yield data
