"""A thumbnail for a slide whose file has none, from the coarsest level's frames."""

import numpy as np
from numpy.typing import NDArray

from tiling.codecs import jpeg
from tiling.geometry import Size, TileGrid
from tiling.pyramid import EncodedLevel
from tiling.slide import Pixels


def build_thumbnail(level: EncodedLevel, longest_side_px: int) -> Pixels:
    """The level, averaged over the smallest square blocks that make it fit.

    One tile is held at a time, so that a slide with a single huge level needs no more memory.
    """
    block = max(1, -(-max(level.size.columns, level.size.rows) // longest_side_px))
    size = Size(-(-level.size.columns // block), -(-level.size.rows // block))
    sums = np.zeros((size.rows, size.columns, 3), dtype=np.int64)
    grid = TileGrid(level.size, level.tile)
    for (column, row), frame in zip(grid.positions(), level.frames(), strict=True):
        visible = grid.visible(column, row)
        pixels = jpeg.decode(frame)[: visible.rows, : visible.columns]
        top, left = row * level.tile.rows, column * level.tile.columns
        blocks = _block_sums(_block_sums(pixels.astype(np.int64), top, block, 0), left, block, 1)
        y, x = top // block, left // block
        sums[y : y + blocks.shape[0], x : x + blocks.shape[1]] += blocks
    rows = _block_extents(level.size.rows, block)
    columns = _block_extents(level.size.columns, block)
    counts = (rows[:, None] * columns[None, :])[..., None]
    return np.asarray((sums + counts // 2) // counts, dtype=np.uint8)


def _block_sums(values: NDArray[np.int64], start: int, block: int, axis: int) -> NDArray[np.int64]:
    """Sums along an axis over the blocks of the whole image, which begins `start` before."""
    first = -start % block
    edges = np.arange(first, values.shape[axis], block)
    if first:
        edges = np.concatenate(([0], edges))
    sums: NDArray[np.int64] = np.add.reduceat(values, edges, axis=axis)
    return sums


def _block_extents(length: int, block: int) -> NDArray[np.int64]:
    """Pixels in each block along one side; the last may be narrower."""
    return np.diff(np.append(np.arange(0, length, block), length))
