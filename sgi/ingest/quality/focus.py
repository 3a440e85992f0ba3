"""How sharp a patch of tissue is: the width of its sharpest edges, in pixels.

An edge of height `h` grey levels, blurred by a Gaussian of standard deviation s, is steepest at
h / (sqrt(2 pi) s) levels a pixel. Height over steepness is therefore a width, 2.5 s, which neither
the contrast nor the stain changes: pale tissue is not blurred tissue.
"""

import functools

import numpy as np
from numpy.typing import NDArray

CELL = 8
"""Pixels a side of the cells in which the steepest slope is sought."""
BLOCK = 80
"""Pixels a side, about, of the blocks that get a width of their own."""
_SCALES = (1, 2, 4)
"""Reductions at which edges are sought, in turn: coarse ones for what has no fine edge left."""
_LEAST_CONTRAST = 24
"""Grey levels that an edge must span, or it may be noise."""
_LEAST_PART = 1 / 3
"""Share of that height within the cell itself: the cell beside an edge is no wide edge."""
_LEAST_EDGES = 6
"""Cells with such an edge that a block must have at full scale; at coarser ones a half, a third."""
_SHARPEST = 0.1
"""Quantile of the widths in a block that stands for it."""
_WIDEST = 8.0
"""Pixels: a wider edge does not fit the neighbourhood, and is sought again at half the scale."""

_Whole = NDArray[np.int16] | NDArray[np.int32]


def edge_widths(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The width of the sharpest edges of each block of `luma` `(rows, columns)`, in pixels.

    Shape `(block rows, block columns)`, blocks of about `BLOCK` pixels a side that share the
    patch evenly; NaN where a block has too little contrast to tell.
    """
    down, across = (max(1, round(side / BLOCK)) for side in luma.shape)
    widths = np.full((down, across), np.nan, np.float32)
    image = luma.astype(np.int16)
    for scale in _SCALES:
        if scale > 1:
            image = _halve(image)
        if min(image.shape) < 3 * CELL:
            break
        sought = ~(widths <= _WIDEST * scale / 2)
        if not sought.any():
            break
        least = -(-_LEAST_EDGES // scale)
        found = _block_widths(_cell_widths(image), down, across, least) * scale
        # An edge that is lost at a finer scale is at least as wide as that scale can show.
        widths = np.where(sought & ~np.isnan(found), found, widths)
    return widths


def _block_widths(
    cells: NDArray[np.float32], down: int, across: int, least: int
) -> NDArray[np.float32]:
    """The `_SHARPEST` quantile of the cells in each of `down` x `across` blocks.

    NaN where fewer than `least` cells are known.
    """
    rows, columns = -(-cells.shape[0] // down), -(-cells.shape[1] // across)
    padded = np.full((down * rows, across * columns), np.nan, np.float32)
    padded[: cells.shape[0], : cells.shape[1]] = cells
    blocks = padded.reshape(down, rows, across, columns).swapaxes(1, 2)
    # NaN sorts behind every number.
    ordered = np.sort(blocks.reshape(down, across, rows * columns), axis=2)
    known = np.count_nonzero(~np.isnan(ordered), axis=2)
    place = (np.maximum(known - 1, 0) * _SHARPEST).round().astype(np.intp)
    chosen = np.take_along_axis(ordered, place[:, :, None], axis=2)[:, :, 0]
    return np.where(known >= least, chosen, np.nan).astype(np.float32)


def _cell_widths(image: NDArray[np.int16]) -> NDArray[np.float32]:
    """Height of the edge in each cell over its steepness; NaN where there is none."""
    down = image[:-2] + 2 * image[1:-1] + image[2:]
    across = image[:, :-2] + 2 * image[:, 1:-1] + image[:, 2:]
    slope_x = (down[:, 2:] - down[:, :-2]).astype(np.int32)
    slope_y = (across[2:] - across[:-2]).astype(np.int32)
    steepest = np.sqrt(_per_cell(slope_x * slope_x + slope_y * slope_y, np.maximum)) / 8
    smooth = down[:, :-2] + 2 * down[:, 1:-1] + down[:, 2:]
    high, low = _per_cell(smooth, np.maximum), _per_cell(smooth, np.minimum)
    height = (_around(high, np.maximum) - _around(low, np.minimum)) / 16
    own = (high - low) / 16
    known = (height >= _LEAST_CONTRAST) & (own >= _LEAST_PART * height) & (steepest > 0)
    return np.where(known, height / np.where(known, steepest, 1), np.nan).astype(np.float32)


def _per_cell(values: _Whole, reduce: np.ufunc) -> NDArray[np.int32]:
    """One value for each whole cell of `(rows, columns)`."""
    rows, columns = values.shape[0] // CELL, values.shape[1] // CELL
    cells = values[: rows * CELL, : columns * CELL].reshape(rows, CELL, columns * CELL)
    lines = reduce.reduce(cells, axis=1)
    # Whole lines at once: numpy takes much longer to reduce an axis of eight.
    found = functools.reduce(reduce, (lines[:, start::CELL] for start in range(CELL)))
    return np.asarray(found, np.int32)


def _around(cells: NDArray[np.int32], reduce: np.ufunc) -> NDArray[np.int32]:
    """Each cell with its eight neighbours."""
    padded = np.pad(cells, 1, mode="edge")
    lines = reduce(reduce(padded[:-2], padded[1:-1]), padded[2:])
    return np.asarray(reduce(reduce(lines[:, :-2], lines[:, 1:-1]), lines[:, 2:]), np.int32)


def _halve(image: NDArray[np.int16]) -> NDArray[np.int16]:
    """The mean of each 2 x 2 pixels, an odd last row or column dropped."""
    rows, columns = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
    pairs = image[0:rows:2, :columns] + image[1:rows:2, :columns]
    return (pairs[:, 0::2] + pairs[:, 1::2] + 2) >> 2
