"""Which tile a frame is, in the order of TILED_FULL (PS3.3 C.7.6.17.3): pure arithmetic."""

from dataclasses import dataclass
from typing import NamedTuple, Self

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import InstanceHeader
from tiling.geometry import TileGrid


class TilePosition(NamedTuple):
    """A tile, the focal plane and the optical path it was seen through, all from 0."""

    column: int
    row: int
    plane: int = 0
    path: int = 0


@dataclass(frozen=True, slots=True)
class TileOrder:
    """Frames run along a row of tiles, then down the rows, then up the planes, then the paths."""

    grid: TileGrid
    focal_planes: int = 1
    optical_paths: int = 1

    @classmethod
    def of(cls, header: InstanceHeader) -> Self:
        """The order of an instance's frames.

        Raises UnsupportedInstanceError unless it is TILED_FULL or has but one frame, and
        DamagedInstanceError when it has not the frames that its matrix needs.
        """
        if header.organization != "TILED_FULL" and header.number_of_frames > 1:
            raise UnsupportedInstanceError(
                f"Frames organised as {header.organization or 'nothing'} are not read yet, "
                "only TILED_FULL."
            )
        order = cls(TileGrid(header.size, header.tile), header.focal_planes, header.optical_paths)
        if order.frames != header.number_of_frames:
            raise DamagedInstanceError(
                f"The image needs {order.frames} frames, but has {header.number_of_frames}."
            )
        return order

    @property
    def frames(self) -> int:
        return self.grid.tiles.area * self.focal_planes * self.optical_paths

    def frame_index(self, column: int, row: int, plane: int = 0, path: int = 0) -> int:
        """From 0; raises IndexError for a tile, plane or path that is not there."""
        if not (0 <= plane < self.focal_planes and 0 <= path < self.optical_paths):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
        layer = path * self.focal_planes + plane
        return layer * self.grid.tiles.area + self.grid.frame_index(column, row)

    def frame_number(self, column: int, row: int, plane: int = 0, path: int = 0) -> int:
        """From 1, as in DICOMweb; raises IndexError like `frame_index`."""
        return self.frame_index(column, row, plane, path) + 1

    def position(self, frame_index: int) -> TilePosition:
        """Of a frame index from 0; raises IndexError outside the frames."""
        if not 0 <= frame_index < self.frames:
            raise IndexError(f"no frame {frame_index} among {self.frames}")
        layer, tile = divmod(frame_index, self.grid.tiles.area)
        path, plane = divmod(layer, self.focal_planes)
        return TilePosition(*self.grid.position(tile), plane, path)
