"""Haematoxylin and eosin by the law of Beer and Lambert: what is painted is dye, not colour."""

import numpy as np
from numpy.typing import NDArray

from tiling.slide import Pixels

UNITS = 100
"""Amount of dye that makes an optical density of 1; amounts are 8-bit, so density ends at 2.55."""

_HAEMATOXYLIN = np.array((0.62, 0.74, 0.30))
_EOSIN = np.array((0.085, 0.80, 0.36))
"""Optical density of one unit of dye in red, green and blue."""
_DENSE_EOSIN = np.array((0.0, 0.02, 0.34))
"""What dense eosin adds: red cells are more orange than collagen."""
_GLASS = np.array((245.0, 244.0, 246.0))
"""Light through clear glass and mounting medium."""


def colour_table() -> Pixels:
    """RGB of every pair of amounts, shape `(256, 256, 3)`: eosin by row, haematoxylin by column."""
    amounts = np.arange(256) / UNITS
    haematoxylin, eosin = amounts[None, :, None], amounts[:, None, None]
    dense = np.maximum(eosin - 0.7, 0)
    density = haematoxylin * _HAEMATOXYLIN + eosin * _EOSIN + dense * _DENSE_EOSIN
    return np.asarray(np.rint(_GLASS * np.exp(-density)), np.uint8)


def grain(rng: np.random.Generator, side: int) -> NDArray[np.int16]:
    """The camera's noise `(side, side, 3)`, a little more than one grey level."""
    noise = np.rint(rng.standard_normal((side, side, 3)) * 1.1)
    return np.asarray(np.clip(noise, -3, 3), np.int16)
