"""One of Hamamatsu's large JPEG images, read restart segment by restart segment."""

import threading
from collections.abc import Callable
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from tiling.codecs.flat import encode_flat_segment
from tiling.codecs.restarts import (
    RestartHeader,
    find_restarts,
    join_segments,
    parse_restart_header,
)
from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.formats.hamamatsu.recent import Recent
from tiling.geometry import Size, TileGrid
from tiling.source import CUT_SHORT, FileSource

_HEADER_BYTES = 1 << 18
"""Most that the header of a stream may take, in bytes; a profile in it is far smaller."""
_SCAN_BYTES = 1 << 24
"""How much is looked at in one go when restart markers are searched for."""
_TAIL_BYTES = 1 << 16
"""How far from the end of a stream its EOI is looked for."""
_BAND_BYTES = 1 << 24
"""Bands up to this length are read whole, since their tiles are asked for one after another."""
_CHECKED = 64
"""How many places of the file's own table are held against the stream."""

Table = Callable[[], NDArray[np.int64]]
"""Gives where the restart segments begin by the file's own account, from the stream's SOI."""


class StoredJpeg:
    """Where a JPEG stream lies in a file, and its header."""

    def __init__(self, source: FileSource, offset: int, length: int, recent: Recent) -> None:
        if offset + length > source.size:
            raise DamagedSlideError(CUT_SHORT)
        self.source = source
        self.offset = offset
        self.length = length
        self.recent = recent
        self.header: RestartHeader = parse_restart_header(
            source.read(offset, min(length, _HEADER_BYTES))
        )

    def check_length(self, limit: int) -> None:
        """Raise SlideTooLargeError beyond `limit` bytes."""
        if self.length > limit:
            raise SlideTooLargeError(
                "A compressed image is larger than its pixels would be; it is refused."
            )

    def read(self, limit: int) -> bytes:
        """The whole stream; raises SlideTooLargeError beyond `limit` bytes."""
        self.check_length(limit)
        return self.source.read(self.offset, self.length)


