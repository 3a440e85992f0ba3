"""A zip archive read at given places by several threads at once (PKWARE APPNOTE 6.3).

The standard library's reader takes as much memory as an archive's directory asks for, and reads
through a file to get to its middle; chunks and shards are looked up by name and read in part.
"""

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.source import FileSource

MAGIC = b"PK\x03\x04"

_MOST_DIRECTORY_BYTES = 1 << 25
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_IN_EXTRA = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 1
_ZIP_64_EXTRA = 1
_BROKEN = "The archive is damaged; copy the file again from where it was written."


@dataclass(frozen=True, slots=True)
class _File:
    length: int
    packed_length: int
    offset: int
    """Of its local header."""
    method: int


class Archive:
    """Files of an archive by name; raises DamagedSlideError when its directory is broken."""

    def __init__(self, path: Path) -> None:
        self._source = FileSource(path)
        self.bytes = self._source.size
        """Length of the archive."""
        try:
            self._files = dict(_entries(self._directory()))
        except BaseException:
            self._source.close()
            raise

    def names(self) -> list[str]:
        return list(self._files)

    def size(self, name: str) -> int | None:
        """Length of a file once unpacked; None when there is none of that name."""
        file = self._files.get(name)
        return None if file is None else file.length

    def read(self, name: str) -> bytes:
        """A whole file, which `size` has said is there and is short enough."""
        file = self._files[name]
        return self._unpack(file) if file.method == _DEFLATED else self._part(file, 0, file.length)

    def read_range(self, name: str, offset: int, length: int) -> bytes:
        """Part of a file that must be stored as it is."""
        file = self._files[name]
        if file.method != _STORED:
            raise UnsupportedSlideError(
                "The archive compresses shards again; pack the slide without compression."
            )
        return self._part(file, offset, length)

    def close(self) -> None:
        self._source.close()

    def _part(self, file: _File, offset: int, length: int) -> bytes:
        return self._source.read(self._data_offset(file) + offset, length)

    def _unpack(self, file: _File) -> bytes:
        packed = self._source.read(self._data_offset(file), file.packed_length)
        try:
            data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, file.length + 1)
        except zlib.error as error:
            raise DamagedSlideError(_BROKEN) from error
        if len(data) != file.length:
            raise DamagedSlideError(_BROKEN)
        return data

    def _data_offset(self, file: _File) -> int:
        header = _LOCAL.unpack(self._source.read(file.offset, _LOCAL.size))
        if header[0] != MAGIC:
            raise DamagedSlideError(_BROKEN)
        return file.offset + _LOCAL.size + int(header[-2]) + int(header[-1])

    def _directory(self) -> bytes:
        """The bytes of the central directory."""
        tail_bytes = min(self._source.size, _END.size + _LONGEST_COMMENT)
        tail_offset = self._source.size - tail_bytes
        tail = self._source.read(tail_offset, tail_bytes)
        at = tail.rfind(b"PK\x05\x06", 0, max(tail_bytes - _END.size + 4, 0))
        if at < 0:
            raise DamagedSlideError(_BROKEN)
        *_, length, offset, _comment = _END.unpack_from(tail, at)
        if _IN_EXTRA in (length, offset):
            length, offset = self._directory_64(tail_offset + at)
        if length > _MOST_DIRECTORY_BYTES:
            raise SlideTooLargeError(
                "The archive holds more files than any slide has; write the slide in shards."
            )
        return self._source.read(offset, length)

    def _directory_64(self, end: int) -> tuple[int, int]:
        """Length and offset of the directory of a large archive."""
        located = self._source.read(end - _LOCATOR_64.size, _LOCATOR_64.size)
        mark, _, at, _ = _LOCATOR_64.unpack(located)
        record = _END_64.unpack(self._source.read(at, _END_64.size))
        if mark != b"PK\x06\x07" or record[0] != b"PK\x06\x06":
            raise DamagedSlideError(_BROKEN)
        return int(record[-2]), int(record[-1])


def _entries(directory: bytes) -> list[tuple[str, _File]]:
    """Every file of the central directory; folders are passed over."""
    entries, at = [], 0
    while at < len(directory):
        if at + _ENTRY.size > len(directory):
            raise DamagedSlideError(_BROKEN)
        (mark, _, _, flags, method, _, _, _, packed_length, length, name_bytes, extra_bytes,
         comment_bytes, _, _, _, offset) = _ENTRY.unpack_from(directory, at)  # fmt: skip
        if mark != b"PK\x01\x02":
            raise DamagedSlideError(_BROKEN)
        at += _ENTRY.size
        name = directory[at : at + name_bytes].decode("utf-8", "replace")
        extra = directory[at + name_bytes : at + name_bytes + extra_bytes]
        at += name_bytes + extra_bytes + comment_bytes
        if name.endswith("/"):
            continue
        if flags & _ENCRYPTED or method not in (_STORED, _DEFLATED):
            raise UnsupportedSlideError(
                "The archive is encrypted, or compressed in a rare way; pack the slide again."
            )
        numbers = _with_extra([length, packed_length, offset], extra)
        if method == _STORED and numbers[0] != numbers[1]:
            raise DamagedSlideError(_BROKEN)
        entries.append((name, _File(numbers[0], numbers[1], numbers[2], method)))
    return entries


def _with_extra(numbers: list[int], extra: bytes) -> list[int]:
    """The numbers, those of them that take 64 bits out of the extra field."""
    if _IN_EXTRA not in numbers:
        return numbers
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<2H", extra)
        field, extra = extra[4 : 4 + length], extra[4 + length :]
        if kind == _ZIP_64_EXTRA:
            large = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            numbers = [next(large, n) if n == _IN_EXTRA else n for n in numbers]
    return numbers
