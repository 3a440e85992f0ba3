"""The levels of a pyramid to be stored: the file's own, and those halved above its coarsest."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from tiling.blank import background_of, blank_tile
from tiling.downsample import halve
from tiling.geometry import Size, TileGrid
from tiling.omezarr.packing import Packing
from tiling.slide import Level, PixelFormat, Samples, SlideReader
from tiling.spool import Spool
from tiling.tile_order import TileOrder


class StoredLevel(Protocol):
    """A level on its way to the store; `make` and `tile` are safe from several threads at once."""

    @property
    def level(self) -> Level: ...

    def make(self, frame_index: int) -> Samples:
        """A whole tile `(rows, columns, samples)`, to be written."""

    def keep(self, frame_index: int, packed: bytes | None) -> None:
        """Told of each tile once it is packed; None for a blank one."""

    def finish(self) -> None:
        """Every tile is packed."""

    def tile(self, column: int, row: int, path: int, plane: int) -> Samples:
        """A tile again, for the next coarser level; only once all are packed."""


class FileLevel:
    """A level of the file, read again wherever its pixels are wanted again."""

    def __init__(self, reader: SlideReader, index: int) -> None:
        self.level = reader.levels[index]
        self._order = order_of(reader, self.level)
        self._reader = reader
        self._index = index

    def make(self, frame_index: int) -> Samples:
        return self.tile(*self._order.position(frame_index))

    def keep(self, frame_index: int, packed: bytes | None) -> None:
        """Nothing: the file has it."""

    def finish(self) -> None:
        """Nothing was begun."""

    def tile(self, column: int, row: int, path: int, plane: int) -> Samples:
        return self._reader.read_tile(self._index, column, row, path, plane)


class HalvedLevel:
    """A level that the file lacks, made from the next finer one; what is made waits packed."""

    def __init__(
        self, reader: SlideReader, finer: StoredLevel, packing: Packing, scratch: Path
    ) -> None:
        below = finer.level
        self.level = Level(below.size.halved(), below.tile, below.downsample * 2)
        self._order = order_of(reader, self.level)
        self._finer = finer
        self._packing = packing
        self._format = reader.pixel_format
        self._backgrounds = [background_of(self._format, path) for path in reader.optical_paths]
        self._spool = Spool(scratch)
        self._places = np.zeros(self._order.frames, np.int64)
        self._kept = 0

    def make(self, frame_index: int) -> Samples:
        column, row, path, plane = self._order.position(frame_index)

        def read(finer_column: int, finer_row: int) -> Samples:
            return self._finer.tile(finer_column, finer_row, path, plane)

        grid, background = self._finer.level.grid, self._backgrounds[path]
        return halve_tiles(grid, read, column, row, self._format, background)

    def keep(self, frame_index: int, packed: bytes | None) -> None:
        self._spool.append(packed or b"", repeats=packed is None)
        self._places[frame_index] = self._kept
        self._kept += 1

    def finish(self) -> None:
        self._spool.finish()

    def tile(self, column: int, row: int, path: int, plane: int) -> Samples:
        place = self._places[self._order.frame_index(column, row, path, plane)]
        return self._packing.unpack(self._spool.read(int(place)) or None, self.level.tile)


def order_of(reader: SlideReader, level: Level) -> TileOrder:
    """The frames of a level of a slide."""
    return TileOrder(level.grid, len(reader.optical_paths), len(reader.focal_planes_um))


def halve_tiles(
    finer: TileGrid,
    read: Callable[[int, int], Samples],
    column: int,
    row: int,
    pixel_format: PixelFormat,
    background: int,
) -> Samples:
    """The tile of half the resolution that up to four tiles of the grid `finer` make.

    `read` gives them by column and row. What lies beyond the image has no part in its last pixels.
    """
    columns, rows = finer.tile.columns, finer.tile.rows
    canvas = np.empty((2 * rows, 2 * columns, pixel_format.samples), pixel_format.dtype)
    used = Size(1, 1)
    for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
        place = (2 * column + x, 2 * row + y)
        if place in finer:
            visible = finer.visible(*place)
            right, bottom = x * columns + visible.columns, y * rows + visible.rows
            shown = read(*place)[: visible.rows, : visible.columns]
            canvas[y * rows : bottom, x * columns : right] = shown
            used = Size(max(used.columns, right), max(used.rows, bottom))
    halved = halve(canvas[: used.rows, : used.columns])
    tile = np.array(blank_tile(finer.tile, pixel_format, background))
    tile[: halved.shape[0], : halved.shape[1]] = halved
    return tile
