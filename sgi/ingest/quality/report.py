"""What comes of looking at a slide: the report, and the heat map beside it."""

from dataclasses import dataclass

import imagecodecs
import numpy as np

from sgi.domain.quality import HeatMapShape, QualityReport
from sgi.ingest.quality.views import Grey
from tiling.geometry import Size


@dataclass(frozen=True, slots=True)
class HeatMap:
    """How sharp the slide is from place to place."""

    values: Grey
    """`(rows, columns)`: 0 no tissue or not measured; 1 blurred; 128 at the threshold; 255 sharp:
    128 times the threshold's edge width over the place's."""
    cell: Size
    """Pixels of the base that each value covers, from the upper left corner."""

    def as_png(self) -> bytes:
        """An 8-bit grey PNG of `values`."""
        return bytes(imagecodecs.png_encode(np.ascontiguousarray(self.values)))

    @property
    def shape(self) -> HeatMapShape:
        rows, columns = self.values.shape
        return HeatMapShape(
            columns=columns, rows=rows, cell_columns=self.cell.columns, cell_rows=self.cell.rows
        )


@dataclass(frozen=True, slots=True)
class Examination:
    """A report and the heat map beside it."""

    report: QualityReport
    heat_map: HeatMap | None
    """None when no tile of the base was looked at."""
