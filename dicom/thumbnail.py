"""A thumbnail for a slide whose file has none, from the coarsest level's frames."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tiling.composite import colours_of, composite, window_of
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel
from tiling.slide import OpticalPath, Pixels, Samples


def number_of_level_for(levels: Sequence[EncodedLevel], longest_side_px: int) -> int:
    """Of the coarsest level that has the pixels for a thumbnail; 0, the base, where none has."""
    for number in reversed(range(len(levels))):
        size = levels[number].size
        if max(size.columns, size.rows) >= longest_side_px:
            return number
    return 0


def build_thumbnail(
    level: EncodedLevel, paths: Sequence[OpticalPath], longest_side_px: int, plane: int = 0
) -> Pixels:
    """A level in colours, averaged over the smallest square blocks that make it fit.

    Of several paths of light all are in it, of several in colours the first.

    One tile is held at a time, so that a slide with a single huge level needs no more memory.
    """
    if level.pixel_format.samples > 1:
        first = _shrink(level, 0, plane, longest_side_px)
        return np.asarray(first >> max(level.pixel_format.bits - 8, 0), np.uint8)
    layers = [_shrink(level, path, plane, longest_side_px) for path in range(len(paths))]
    return composite(layers, [window_of(layer) for layer in layers], colours_of(paths))


def _shrink(level: EncodedLevel, path: int, plane: int, longest_side_px: int) -> Samples:
    block = max(1, -(-max(level.size.columns, level.size.rows) // longest_side_px))
    size = Size(-(-level.size.columns // block), -(-level.size.rows // block))
    shape = (size.rows, size.columns, level.pixel_format.samples)
    sums = np.zeros(shape, dtype=np.int64)
    grid = level.order.grid
    for column, row in grid.positions():
        visible = grid.visible(column, row)
        pixels = level.pixels(column, row, path, plane)[: visible.rows, : visible.columns]
        top, left = row * level.tile.rows, column * level.tile.columns
        blocks = _block_sums(_block_sums(pixels.astype(np.int64), top, block, 0), left, block, 1)
        y, x = top // block, left // block
        sums[y : y + blocks.shape[0], x : x + blocks.shape[1]] += blocks
    rows = _block_extents(level.size.rows, block)
    columns = _block_extents(level.size.columns, block)
    counts = (rows[:, None] * columns[None, :])[..., None]
    return np.asarray((sums + counts // 2) // counts, dtype=level.pixel_format.dtype)


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
