"""Means over boxes by running sums: reductions, resizing and smoothing of small images."""

import numpy as np
from numpy.typing import NDArray

from sgi.ingest.quality.views import Grey, Image, Map, Mask


def luma(image: Image) -> Grey:
    """The brightness of `(rows, columns, 3)` as (R + 2 G + B) / 4, or the one sample there is."""
    if image.shape[2] < 3:
        return image[:, :, 0]
    total = image[:, :, 0].astype(np.uint16) + image[:, :, 2]
    total += image[:, :, 1]
    total += image[:, :, 1]
    total >>= 2
    return total.astype(np.uint8)


def shrink(image: Image, factor: int) -> Image:
    """The mean of each whole `factor` x `factor` box of `(rows, columns, samples)`.

    A side shorter than the factor becomes one pixel; the rest of a side beyond whole boxes is left
    out.
    """
    rows, columns = (max(1, side // factor) for side in image.shape[:2])
    down, across = min(factor, image.shape[0]), min(factor, image.shape[1])
    whole = image[: rows * down, : columns * across]
    lines = whole.reshape(rows, down, -1).sum(axis=1, dtype=np.uint32)
    sums = lines.reshape(rows, columns, across, -1).sum(axis=2)
    area = down * across
    return np.asarray((sums + area // 2) // area, np.uint8)


def resize(values: Map, rows: int, columns: int) -> Map:
    """`values` drawn on a grid of `rows` x `columns`: each new value is the mean of its area."""
    down = np.linspace(0, values.shape[0], rows + 1)
    across = np.linspace(0, values.shape[1], columns + 1)
    area = values.size / (rows * columns)
    return (sums_between(values, down, across) / area).astype(np.float32)


def sums_between(
    values: Map | Mask, row_edges: NDArray[np.float64], column_edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The sum of `values` in each rectangle between neighbouring edges, parts of pixels counted.

    Edges rise, in pixels; beyond the image there is nothing.
    """
    return _sums_down(_sums_down(values, row_edges).T, column_edges).T


def box_mean(values: Map | Mask, radius: int) -> Map:
    """The mean of the box of 2 `radius` + 1 a side around each value, cut at the image's edges."""
    return _mean_rows(_mean_rows(values.astype(np.float64), radius).T, radius).T.astype(np.float32)


def integral(values: Map | Mask) -> NDArray[np.float64]:
    """`(rows + 1, columns + 1)`: the sum of everything above and to the left of each corner."""
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    return sums


def window_sums(sums: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """The sum of every window of that size, from an `integral`."""
    return np.asarray(
        sums[rows:, columns:] - sums[:-rows, columns:] - sums[rows:, :-columns]
        + sums[:-rows, :-columns]
    )  # fmt: skip


def _sums_down(values: NDArray[np.generic], edges: NDArray[np.float64]) -> NDArray[np.float64]:
    sums = np.zeros((values.shape[0] + 1, values.shape[1]))
    np.cumsum(values, axis=0, dtype=np.float64, out=sums[1:])
    edges = np.clip(edges, 0, values.shape[0])
    below = np.minimum(edges.astype(int), values.shape[0] - 1)
    part = (edges - below)[:, None]
    at_edges = sums[below] * (1 - part) + sums[below + 1] * part
    return np.asarray(np.diff(at_edges, axis=0))


def _mean_rows(values: NDArray[np.float64], radius: int) -> NDArray[np.float64]:
    sums = np.zeros((values.shape[0] + 1, values.shape[1]))
    np.cumsum(values, axis=0, out=sums[1:])
    place = np.arange(values.shape[0])
    first, last = np.maximum(place - radius, 0), np.minimum(place + radius + 1, len(place))
    return np.asarray((sums[last] - sums[first]) / (last - first)[:, None])
