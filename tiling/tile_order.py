"""Which tile a frame is when every optical path and focal plane has all tiles: pure arithmetic.

The order is that of DICOM's TILED_FULL (PS3.3 C.7.6.17.3).
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from tiling.geometry import TileGrid


class TilePosition(NamedTuple):
    """A tile, the optical path it was seen through and the focal plane, all from 0."""

    column: int
    row: int
    path: int = 0
    plane: int = 0


@dataclass(frozen=True, slots=True)
class TileOrder:
    """Frames run along a row of tiles, then down the rows, then up the planes, then the paths."""

    grid: TileGrid
    optical_paths: int = 1
    focal_planes: int = 1
    frames: int = field(init=False, repr=False, compare=False)
    """How many there are."""

    def __post_init__(self) -> None:
        frames = self.grid.tiles.area * self.focal_planes * self.optical_paths
        object.__setattr__(self, "frames", frames)

    def frame_index(self, column: int, row: int, path: int = 0, plane: int = 0) -> int:
        """From 0; raises IndexError for a tile, path or plane that is not there."""
        if not (0 <= plane < self.focal_planes and 0 <= path < self.optical_paths):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
        layer = path * self.focal_planes + plane
        return layer * self.grid.tiles.area + self.grid.frame_index(column, row)

    def frame_number(self, column: int, row: int, path: int = 0, plane: int = 0) -> int:
        """From 1, as in DICOMweb; raises IndexError like `frame_index`."""
        return self.frame_index(column, row, path, plane) + 1

    def position(self, frame_index: int) -> TilePosition:
        """Of a frame index from 0; raises IndexError outside the frames."""
        if not 0 <= frame_index < self.frames:
            raise IndexError(f"no frame {frame_index} among {self.frames}")
        layer, tile = divmod(frame_index, self.grid.tiles.area)
        path, plane = divmod(layer, self.focal_planes)
        return TilePosition(*self.grid.position(tile), path, plane)

    def layers(self) -> list[tuple[int, int]]:
        """Every `(path, plane)` in the order of the frames."""
        return [
            (path, plane)
            for path in range(self.optical_paths)
            for plane in range(self.focal_planes)
        ]
