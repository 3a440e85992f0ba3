"""The order of an instance's frames, by what its header says."""

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import InstanceHeader
from tiling.geometry import TileGrid
from tiling.tile_order import TileOrder


def tile_order_of(header: InstanceHeader) -> TileOrder:
    """Where every frame lies.

    Raises UnsupportedInstanceError unless it is TILED_FULL or has but one frame, and
    DamagedInstanceError when it has not the frames that its matrix needs.
    """
    if header.organization != "TILED_FULL" and header.number_of_frames > 1:
        raise UnsupportedInstanceError(
            f"Frames organised as {header.organization or 'nothing'} are not read here, "
            "only TILED_FULL."
        )
    grid = TileGrid(header.size, header.tile)
    order = TileOrder(grid, header.optical_paths, header.focal_planes)
    if order.frames != header.number_of_frames:
        raise DamagedInstanceError(
            f"The image needs {order.frames} frames, but has {header.number_of_frames}."
        )
    return order
