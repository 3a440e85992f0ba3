"""The tags of a VSI file: a tree of numbered fields behind the TIFF's first 8 bytes.

There is no public specification; the layout is as open readers found it. A volume is a header of
24 bytes and a chain of fields, which lie anywhere in the file: each says how far from the volume's
beginning the next one is. A field holds a value, or a volume of its own.
"""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.source import FileSource

MARK = b"\x18\0IS"
"""How the first volume begins: the length of its header, and what the format calls itself."""
FIRST_VOLUME = 8
MAX_FIELDS = 1 << 18
"""Of one file; a stack of 800 planes has 7000."""
_MAX_DEPTH = 32
_MAX_VALUE_BYTES = 1 << 16
"""Longer values are thumbnails and drawings, and are passed over."""

_VOLUME = struct.Struct("<4sIqII")
_FIELD = struct.Struct("<IiII")
_HAS_INDEX, _IS_VOLUME, _IS_INLINE = 0x08000000, 0x10000000, 0x40000000
_VOLUME_KINDS = {0, 1, 2}
_TEXTS = {13, 8192, 8194}
_NUMBERS = {
    1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "q", 8: "Q", 9: "f", 10: "d", 11: "d",
    12: "?", 14: "I", 17: "q", 18: "d", 269: "B", 270: "B", 271: "I", 272: "I", 273: "I",
    8195: "i", 8199: "i", 8200: "i", 8470: "i", 4104: "I",
    **dict.fromkeys((256, 257, 258, 259, 267, 274, 275, 276, 277), "i"),
    **dict.fromkeys((260, 261, 262, 263, 264, 265, 266, 268, 279, 280), "d"),
}  # fmt: skip
"""What the numbers of each type of value are, as `struct` names it."""

_UNIT, _MEASURED = 268435456, 268435458
"""The two tags of a quantity: its unit, such as "10^-6m^1", and its number."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: a value, or fields below it."""

    tag: int
    index: int | None = None
    """Which of several it is, where the file counts: the number of a stack, say."""
    value: str | tuple[float, ...] = ()
    fields: tuple["Field", ...] = ()

    def all(self, *tags: int) -> list["Field"]:
        """Every field at the end of a path of tags, from this one's fields downwards."""
        found = [self]
        for tag in tags:
            found = [child for field in found for child in field.fields if child.tag == tag]
        return found

    def first(self, *tags: int) -> "Field | None":
        return next(iter(self.all(*tags)), None)

    def text(self, *tags: int) -> str | None:
        """The first text at the end of a path that is not empty; None where there is none."""
        values = (field.value for field in self.all(*tags))
        return next((value for value in values if isinstance(value, str) and value), None)

    def numbers(self, *tags: int) -> tuple[float, ...]:
        """The first field's numbers; empty where there are none, or one is not finite."""
        field = self.first(*tags)
        value = field.value if field else ()
        return () if isinstance(value, str) or not all(map(math.isfinite, value)) else value

    def number(self, *tags: int) -> float | None:
        return next(iter(self.numbers(*tags)), None)

    def whole(self, *tags: int) -> int | None:
        """A number without its fraction."""
        number = self.number(*tags)
        return None if number is None else int(number)

    def measured(self, unit: str, *tags: int) -> float | None:
        """A quantity's number; None where it is in another unit than `unit`."""
        same = self.text(*tags, _UNIT) in (unit, None)
        return self.number(*tags, _MEASURED) if same else None


def read_tags(source: FileSource) -> Field:
    """The tree of a VSI, as the fields of a root that is not in the file.

    Raises DamagedSlideError where a field lies beyond the file's end, is met twice or is no
    field, SlideTooLargeError when there are absurdly many.
    """
    return Field(0, fields=tuple(_Reader(source).volume(FIRST_VOLUME, 0)))


class _Reader:
    def __init__(self, source: FileSource) -> None:
        self._source = source
        self._seen: set[int] = set()

    def volume(self, start: int, depth: int) -> Iterator[Field]:
        mark, _, first, flags, _ = _VOLUME.unpack(self._source.read(start, _VOLUME.size))
        if mark != MARK or depth > _MAX_DEPTH:
            raise DamagedSlideError(_CORRUPT)
        at = start + first
        for _ in range(flags & 0x0FFFFFFF):
            if at in self._seen:
                raise DamagedSlideError(_CORRUPT)
            self._seen.add(at)
            if len(self._seen) > MAX_FIELDS:
                raise SlideTooLargeError("The slide's index is absurdly long; it is refused.")
            field, step = self._field(at, depth)
            yield field
            if not step:
                return
            at = start + step

    def _field(self, at: int, depth: int) -> tuple[Field, int]:
        """The field at an offset, and how far from its volume's beginning the next one is."""
        flags, tag, step, length = _FIELD.unpack(self._source.read(at, _FIELD.size))
        at += _FIELD.size
        kind, index = flags & 0xFFFFFF, None
        if flags & _HAS_INDEX:
            index = int.from_bytes(self._source.read(at, 4), "little", signed=True)
            at += 4
        if flags & _IS_VOLUME:
            below = tuple(self.volume(at, depth + 1)) if kind in _VOLUME_KINDS else ()
            return Field(tag, index, fields=below), step
        if flags & _IS_INLINE:
            value = _parse(kind, length.to_bytes(4, "little"))
            return Field(tag, index, value[:1] if isinstance(value, tuple) else value), step
        # Some drawings claim to be longer than the file.
        if length > _MAX_VALUE_BYTES or at + length > self._source.size:
            return Field(tag, index), step
        return Field(tag, index, _parse(kind, self._source.read(at, length))), step


def _parse(kind: int, raw: bytes) -> str | tuple[float, ...]:
    if kind in _TEXTS:
        return raw.decode("utf-16-le", "replace").partition("\0")[0].strip()
    letter = _NUMBERS.get(kind)
    if letter is None:
        return ()
    size = struct.calcsize(letter)
    return struct.unpack(f"<{len(raw) // size}{letter}", raw[: len(raw) // size * size])


_CORRUPT = "The slide's index is corrupt; copy the whole slide again from the scanner."
