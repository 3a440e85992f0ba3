"""What the quality gate looks at: the least that it needs of a slide."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size

Image = NDArray[np.uint8]
"""`(rows, columns, samples)`; three samples are RGB in the slide's own colour space."""
Grey = NDArray[np.uint8]
"""`(rows, columns)`."""
Mask = NDArray[np.bool_]
"""`(rows, columns)`."""
Map = NDArray[np.float32]
"""`(rows, columns)`."""


Samples = NDArray[np.uint8] | NDArray[np.uint16]
"""An image as a slide gives it, 8 bits a sample or up to 16."""


class LevelView(Protocol):
    """One resolution of a slide; `tiling.pyramid.EncodedLevel` is one."""

    @property
    def size(self) -> Size: ...

    @property
    def tile(self) -> Size: ...

    @property
    def downsample(self) -> float: ...

    def pixels(self, column: int, row: int) -> Samples:
        """A whole tile, `(tile.rows, tile.columns, samples)`; three samples are RGB."""


class SlideView(Protocol):
    """A slide as the quality gate sees it."""

    @property
    def levels(self) -> Sequence[LevelView]:
        """From the base upwards; never empty."""

    @property
    def pixel_spacing_mm(self) -> tuple[float, float] | None:
        """Of the base, between rows and between columns; None when the file does not say."""

    @property
    def overview(self) -> Image | None:
        """The photograph of the whole glass, `(rows, columns, 3)`."""
