"""The kinds of level that Hamamatsu's images make, by what their JPEG streams allow."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray

from tiling.blank import WHITE, whiten_beyond
from tiling.codecs import jpeg
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.hamamatsu.stream import SegmentedJpeg, StoredJpeg
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import Level, Pixels, TileEncoding
from tiling.source import CUT_SHORT

_SIDE = 512
"""Side of a tile as far as the restart segments leave the choice, in pixels."""
_WIDE = 1024
"""Tiles wider than this are half as high, so that they are not too many pixels at once."""
_WIDEST = 8192
"""Restart segments wider than this make no tile that a viewer could use."""
_WHOLE_PIXELS = 1 << 21
"""A level up to this size may be a single tile."""
_DECODED_PIXELS = 1 << 24
"""A level up to this size may be decoded as one, and kept a while: 50 MB."""
_TAIL_BYTES = 1 << 16
"""How far from the end of a small image its EOI is looked for."""


class StoredLevel(Protocol):
    """One level: its shape, and its tiles in both forms. Safe from several threads."""

    @property
    def level(self) -> Level: ...

    def lengths(self) -> NDArray[np.int64]:
        """Bytes of each encoded tile, shape `(tiles,)`; ValueError where there are none."""

    def encoded(self, column: int, row: int) -> bytes:
        """A tile as a JPEG stream; ValueError where there are none, IndexError outside."""

    def pixels(self, column: int, row: int) -> Pixels:
        """A whole tile, white beyond the image; IndexError outside the grid."""


class SegmentedLevel:
    """Tiles put together from restart segments, of one image or of several side by side."""

    def __init__(
        self, parts: Sequence[Sequence[SegmentedJpeg]], downsample: float, limits: Limits
    ) -> None:
        """`parts` are rows of images, of which those in one row or column agree in size.

        Raises UnsupportedSlideError when no tile divides them, or they differ in their coding.
        """
        first = parts[0][0]
        columns = [part.size.columns for part in parts[0]]
        rows = [row[0].size.rows for row in parts]
        encoding = _common_encoding(parts)
        tile_columns = _tile_side(first.segment.columns, columns, _SIDE)
        tile_rows = _tile_side(
            first.segment.rows, rows, _SIDE if tile_columns <= _WIDE else _SIDE // 2
        )
        size, tile = Size(sum(columns), sum(rows)), Size(tile_columns, tile_rows)
        limits.check_level(size, tile)
        self.level = Level(size, tile, downsample, encoding)
        self._parts = parts
        self._first_columns = _first_tiles(columns, tile.columns)
        self._first_rows = _first_tiles(rows, tile.rows)

    def lengths(self) -> NDArray[np.int64]:
        tile = self.level.tile
        parts = [[part.tile_lengths(tile) for part in row] for row in self._parts]
        return np.asarray(np.block(parts), np.int64).ravel()

    def encoded(self, column: int, row: int) -> bytes:
        self.level.grid.frame_index(column, row)
        across = bisect_right(self._first_columns, column) - 1
        down = bisect_right(self._first_rows, row) - 1
        return self._parts[down][across].tile(
            self.level.tile, column - self._first_columns[across], row - self._first_rows[down]
        )

    def pixels(self, column: int, row: int) -> Pixels:
        visible = self.level.grid.visible(column, row)
        return whiten_beyond(jpeg.decode(self.encoded(column, row)), visible)


def _common_encoding(parts: Sequence[Sequence[SegmentedJpeg]]) -> TileEncoding | None:
    first = parts[0][0]
    for row in parts:
        for part in row:
            same = part.segment == first.segment and part.header.encoding == first.header.encoding
            if not same or part.blank is None:
                raise UnsupportedSlideError(_UNUSUAL)
    return first.header.encoding


def _tile_side(segment: int, extents: Sequence[int], aim: int) -> int:
    """A multiple of `segment` that divides every extent but the last.

    From `aim` to twice as much, the one that reaches least beyond the last extent, since that is
    filled with blank segments; else the nearest to `aim`. Raises UnsupportedSlideError when there
    is none.
    """
    common = math.gcd(*extents[:-1])  # 0 for a lone image, which any tile suits
    most = min(max(1, 2 * aim // segment), -(-max(extents) // segment))
    sides = [segment * n for n in range(1, most + 1) if common % (segment * n) == 0]
    if not sides or segment > _WIDEST:
        raise UnsupportedSlideError(_UNUSUAL)
    last = -(-extents[-1] // segment) * segment
    return min(sides, key=lambda side: (side < aim, -last % side, abs(side - aim)))


def _first_tiles(extents: Sequence[int], side: int) -> list[int]:
    """The number of the first tile in each of several images in a row."""
    return list(accumulate((-(-extent // side) for extent in extents[:-1]), initial=0))


class WholeLevel:
    """A small image without usable restarts: handed on as the only tile of its level."""

    def __init__(self, stream: StoredJpeg, size: Size, downsample: float, limits: Limits) -> None:
        """Raise UnsupportedSlideError when the image is not one tile as it stands."""
        encoding = stream.header.encoding
        if encoding is None or stream.header.stated != size or size.area > _WHOLE_PIXELS:
            raise UnsupportedSlideError(_UNUSUAL)
        limits.check_level(size, size)
        self.level = Level(size, size, downsample, encoding)
        stream.check_length(_most_bytes(size))
        self._stream = stream
        self._length = _end(stream)

    def lengths(self) -> NDArray[np.int64]:
        return np.array([self._length], np.int64)

    def encoded(self, column: int, row: int) -> bytes:
        self.level.grid.frame_index(column, row)
        return self._stream.source.read(self._stream.offset, self._length)

    def pixels(self, column: int, row: int) -> Pixels:
        return jpeg.decode(self.encoded(column, row))


def _end(stream: StoredJpeg) -> int:
    """Where a stream ends after its EOI, from its SOI."""
    begin = max(stream.header.length, stream.length - _TAIL_BYTES)
    tail = stream.source.read(stream.offset + begin, stream.length - begin)
    place = tail.rfind(b"\xff\xd9")
    if place < 0:
        raise DamagedSlideError(CUT_SHORT)
    return begin + place + 2


class DecodedLevel:
    """An image that no tile can be taken from: decoded at the first read, and kept a while."""

    def __init__(self, stream: StoredJpeg, size: Size, downsample: float, limits: Limits) -> None:
        """Raise UnsupportedSlideError when the image is too large to be decoded as one."""
        if stream.header.stated != size or size.area > _DECODED_PIXELS:
            raise UnsupportedSlideError(_UNUSUAL)
        tile = Size(_SIDE, _SIDE)
        limits.check_level(size, tile)
        self.level = Level(size, tile, downsample)
        self._stream = stream

    def lengths(self) -> NDArray[np.int64]:
        self._refuse()

    def encoded(self, column: int, row: int) -> bytes:
        self.level.grid.frame_index(column, row)
        self._refuse()

    def pixels(self, column: int, row: int) -> Pixels:
        visible = self.level.grid.visible(column, row)
        whole = self._stream.recent.get((self._stream, "pixels"), self._decode)
        tile = np.full((_SIDE, _SIDE, 3), WHITE, np.uint8)
        top, left = row * _SIDE, column * _SIDE
        tile[: visible.rows, : visible.columns] = whole[
            top : top + visible.rows, left : left + visible.columns
        ]
        return tile

    def _decode(self) -> Pixels:
        return jpeg.decode(self._stream.read(_most_bytes(self.level.size)))

    def _refuse(self) -> NoReturn:
        raise ValueError("the level has no compressed tiles to hand on, only pixels")


def store_level(
    stream: StoredJpeg,
    segmented: SegmentedJpeg | None,
    size: Size,
    downsample: float,
    limits: Limits,
) -> StoredLevel:
    """The level that keeps most of what the scanner wrote.

    Raises UnsupportedSlideError when it is none of the three.
    """
    if segmented is not None:
        try:
            return SegmentedLevel([[segmented]], downsample, limits)
        except UnsupportedSlideError:
            pass
    try:
        return WholeLevel(stream, size, downsample, limits)
    except UnsupportedSlideError:
        return DecodedLevel(stream, size, downsample, limits)


def read_image(stream: StoredJpeg, size: Size) -> Pixels:
    """An image that is no level, decoded; raises DamagedSlideError when it is not of that size."""
    pixels = jpeg.decode(stream.read(_most_bytes(size)))
    if pixels.shape[:2] != (size.rows, size.columns):
        raise DamagedSlideError("An image of the slide differs from its header; copy it again.")
    return pixels


def _most_bytes(size: Size) -> int:
    """More than any JPEG of that size takes, headers and all."""
    return 6 * size.area + (1 << 20)


_UNUSUAL = (
    "The slide's images are divided in a way that cannot be read here; export it again as NDPI "
    "with 8-bit JPEG."
)
