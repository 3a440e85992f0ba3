"""Where dye is laid down: two amounts for each pixel, and a coarse map of what is where."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size
from tiling.sample.noise import Places

Dye = NDArray[np.uint8]
"""Amounts of one dye `(rows, columns)`, in `stains.UNITS`."""

MAP_STEP = 4
"""Pixels between two points of the map of tissue kinds."""


class Kind(IntEnum):
    """What a place of the map is, as far as cells care."""

    GLASS = 0
    SURFACE = 1
    LAMINA_PROPRIA = 2
    MUSCLE = 3
    SUBMUCOSA = 4
    FOLLICLE = 5
    OCCUPIED = 6
    """Gland, fat or vessel: their cells are placed with them."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A small picture to be laid on the canvas, both dyes `(side, side)`, and how opaque it is."""

    haematoxylin: Dye
    eosin: Dye
    opacity: Dye | None = None
    """From 0 to 255, replacing what is there; None adds no more than is lacking (a maximum)."""


class Canvas:
    """The section while it is painted."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self.haematoxylin: Dye = np.zeros((size.rows, size.columns), np.uint8)
        self.eosin: Dye = np.zeros((size.rows, size.columns), np.uint8)
        self.kinds: NDArray[np.uint8] = np.zeros(
            (-(-size.rows // MAP_STEP), -(-size.columns // MAP_STEP)), np.uint8
        )

    def kind_at(self, x: Places, y: Places) -> NDArray[np.uint8]:
        """What lies at places given in pixels; glass outside the canvas."""
        columns = np.floor_divide(x, MAP_STEP).astype(np.int64)
        rows = np.floor_divide(y, MAP_STEP).astype(np.int64)
        height, width = self.kinds.shape
        inside = (columns >= 0) & (rows >= 0) & (columns < width) & (rows < height)
        found = self.kinds[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
        return np.where(inside, found, Kind.GLASS).astype(np.uint8)

    def stamp(self, x: float, y: float, stamp: Stamp) -> None:
        """Lay a stamp with its middle at a place; none that reaches beyond the canvas."""
        side = stamp.haematoxylin.shape[0]
        left, top = int(x) - side // 2, int(y) - side // 2
        if left < 0 or top < 0 or left + side > self.size.columns or top + side > self.size.rows:
            return
        place = np.s_[top : top + side, left : left + side]
        if stamp.opacity is None:
            np.maximum(self.haematoxylin[place], stamp.haematoxylin, out=self.haematoxylin[place])
            np.maximum(self.eosin[place], stamp.eosin, out=self.eosin[place])
        else:
            _replace(self.haematoxylin[place], stamp.haematoxylin, stamp.opacity)
            _replace(self.eosin[place], stamp.eosin, stamp.opacity)


def _replace(below: Dye, above: Dye, opacity: Dye) -> None:
    weight = opacity.astype(np.uint16)
    below[:] = (below * (255 - weight) + above * weight + 127) // 255
