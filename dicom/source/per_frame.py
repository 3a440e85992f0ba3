"""Where every frame says that it lies: the Per-Frame Functional Groups of a sparse image.

Plane Position (Slide) and Optical Path Identification (PS3.3 C.8.12.6), and nothing else of them:
a slide may have a million frames, and its groups hundreds of megabytes.
"""

import re
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dicom.elements import SEQUENCE_END, UNDEFINED_LENGTH, Element
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.ports import ByteSource
from dicom.source.items import walk_item

_BLOCK_BYTES = 1 << 20
_LONGEST_ITEM = 1 << 16
_MOST_BYTES = 1 << 30
_MOST_PATHS = 1024
_MOST_LAYOUTS = 16
_LONGEST_LAYOUT = 4096
MOST_FRAMES = 1 << 21

_COLUMN, _ROW, _Z = 0x0048021E, 0x0048021F, 0x0040074A
_PATH = 0x00480106
_WANTED = frozenset((_COLUMN, _ROW, _Z, _PATH))
_HIGHEST_UM = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class FramePositions:
    """One number a frame, shape `(frames,)`."""

    columns: NDArray[np.int64]
    """Of the frame's upper left pixel in the total pixel matrix, from 1 as the file has it."""
    rows: NDArray[np.int64]
    heights_um: NDArray[np.float64]
    """Z Offset in Slide Coordinate System; NaN where the frame names none."""
    paths: NDArray[np.int64]
    """Index into `path_identifiers`; -1 where the frame names none."""
    path_identifiers: tuple[str, ...]


def read_positions(
    source: ByteSource, groups: Element, frames: int, *, explicit: bool
) -> FramePositions:
    """Parse the sequence of `frames` items in one pass, holding a megabyte of it at a time.

    Raises DamagedInstanceError where an item is missing or says no position, and
    UnsupportedInstanceError for more of them than any slide has.
    """
    if frames > MOST_FRAMES:
        raise UnsupportedInstanceError(f"{frames} frames with positions are more than are read.")
    columns, rows, paths, heights = array("q"), array("q"), array("q"), array("d")
    known: dict[str, int] = {}
    reader = _ItemReader(source, groups, explicit=explicit)
    for _ in range(frames):
        found = reader.next()
        columns.append(_integer(found, _COLUMN))
        rows.append(_integer(found, _ROW))
        heights.append(_height(found.get(_Z, b"")))
        identifier = _text(found.get(_PATH, b""))
        paths.append(known.setdefault(identifier, len(known)) if identifier else -1)
        if len(known) > _MOST_PATHS:
            raise UnsupportedInstanceError(f"The image has more than {_MOST_PATHS} optical paths.")
    return FramePositions(
        np.frombuffer(columns, np.int64),
        np.frombuffer(rows, np.int64),
        np.frombuffer(heights, np.float64),
        np.frombuffer(paths, np.int64),
        tuple(known),
    )


@dataclass(frozen=True, slots=True)
class _Layout:
    """An item's bytes but for its values: most items of a sequence differ in these alone.

    All that tells where values lie is compared as it is, so that a match can be relied on; and it
    takes a tenth of the time of walking the item.
    """

    pattern: re.Pattern[bytes]
    tags: tuple[int, ...]
    """Of the values that the pattern captures."""

    @classmethod
    def of(
        cls, block: bytes, start: int, stop: int, values: list[tuple[int, int, int]]
    ) -> "_Layout":
        parts: list[bytes] = []
        tags: list[int] = []
        for tag, begin, end in values:
            wanted = tag in _WANTED and tag not in tags
            parts.append(re.escape(block[start:begin]))
            parts.append((b"(.{%d})" if wanted else b".{%d}") % (end - begin))
            tags += [tag] if wanted else []
            start = end
        parts.append(re.escape(block[start:stop]))
        return cls(re.compile(b"".join(parts), re.DOTALL), tuple(tags))


class _ItemReader:
    """Gives what is wanted of one item after the other."""

    def __init__(self, source: ByteSource, sequence: Element, *, explicit: bool) -> None:
        self._source = source
        self._explicit = explicit and sequence.representation != b"UN"
        self._next = sequence.offset
        defined = sequence.length != UNDEFINED_LENGTH
        self._end = sequence.offset + (sequence.length if defined else _MOST_BYTES)
        if defined and sequence.length > _MOST_BYTES:
            raise UnsupportedInstanceError("The positions of the frames take too many bytes.")
        self._block = b""
        self._at = 0
        self._layouts: list[_Layout] = []

    def next(self) -> dict[int, bytes]:
        if len(self._block) - self._at < _LONGEST_ITEM:
            self._refill()
        block, at = self._block, self._at
        if at >= len(block) or block[at : at + 4] == _SEQUENCE_END_BYTES:
            raise DamagedInstanceError("Some frames have no position.")
        for layout in self._layouts:
            match = layout.pattern.match(block, at)
            if match is not None:
                self._at = match.end()
                return dict(zip(layout.tags, match.groups(), strict=True))
        values: list[tuple[int, int, int]] = []

        def visit(tag: int, begin: int, end: int) -> None:
            values.append((tag, begin, end))

        self._at = walk_item(block, at, explicit=self._explicit, visit=visit)
        if len(self._layouts) < _MOST_LAYOUTS and self._at - at <= _LONGEST_LAYOUT:
            self._layouts.append(_Layout.of(block, at, self._at, values))
        found: dict[int, bytes] = {}
        for tag, begin, end in values:
            if tag in _WANTED:
                found.setdefault(tag, block[begin:end])
        return found

    def _refill(self) -> None:
        self._next += self._at
        length = max(0, min(_BLOCK_BYTES, self._end - self._next))
        self._block, self._at = self._source.read(self._next, length), 0


_SEQUENCE_END_BYTES = (SEQUENCE_END >> 16).to_bytes(2, "little") + (SEQUENCE_END & 0xFFFF).to_bytes(
    2, "little"
)


def _integer(found: dict[int, bytes], tag: int) -> int:
    value = found.get(tag, b"")
    if len(value) != 4:
        raise DamagedInstanceError("A frame does not say where it lies.")
    return int.from_bytes(value, "little", signed=True)


def _height(value: bytes) -> float:
    if not value.strip(b" \0"):
        return float("nan")
    try:
        height = float(value)
    except ValueError as error:
        raise DamagedInstanceError("A frame's height is not a number.") from error
    if not abs(height) <= _HIGHEST_UM:
        raise DamagedInstanceError("A frame lies impossibly high.")
    return height


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip(" \0")
