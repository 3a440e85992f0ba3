"""Which tiles of the base are looked at: one in each cell of an even grid over the tissue."""

from dataclasses import dataclass

import numpy as np

from sgi.ingest.quality.boxes import sums_between
from sgi.ingest.quality.views import LevelView, Map, Mask
from tiling.geometry import Size, TileGrid

MOST_TILES = 200
MOST_PIXELS = 24_000_000
"""The most that is decoded of the base, but for `LEAST_TILES` tiles of any size."""
LEAST_TILES = 4
LARGEST_TILE = 16_000_000
"""Pixels: a base with larger tiles is not sampled."""
CELLS = 256
"""The most cells along a side of the grid."""
_SPOTS = 1024
"""The most places along a side that are told apart."""
_LEAST_TISSUE = 0.3
"""Share of a tile that must be tissue, or half of the best tile's share where none has that."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A tile of the base, and the cell of the grid that it stands for."""

    cell: tuple[int, int]
    """Row and column in the grid."""
    column: int
    row: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The grid over the base, from its upper left corner, and a tile for each cell of tissue."""

    cell: Size
    """Pixels of the base that a cell covers; whole tiles."""
    cells: Size
    samples: tuple[Sample, ...]


def plan_samples(base: LevelView, tissue: Mask) -> Plan | None:
    """The finest grid whose cells of tissue can all be read; the same for the same slide.

    `tissue` covers the base. None when a single tile would be too much.
    """
    if base.tile.area > LARGEST_TILE:
        return None
    most = min(MOST_TILES, max(LEAST_TILES, MOST_PIXELS // base.tile.area))
    tiles = TileGrid(base.size, base.tile).tiles
    spot = -(-max(tiles.columns, tiles.rows) // _SPOTS)
    shares = _shares(base, tissue, spot)
    least = min(_LEAST_TISSUE, float(shares.max()) / 2)
    step = -(-max(shares.shape) // CELLS)
    while np.count_nonzero(_cells(shares, step).max(axis=2) >= max(least, 1e-6)) > most:
        step += 1
    cells = _cells(shares, step)
    samples: list[Sample] = []
    for row, column in np.argwhere(cells.max(axis=2) >= max(least, 1e-6)):
        down, across = divmod(int(cells[row, column].argmax()), step)
        samples.append(
            Sample(
                (int(row), int(column)),
                min((int(column) * step + across) * spot + spot // 2, tiles.columns - 1),
                min((int(row) * step + down) * spot + spot // 2, tiles.rows - 1),
            )
        )
    cell = Size(base.tile.columns * step * spot, base.tile.rows * step * spot)
    return Plan(cell, TileGrid(base.size, cell).tiles, tuple(samples))


def _shares(base: LevelView, tissue: Mask, spot: int) -> Map:
    """The share of tissue in each spot of `spot` x `spot` tiles."""
    rows = np.arange(0, base.size.rows + base.tile.rows * spot, base.tile.rows * spot)
    columns = np.arange(0, base.size.columns + base.tile.columns * spot, base.tile.columns * spot)
    scale_down, scale_across = (
        tissue.shape[0] / base.size.rows,
        tissue.shape[1] / base.size.columns,
    )
    sums = sums_between(tissue, rows * scale_down, columns * scale_across)
    area = base.tile.area * spot * spot * scale_down * scale_across
    return np.asarray(sums / area, np.float32)


def _cells(shares: Map, step: int) -> Map:
    """The spots of each cell: `(cell rows, cell columns, step * step)`."""
    rows, columns = (-(-side // step) for side in shares.shape)
    padded = np.zeros((rows * step, columns * step), np.float32)
    padded[: shares.shape[0], : shares.shape[1]] = shares
    parted = padded.reshape(rows, step, columns, step).swapaxes(1, 2)
    return np.asarray(parted.reshape(rows, columns, step * step), np.float32)
