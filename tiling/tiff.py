"""The directories of a TIFF file (TIFF 6.0 and BigTIFF), read without trusting a single number.

Only the skeleton is read here: every offset is checked against the file's length, a chain of
directories that turns back on itself is noticed, and nothing is allocated on a header's word.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.limits import Limits
from tiling.source import FileSource

NEW_SUBFILE_TYPE, IMAGE_WIDTH, IMAGE_LENGTH, BITS_PER_SAMPLE = 254, 256, 257, 258
COMPRESSION, PHOTOMETRIC, IMAGE_DESCRIPTION, MAKE, MODEL = 259, 262, 270, 271, 272
STRIP_OFFSETS, ORIENTATION, SAMPLES_PER_PIXEL, STRIP_BYTE_COUNTS = 273, 274, 277, 279
FILL_ORDER, ROWS_PER_STRIP, PREDICTOR, SAMPLE_FORMAT = 266, 278, 317, 339
X_RESOLUTION, Y_RESOLUTION, PLANAR_CONFIGURATION, RESOLUTION_UNIT = 282, 283, 284, 296
SOFTWARE, DATE_TIME = 305, 306
TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS, TILE_BYTE_COUNTS, SUB_IFDS = 322, 323, 324, 325, 330
JPEG_TABLES, XMP, IMAGE_DEPTH, ICC_PROFILE = 347, 700, 32997, 34675

_TYPE_BYTES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4,
    16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Bytes of one value of each field type (TIFF 6.0 section 2; 16 to 18 are BigTIFF's)."""
_FRACTIONS = {5: "u4", 11: "f4", 12: "f8"}
"""NumPy's name of what a fractional value is made of: a rational is two integers."""
_UNSIGNED = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""NumPy's name of the field types that hold unsigned integers."""


