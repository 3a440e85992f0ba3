"""A slide of pixels in memory: for tests, and for whoever makes pictures rather than scans them."""

from collections.abc import Mapping, Sequence

import numpy as np

from tiling.blank import background_of, blank_tile
from tiling.described import DescribedSlide, Description
from tiling.geometry import Size
from tiling.slide import (
    AssociatedKind,
    Level,
    OpticalPath,
    PixelFormat,
    Pixels,
    Samples,
    SlideMetadata,
)

_TILE = Size(512, 512)
_NOTHING_SAID = SlideMetadata()


class ArraySlide(DescribedSlide):
    """A base level alone, from `(paths, planes, rows, columns, samples)`."""

    def __init__(
        self,
        pixels: Samples,
        optical_paths: Sequence[OpticalPath],
        focal_planes_um: Sequence[float] = (0.0,),
        *,
        bits: int = 8,
        tile: Size = _TILE,
        metadata: SlideMetadata = _NOTHING_SAID,
        associated: Mapping[AssociatedKind, Pixels] | None = None,
        lossy: bool = False,
    ) -> None:
        paths, planes, rows, columns, samples = pixels.shape
        if (paths, planes) != (len(optical_paths), len(focal_planes_um)):
            raise ValueError(f"{paths} paths and {planes} planes are not as they are named")
        self._pixels = pixels
        self._associated = associated or {}
        super().__init__(
            Description(
                "Pixels",
                metadata,
                (Level(Size(columns, rows), tile, 1.0, lossy=lossy),),
                {kind: Size(*image.shape[1::-1]) for kind, image in self._associated.items()},
                PixelFormat(samples, bits),
                tuple(optical_paths),
                tuple(focal_planes_um),
            )
        )

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        self.check_layer(path, plane)
        grid = self.levels[level].grid
        visible = grid.visible(column, row)
        layer = self._pixels[path, plane]
        background = background_of(self.pixel_format, self.optical_paths[path])
        tile = np.array(blank_tile(grid.tile, self.pixel_format, background))
        top, left = row * grid.tile.rows, column * grid.tile.columns
        seen = layer[top : top + visible.rows, left : left + visible.columns]
        tile[: visible.rows, : visible.columns] = seen
        return tile

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return self._associated[kind]

    def close(self) -> None:
        """Nothing is open."""
