"""Light: tissue that is lost in white or in black, and a lamp that is too dim."""

from dataclasses import dataclass

import numpy as np

from sgi.ingest.quality.colour import largest, smallest
from sgi.ingest.quality.views import Image, Mask

_FULL = 253
"""Grey level from which a sample has lost its detail to white."""
_WHITE = 248
"""Smallest sample from which a pixel is a gap in the tissue, or glass."""
_EMPTY = 12
"""Grey level up to which a pixel has lost its detail to black."""


@dataclass(frozen=True, slots=True)
class Exposure:
    """Shares of the tissue's pixels, 0 to 1."""

    over: float
    """With a channel at full scale, but not white."""
    under: float
    """Black in every channel."""


def measure_exposure(image: Image, tissue: Mask) -> Exposure | None:
    """Of an image `(rows, columns, 3)` under a mask of its size; None without tissue."""
    stained = tissue & (smallest(image) < _WHITE)
    count = np.count_nonzero(stained)
    if not count:
        return None
    high = largest(image)[stained]
    over, under = (np.count_nonzero(lost) for lost in (high >= _FULL, high <= _EMPTY))
    return Exposure(over / count, under / count)
