"""A slide at low resolution: one coarse level, read whole, within bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sgi.ingest.quality.boxes import shrink
from sgi.ingest.quality.views import Image, LevelView, Samples
from tiling.geometry import TileGrid

PIXELS = 4_000_000
"""The most that the low image has."""
_READ_PIXELS = 16_000_000
"""The most that is read to make it, where no level is small enough."""
_TILE_COST = 4_000
"""Pixels that a tile costs at least, however small it is."""
_BRIGHTEST = 99.9
"""Percentile of a 16-bit image that is shown as white: how many bits it uses is not known."""


@dataclass(frozen=True, slots=True)
class LowImage:
    """A whole slide at low resolution, 8 bits a sample."""

    pixels: Image
    pixel_columns: float
    """Width of one of its pixels, in pixels of the base."""
    pixel_rows: float
    """Height of one of its pixels, in pixels of the base."""
    white: int = 255
    """The sample of the slide that became 255 here."""

    def shrunk(self, side: int) -> "LowImage":
        """The same with no side longer than `side` pixels."""
        factor = -(-max(self.pixels.shape[:2]) // side)
        if factor == 1:
            return self
        return LowImage(
            shrink(self.pixels, factor),
            self.pixel_columns * factor,
            self.pixel_rows * factor,
            self.white,
        )


def read_low_image(levels: Sequence[LevelView]) -> LowImage | None:
    """The finest level of at most `PIXELS`, or the coarsest one reduced to that.

    None when the slide has no level that is cheap enough to read.
    """
    level = next((level for level in levels if _cost(level) <= PIXELS), min(levels, key=_cost))
    if _cost(level) > _READ_PIXELS:
        return None
    samples = _assemble(level)
    white = 255
    if samples.dtype != np.uint8:
        white = max(1, int(np.percentile(samples, _BRIGHTEST)))
    base = levels[0].size
    low = LowImage(
        as_bytes(samples, white),
        base.columns / level.size.columns,
        base.rows / level.size.rows,
        white,
    )
    excess = level.size.area / PIXELS
    return low.shrunk(int(max(samples.shape[:2]) / np.sqrt(excess))) if excess > 1 else low


def as_bytes(samples: Samples, white: int) -> Image:
    """8-bit samples; those of 16 bits become 255 at `white` and above."""
    if samples.dtype == np.uint8:
        return np.asarray(samples, np.uint8)
    return np.asarray(np.minimum(samples.astype(np.uint32) * 255 // white, 255), np.uint8)


def _cost(level: LevelView) -> int:
    """Pixels that are decoded to have the level, or as many as take that long."""
    return TileGrid(level.size, level.tile).tiles.area * max(level.tile.area, _TILE_COST)


def _assemble(level: LevelView) -> Samples:
    """All its tiles as one image `(rows, columns, samples)`."""
    grid = TileGrid(level.size, level.tile)
    first = level.pixels(0, 0)
    whole = np.zeros((level.size.rows, level.size.columns, first.shape[2]), first.dtype)
    for column, row in grid.positions():
        left, top = column * level.tile.columns, row * level.tile.rows
        visible = grid.visible(column, row)
        tile = level.pixels(column, row)[: visible.rows, : visible.columns]
        whole[top : top + visible.rows, left : left + visible.columns] = tile
    return whole
