"""What a sample of the base shows: how wide its edges are, and whether its tiles hold together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgi.ingest.quality.boxes import luma
from sgi.ingest.quality.focus import edge_widths
from sgi.ingest.quality.low_image import as_bytes
from sgi.ingest.quality.sampling import Plan
from sgi.ingest.quality.seams import has_seam
from sgi.ingest.quality.views import Grey, LevelView
from tiling.geometry import Size, TileGrid

_AT_LIMIT = 128
"""The heat map's value at the threshold."""
_LEAST_MEASURED = 0.05
"""Share of the blocks that must have edges, or nothing is said of the focus."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile of the sample."""

    cell: tuple[int, int]
    """Row and column in the plan's grid."""
    widths: NDArray[np.float32]
    """Edge widths of its blocks, in pixels; NaN where there is no contrast."""
    seam: bool


@dataclass(frozen=True, slots=True)
class Focus:
    """All tiles of the sample, never none."""

    cells: Size
    tiles: Sequence[Tile]

    @property
    def _widths(self) -> NDArray[np.float32]:
        return np.concatenate([tile.widths.ravel() for tile in self.tiles])

    @property
    def measured_share(self) -> float:
        """Of the blocks looked at, those with edges to measure."""
        return float(np.mean(~np.isnan(self._widths)))

    @property
    def edge_pixels(self) -> float | None:
        """The median edge width in pixels; None where too little has edges."""
        if self.measured_share < _LEAST_MEASURED:
            return None
        return float(np.nanmedian(self._widths))

    @property
    def seam_share(self) -> float:
        """Of the tiles, those that a seam crosses."""
        return float(np.mean([tile.seam for tile in self.tiles]))

    def blurred_share(self, limit: float) -> float | None:
        """Of the measured blocks, those with edges wider than `limit` pixels."""
        if self.measured_share < _LEAST_MEASURED:
            return None
        known = self._widths[~np.isnan(self._widths)]
        return float(np.mean(known > limit))

    def heat(self, limit: float) -> Grey:
        """The values of a `HeatMap`."""
        heat = np.zeros((self.cells.rows, self.cells.columns), np.uint8)
        for tile in self.tiles:
            known = tile.widths[~np.isnan(tile.widths)]
            if known.size:
                value = _AT_LIMIT * limit / max(float(np.median(known)), 0.1)
                heat[tile.cell] = np.clip(value, 1, 255)
        return heat


def look_at_samples(base: LevelView, plan: Plan, white: int) -> Focus:
    """Read and measure every tile of the plan, which has at least one."""
    grid = TileGrid(base.size, base.tile)
    tiles: list[Tile] = []
    for sample in plan.samples:
        visible = grid.visible(sample.column, sample.row)
        pixels = as_bytes(base.pixels(sample.column, sample.row), white)
        grey = luma(pixels[: visible.rows, : visible.columns])
        tiles.append(Tile(sample.cell, edge_widths(grey), has_seam(grey)))
    return Focus(plan.cells, tiles)