def is_segmented(header: RestartHeader, size: Size) -> bool:
    """Whether every row of MCUs of an image of that size is a whole number of restart segments."""
    if header.encoding is None or not header.interval:
        return False
    return -(-size.columns // header.mcu.columns) % header.interval == 0


class SegmentedJpeg:
    """An image for which `is_segmented` holds, cut into tiles that stand alone.

    A tile is a number of whole restart segments in each of its MCU rows. What lies beyond the
    image, right and below, are white segments. Safe for several threads.
    """

    def __init__(self, stream: StoredJpeg, size: Size, table: Table | None = None) -> None:
        header = stream.header
        self.size = size
        self.header = header
        self.segment = Size(header.interval * header.mcu.columns, header.mcu.rows)
        """Pixels of one restart segment."""
        self._stream = stream
        self._table = table
        self._across = -(-size.columns // self.segment.columns)
        self._down = -(-size.rows // self.segment.rows)
        self._lock = threading.Lock()
        self._header_of = lru_cache(maxsize=1)(header.for_size)

    @cached_property
    def blank(self) -> bytes | None:
        """A white segment with its marker; None where the stream's tables have no code for it."""
        data = encode_flat_segment(self.header.tables, self.header.frame, self.header.interval)
        return None if data is None else data + b"\xff\xd0"

    def tile_lengths(self, tile: Size) -> NDArray[np.int64]:
        """Bytes of each tile, shape `(tile rows, tile columns)`; `tile` is whole segments."""
        across, down = self._segments_of(tile)
        lengths = np.diff(self._bounds()).reshape(self._down, self._across)
        lengths = np.add.reduceat(lengths, np.arange(0, self._across, across), axis=1)
        lengths = np.add.reduceat(lengths, np.arange(0, self._down, down), axis=0)
        there = np.outer(
            np.minimum(down, self._down - np.arange(0, self._down, down)),
            np.minimum(across, self._across - np.arange(0, self._across, across)),
        )
        blanks = (across * down - there) * len(self.blank or b"")
        total: NDArray[np.int64] = lengths + blanks + len(self.header.tables)
        return total

    def tile(self, tile: Size, column: int, row: int) -> bytes:
        """The tile as a JPEG stream; raises IndexError outside the grid."""
        grid = TileGrid(self.size, tile)
        grid.frame_index(column, row)
        across, down = self._segments_of(tile)
        left, right = column * across, min((column + 1) * across, self._across)
        top, bottom = row * down, min((row + 1) * down, self._down)
        bounds = self._bounds()
        rows = np.arange(top, bottom) * self._across
        starts, ends = bounds[rows + left], bounds[rows + right]
        lengths = np.zeros((down, across), np.int64)
        blank = self.blank or b""
        lengths[:] = len(blank)
        lengths[: bottom - top, : right - left] = (
            bounds[rows[:, None] + np.arange(left + 1, right + 1)]
            - bounds[rows[:, None] + np.arange(left, right)]
        )
        beside = blank * (across - (right - left))
        pieces = self._pieces(
            starts, ends, int(bounds[top * self._across]), int(bounds[bottom * self._across])
        )
        data = beside.join(pieces) + beside + blank * (across * (down - (bottom - top)))
        return join_segments(self._header_of(tile), data, lengths.ravel())

    def _pieces(
        self, starts: NDArray[np.int64], ends: NDArray[np.int64], band: int, band_end: int
    ) -> list[bytes]:
        """The bytes of each MCU row of a tile whose MCU rows as a whole are `band:band_end`."""
        if band_end - band > _BAND_BYTES:
            return [
                self._read(start, end)
                for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
            ]
        key = (self._stream, band, band_end)
        whole = self._stream.recent.get(key, lambda: self._read(band, band_end))
        return [
            whole[start:end]
            for start, end in zip((starts - band).tolist(), (ends - band).tolist(), strict=True)
        ]

    def _read(self, start: int, end: int) -> bytes:
        return self._stream.source.read(self._stream.offset + start, end - start)

    def _segments_of(self, tile: Size) -> tuple[int, int]:
        """How many segments a tile has across and down."""
        if tile.columns % self.segment.columns or tile.rows % self.segment.rows:
            raise ValueError(f"tiles of {tile} are not whole segments of {self.segment}")
        return tile.columns // self.segment.columns, tile.rows // self.segment.rows

    def _bounds(self) -> NDArray[np.int64]:
        """Where each segment begins, from SOI, and where the last one ends, with its EOI.

        Found once: from the file's own table where it holds, else by a search through the stream.
        """
        with self._lock:
            return self._found_bounds

    @cached_property
    def _found_bounds(self) -> NDArray[np.int64]:
        segments = self._across * self._down
        starts = self._table() if self._table is not None else None
        if starts is None or not self._holds(starts, segments):
            starts = self._search(segments)
        return np.append(starts, self._end(int(starts[-1])))

    def _holds(self, starts: NDArray[np.int64], segments: int) -> bool:
        """Whether a table fits the stream: its order, and a sample of its restart markers."""
        if (
            starts.size != segments
            or starts[0] != self.header.length
            or starts[-1] >= self._stream.length
            or (np.diff(starts) < 3).any()
        ):
            return False
        sample = starts[1:][:: max(1, segments // _CHECKED)].tolist()
        markers = (self._read(start - 2, start) for start in sample)
        return all(marker[0] == 0xFF and marker[1] & 0xF8 == 0xD0 for marker in markers)

    def _search(self, segments: int) -> NDArray[np.int64]:
        """Read the whole stream for its restart markers; raises DamagedSlideError when they differ
        in number from what the size asks for.
        """
        found = [np.array([self.header.length], np.int64)]
        missing = segments - 1
        at = self.header.length
        while missing > 0 and at + 2 <= self._stream.length:
            # One byte of the next part is seen, since a marker may lie across the two.
            end = min(at + _SCAN_BYTES + 1, self._stream.length)
            places = find_restarts(self._read(at, end))
            found.append(at + 2 + places[:missing])
            missing -= places.size
            at = end - 1
        if missing:
            raise DamagedSlideError(
                "A compressed image has too few or too many parts for its size; "
                "copy the file again from the scanner."
            )
        return np.concatenate(found)

    def _end(self, last: int) -> int:
        """Where the stream ends, after its EOI; raises DamagedSlideError when it has none."""
        begin = max(last, self._stream.length - _TAIL_BYTES)
        place = self._read(begin, self._stream.length).rfind(b"\xff\xd9")
        if place < 0:
            raise DamagedSlideError(CUT_SHORT)
        return begin + place + 2
