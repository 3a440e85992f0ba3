"""The segments of a CZI file: where its directories lie, and bytes out of them.

A segment is an identifier of 16 bytes, its allocated and its used length (8 bytes each), and its
payload; every number is little-endian. A CZI may lie whole within another one, as an attachment:
its positions then count from its own beginning.
"""

import struct
from dataclasses import dataclass

from tiling.errors import DamagedSlideError, IncompleteSlideError, UnsupportedSlideError
from tiling.source import CUT_SHORT, FileSource

FILE = b"ZISRAWFILE"
DIRECTORY = b"ZISRAWDIRECTORY"
SUBBLOCK = b"ZISRAWSUBBLOCK"
METADATA = b"ZISRAWMETADATA"
ATTACHMENTS = b"ZISRAWATTDIR"
ATTACHMENT = b"ZISRAWATTACH"

HEADER_BYTES = 32
"""Of a segment, before its payload."""
_POSITIONS = struct.Struct("<iqqiq")
_POSITIONS_AT = 48
SPREAD = "The slide is spread over several files; export it as one."


@dataclass(frozen=True, slots=True)
class Positions:
    """Where the file header says that the directories lie; 0 where there is none."""

    subblocks: int
    metadata: int
    attachments: int


class Container:
    """One CZI within a file, read by several threads at once."""

    def __init__(self, source: FileSource, start: int = 0, size: int | None = None) -> None:
        self._source = source
        self._start = start
        self.size = source.size - start if size is None else size
        """Length in bytes."""
        if start < 0 or self.size < 0 or start + self.size > source.size:
            raise DamagedSlideError(CUT_SHORT)

    def read(self, position: int, length: int) -> bytes:
        """Bytes by their place in this CZI; raises DamagedSlideError where it ends."""
        if position < 0 or length < 0 or position + length > self.size:
            raise DamagedSlideError(CUT_SHORT)
        return self._source.read(self._start + position, length)

    def payload(self, position: int, name: bytes, length: int) -> bytes:
        """The first bytes of a segment's payload; raises DamagedSlideError for another segment."""
        raw = self.read(position, HEADER_BYTES + length)
        if raw[:16].rstrip(b"\0") != name:
            raise DamagedSlideError(
                "The file's directory points to the wrong place; copy it again from the scanner."
            )
        return raw[HEADER_BYTES:]

    def used_bytes(self, position: int) -> int:
        """How long a segment says that its payload is; never beyond the end of the CZI."""
        allocated, used = struct.unpack("<qq", self.read(position + 16, 16))
        return int(min(used or allocated, self.size - position - HEADER_BYTES))

    def within(self, position: int, length: int) -> "Container":
        """A CZI that lies in this one."""
        if position < 0 or length < 0 or position + length > self.size:
            raise DamagedSlideError(CUT_SHORT)
        return Container(self._source, self._start + position, length)

    def positions(self) -> Positions:
        """Read the file header.

        Raises UnsupportedSlideError for a part of a slide in several files, IncompleteSlideError
        for one that is still being written.
        """
        part, subblocks, metadata, unfinished, attachments = _POSITIONS.unpack_from(
            self.payload(0, FILE, _POSITIONS_AT + _POSITIONS.size), _POSITIONS_AT
        )
        if part:
            raise UnsupportedSlideError(SPREAD)
        if unfinished or not subblocks:
            raise IncompleteSlideError(
                "The scanner has not finished writing the file; copy it once it has."
            )
        return Positions(subblocks, metadata, attachments)
