"""The directories of an NDPI file: classic TIFF with 64-bit offsets squeezed in.

Hamamatsu writes TIFF 6.0, little-endian, with three changes: the first directory's offset and the
link to the next one have 8 bytes, and after that link come 4 bytes for each entry, the upper half
of its value or offset. A file below 4 GiB is therefore an ordinary TIFF as well. `tiling.tiff`
knows nothing of this, so the walk is done anew here, with the same distrust.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.limits import Limits
from tiling.source import CUT_SHORT, FileSource

NDPI_MARK = 65420
"""The tag that is in every directory of an NDPI, and in no other TIFF."""

_NUMPY_TYPES = {
    1: "<u1", 3: "<u2", 4: "<u4", 6: "<i1", 8: "<i2", 9: "<i4", 11: "<f4", 12: "<f8", 13: "<u4",
}  # fmt: skip
_TYPE_BYTES = {2: 1, 5: 8, 7: 1, 10: 8} | {
    kind: np.dtype(name).itemsize for kind, name in _NUMPY_TYPES.items()
}
_MOST_ENTRIES = 4096
_4_GIB = 1 << 32


def may_be_ndpi(head: bytes) -> bool:
    """Whether a file beginning with `head` has the byte order and version of every NDPI."""
    return head[:4] == b"II*\0" and len(head) >= 12


def first_offset(head: bytes) -> int:
    """Where the first directory of an NDPI lies, by the file's head, read as 64 bits."""
    return int.from_bytes(head[4:12], "little")


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of a directory: where its values lie, and their upper half when that is inline."""

    type: int
    count: int
    offset: int
    upper: int
    """The upper 32 bits of a lone inline integer; 0 otherwise."""

    @property
    def length(self) -> int:
        """Bytes of all values."""
        return self.count * _TYPE_BYTES[self.type]


class NdpiDirectory:
    """The fields of one image."""

    def __init__(self, source: FileSource, fields: Mapping[int, Field], limits: Limits) -> None:
        self._source = source
        self._fields = fields
        self._limits = limits

    def __contains__(self, tag: int) -> bool:
        return tag in self._fields

    @property
    def tags(self) -> Iterator[int]:
        """Every tag, in the file's order."""
        return iter(self._fields)

    def count(self, tag: int) -> int:
        """How many values a field has; 0 when it is absent."""
        return self._fields[tag].count if tag in self._fields else 0

    def integers(self, tag: int) -> NDArray[np.int64]:
        """The integers of a field, shape `(count,)`; empty when it is absent."""
        values = self._values(tag)
        if values.dtype.kind == "f":
            raise DamagedSlideError(_IMPOSSIBLE_TYPE)
        integers = values.astype(np.int64)
        if values.size == 1:
            integers += self._fields[tag].upper << 32
        return integers

    def integer(self, tag: int, default: int = 0) -> int:
        """The first integer of a field, or `default` when it is absent."""
        values = self.integers(tag)
        return int(values[0]) if values.size else default

    def number(self, tag: int) -> float | None:
        """The first number of a field, whole, floating or a ratio; None when there is none."""
        field = self._fields.get(tag)
        if field is not None and field.type in (5, 10) and field.count:
            raw = self._source.read(field.offset, 8)
            above, below = np.frombuffer(raw, "<u4" if field.type == 5 else "<i4")
            return float(above) / float(below) if below else None
        values = self._values(tag)
        return float(values[0]) if values.size else None

    def text(self, tag: int) -> str:
        """A text field up to its first NUL; empty when it is absent."""
        field = self._fields.get(tag)
        if field is None:
            return ""
        if field.length > self._limits.text_bytes:
            raise SlideTooLargeError("The file holds an absurdly long text; it is refused.")
        raw = self._source.read(field.offset, field.length).partition(b"\0")[0]
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("latin-1")

    def is_text(self, tag: int) -> bool:
        """Whether a field that is there holds characters."""
        return self._fields[tag].type in (2, 7)

    def as_words(self, tag: int) -> str:
        """A field as a person would read it: its text, or its numbers with spaces between."""
        if self.is_text(tag):
            return self.text(tag).strip()
        if self._fields[tag].type in (5, 10):
            return f"{self.number(tag) or 0:g}"
        values = self._values(tag)
        whole = self.integers(tag) if values.dtype.kind != "f" else values
        return " ".join(f"{value:.15g}" for value in whole.tolist())

    def _values(self, tag: int) -> NDArray[np.generic]:
        field = self._fields.get(tag)
        if field is None:
            return np.zeros(0, np.int64)
        if field.type not in _NUMPY_TYPES:
            raise DamagedSlideError(_IMPOSSIBLE_TYPE)
        if field.count > self._limits.level_tiles:
            raise SlideTooLargeError("The file announces more tiles than any slide; it is refused.")
        raw = self._source.read(field.offset, field.length)
        return np.frombuffer(raw, _NUMPY_TYPES[field.type])


def iter_directories(source: FileSource, limits: Limits) -> Iterator[NdpiDirectory]:
    """Each directory in the file's order.

    Raises DamagedSlideError where the chain leaves the file or returns to itself, and
    SlideTooLargeError beyond `Limits.directories`.
    """
    # Below 4 GiB the upper halves are not needed, and old files hold something else there.
    large = source.size >= _4_GIB
    offset = first_offset(source.read(0, 12))
    seen: set[int] = set()
    while offset:
        offset = offset if large else offset % _4_GIB
        if offset in seen:
            raise DamagedSlideError(
                "The file's directory leads back to itself; copy it again from the scanner."
            )
        seen.add(offset)
        if len(seen) > limits.directories:
            raise SlideTooLargeError("The file holds more images than any slide; it is refused.")
        fields, offset = _read_directory(source, offset, large=large)
        yield NdpiDirectory(source, fields, limits)


def _read_directory(
    source: FileSource, offset: int, *, large: bool
) -> tuple[dict[int, Field], int]:
    """The fields of the directory at an offset, and the offset of the next one (0 for none)."""
    count = int.from_bytes(source.read(offset, 2), "little")
    if count > _MOST_ENTRIES:
        raise DamagedSlideError("The file's directory is corrupt; copy it again.")
    start = offset + 2
    end = start + 12 * count
    raw = source.read(start, 12 * count)
    uppers = source.read(end + 8, 4 * count) if large else bytes(4 * count)
    # The last directory of a file below 4 GiB may end with a link of 4 bytes.
    link = source.read(end, 8 if source.size - end >= 8 else 4)
    fields: dict[int, Field] = {}
    for number in range(count):
        entry = raw[12 * number : 12 * number + 12]
        tag, kind = (int.from_bytes(entry[at : at + 2], "little") for at in (0, 2))
        values, low = (int.from_bytes(entry[at : at + 4], "little") for at in (4, 8))
        if kind not in _TYPE_BYTES:
            continue  # the specification tells readers to pass over types they do not know
        upper = int.from_bytes(uppers[4 * number : 4 * number + 4], "little")
        length = values * _TYPE_BYTES[kind]
        inline = length <= 4
        place = start + 12 * number + 8 if inline else low | upper << 32
        if place + length > source.size:
            raise DamagedSlideError(CUT_SHORT)
        lone = inline and values == 1 and kind in (4, 13)
        if lone and upper >= 1 << 30:
            raise DamagedSlideError("A field of the file is impossibly large; copy it again.")
        fields[tag] = Field(kind, values, place, upper if lone else 0)
    return fields, int.from_bytes(link, "little")


_IMPOSSIBLE_TYPE = "A field of the file has an impossible type; copy it again from the scanner."
