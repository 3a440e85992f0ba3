"""Seams: lines, one pixel wide, at which the two sides of a tile do not fit together."""

import numpy as np
from numpy.typing import NDArray

from sgi.ingest.quality.views import Grey

_RATIO = 1.7
"""How many times the change across a seam is that across the lines beside it."""
_LEAST_CHANGE = 4.0
"""Grey levels of mean change across a seam."""
_JPEG = 8
"""Period of the lines that strong JPEG compression draws: they are compared with each other."""
_BORDER = 2 * _JPEG


def has_seam(grey: Grey) -> bool:
    """Whether a row or a column of `(rows, columns)` is a seam."""
    return _across(grey) or _across(grey.T)


def _across(grey: Grey) -> bool:
    if min(grey.shape) < 4 * _JPEG:
        return False
    change = np.abs(np.diff(grey.astype(np.int16), axis=1)).mean(axis=0)
    inner = change[_BORDER:-_BORDER]
    beside = np.max([_moved(change, by) for by in (-2, -1, 1, 2)], axis=0)
    period = np.max([_moved(change, by) for by in (-2 * _JPEG, -_JPEG, _JPEG, 2 * _JPEG)], axis=0)
    seams = (inner >= _LEAST_CHANGE) & (inner >= _RATIO * beside) & (inner >= _RATIO * period)
    return bool(seams.any())


def _moved(change: NDArray[np.floating], by: int) -> NDArray[np.floating]:
    return change[_BORDER + by : len(change) - _BORDER + by]