def is_tiff(head: bytes) -> bool:
    """Whether a file beginning with `head` is a TIFF or BigTIFF."""
    return head[:4] in {b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory: where its values lie in the file."""

    type: int
    count: int
    offset: int

    @property
    def length(self) -> int:
        """Bytes of all values."""
        return self.count * _TYPE_BYTES[self.type]


Directory = Mapping[int, Entry]
"""The fields of one image by their tag."""


class TiffFile:
    """The directories of an open TIFF file; raises DamagedSlideError when it is none."""

    def __init__(self, source: FileSource, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        head = source.read(0, min(16, source.size))
        if not is_tiff(head):
            raise DamagedSlideError("The file is not a TIFF; copy it again from the scanner.")
        self._order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
        self._big = 43 in head[2:4]

    @property
    def byte_order(self) -> Literal["<", ">"]:
        """NumPy's name for the order of the bytes in samples."""
        return "<" if self._order == "little" else ">"

    def directories(self) -> Iterator[Directory]:
        """Each directory of the main chain, in the file's order.

        Raises DamagedSlideError where the chain leaves the file or returns to itself, and
        SlideTooLargeError beyond `Limits.directories`.
        """
        word = 8 if self._big else 4
        offset = self._integer(8 if self._big else 4, word)
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise DamagedSlideError(
                    "The file's directory leads back to itself; copy it again from the scanner."
                )
            seen.add(offset)
            if len(seen) > self._limits.directories:
                raise SlideTooLargeError(
                    "The file holds more images than any slide; it is refused."
                )
            directory, offset = self._directory(offset)
            yield directory

    def sub_directories(self, directory: Directory) -> list[Directory]:
        """The directories that hang from this one (SubIFDs), in its order; they chain no further.

        Raises DamagedSlideError where one leaves the file, SlideTooLargeError beyond
        `Limits.directories`.
        """
        offsets = self.numbers(directory, SUB_IFDS)
        if offsets.size > self._limits.directories:
            raise SlideTooLargeError("The file holds more images than any slide; it is refused.")
        return [self._directory(int(offset))[0] for offset in offsets]

    def numbers(self, directory: Directory, tag: int) -> NDArray[np.int64]:
        """The unsigned integers of a field, shape `(count,)`; empty when it is absent."""
        entry = directory.get(tag)
        if entry is None:
            return np.zeros(0, np.int64)
        if entry.type not in _UNSIGNED:
            raise DamagedSlideError("A field of the file has an impossible type; copy it again.")
        if entry.count > self._limits.level_tiles:
            raise SlideTooLargeError("The file announces more tiles than any slide; it is refused.")
        order = self.byte_order
        raw = np.frombuffer(
            self._source.read(entry.offset, entry.length), order + _UNSIGNED[entry.type]
        )
        if entry.type in (16, 18) and raw.size and raw.max() >= 1 << 62:
            raise DamagedSlideError("A field of the file is impossibly large; copy it again.")
        return raw.astype(np.int64)

    def number(self, directory: Directory, tag: int, default: int = 0) -> int:
        """The first integer of a field, or `default` when it is absent."""
        values = self.numbers(directory, tag)
        return int(values[0]) if values.size else default

    def fraction(self, directory: Directory, tag: int) -> float | None:
        """The first value of a rational or floating-point field; None when absent or no number."""
        entry = directory.get(tag)
        if entry is None or not entry.count or entry.type not in _FRACTIONS:
            return None
        order = self.byte_order
        raw = self._source.read(entry.offset, _TYPE_BYTES[entry.type])
        values = np.frombuffer(raw, order + _FRACTIONS[entry.type]).tolist()
        if len(values) == 2 and not values[1]:
            return None
        number = float(values[0] / values[1] if len(values) == 2 else values[0])
        return number if math.isfinite(number) else None

    def blob(self, directory: Directory, tag: int) -> bytes | None:
        """The bytes of a field, or None; raises SlideTooLargeError beyond `Limits.text_bytes`."""
        entry = directory.get(tag)
        if entry is None:
            return None
        if entry.length > self._limits.text_bytes:
            raise SlideTooLargeError("The file holds an absurdly long text; it is refused.")
        return self._source.read(entry.offset, entry.length)

    def text(self, directory: Directory, tag: int) -> str:
        """A text field without its closing NULs; empty when it is absent."""
        blob = self.blob(directory, tag) or b""
        try:
            return blob.rstrip(b"\0").decode("utf-8")
        except UnicodeDecodeError:
            return blob.rstrip(b"\0").decode("latin-1")

    def _directory(self, offset: int) -> tuple[Directory, int]:
        """The directory at an offset, and the offset of the next one (0 for none)."""
        count_bytes, entry_bytes, word = (8, 20, 8) if self._big else (2, 12, 4)
        count = self._integer(offset, count_bytes)
        if count > 4096:
            raise DamagedSlideError("The file's directory is corrupt; copy it again.")
        start = offset + count_bytes
        raw = self._source.read(start, count * entry_bytes + word)
        entries: dict[int, Entry] = {}
        for at in range(0, count * entry_bytes, entry_bytes):
            tag, kind = (int.from_bytes(raw[at + k : at + k + 2], self._order) for k in (0, 2))
            if kind not in _TYPE_BYTES:
                continue  # the specification tells readers to pass over types they do not know
            values = int.from_bytes(raw[at + 4 : at + 4 + word], self._order)
            inline = start + at + 4 + word
            length = values * _TYPE_BYTES[kind]
            place = inline if length <= word else self._integer(inline, word)
            if place + length > self._source.size:
                raise DamagedSlideError(
                    "The file is cut short: a part of its directory lies beyond its end; "
                    "copy it again from the scanner."
                )
            entries[tag] = Entry(kind, values, place)
        return entries, int.from_bytes(raw[count * entry_bytes :], self._order)

    def _integer(self, offset: int, length: int) -> int:
        if offset + length > self._source.size:
            raise DamagedSlideError(
                "The file is cut short: its directory lies beyond its end; "
                "copy it again from the scanner."
            )
        return int.from_bytes(self._source.read(offset, length), self._order)
