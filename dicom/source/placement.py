"""Which tile of which optical path and focal plane every frame is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.source.part import Part, first_item, items, text_of
from tiling.focal_planes import order_planes
from tiling.tile_order import TileOrder

_MICROMETRES_PER_MM = 1000.0
_HEIGHT_DECIMALS = 4
"""Heights that differ by less than a tenth of a nanometre are the same."""
_HIGHEST_UM = 1e9
_MOST_PATHS = 1024
_MOST_PLANES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """Where the frames of one part lie; the arrays have the shape `(frames,)`."""

    tiles: NDArray[np.int64]
    """Index into the tiles of the level, row-major."""
    paths: NDArray[np.int64]
    """Index into `path_identifiers`."""
    heights_um: NDArray[np.float64]
    path_identifiers: tuple[str, ...]
    """Of the optical paths that the part has frames of, in its own order."""
    frames_needed: int | None
    """Of all parts of its concatenation together; None where any tile may be missing."""
    heights_known: bool = True
    """False where planes are only counted."""
    focus_map: bool = False
    """True where each tile has a height of its own: one plane that follows the tissue."""


def place(part: Part, first_frame: int, limit: int) -> Placement:
    """Place the frames of a part that begins with the frame `first_frame` of its concatenation.

    At most `limit` tiles of all paths and planes. Raises DamagedInstanceError where frames lie
    outside the image, and UnsupportedInstanceError for what no tile grid describes.
    """
    positions = part.positions
    if positions is None:
        return _by_order(part, first_frame, limit)
    grid = part.grid
    columns, left = np.divmod(positions.columns - 1, grid.tile.columns)
    rows, top = np.divmod(positions.rows - 1, grid.tile.rows)
    if left.any() or top.any():
        raise UnsupportedInstanceError("The frames do not lie side by side on a grid.")
    across, down = grid.tiles.columns, grid.tiles.rows
    if min(columns.min(), rows.min()) < 0 or columns.max() >= across or rows.max() >= down:
        raise DamagedInstanceError("A frame lies outside the image.")
    named = list(positions.path_identifiers)
    paths = positions.paths
    if (paths < 0).any():
        default = _identifiers(part)[0]
        if default not in named:
            named.append(default)
        paths = np.where(paths < 0, named.index(default), paths)
    heights = positions.heights_um.copy()
    heights[np.isnan(heights)] = _lowest_um(part)
    tiles, heights = rows * across + columns, np.round(heights, _HEIGHT_DECIMALS)
    focus_map = _is_focus_map(tiles, paths, heights)
    return Placement(
        tiles,
        paths,
        np.zeros_like(heights) if focus_map else heights,
        tuple(named),
        frames_needed=None,
        focus_map=focus_map,
    )


def _by_order(part: Part, first_frame: int, limit: int) -> Placement:
    """TILED_FULL (PS3.3 C.7.6.17.3), and images that say nothing but have all their tiles."""
    header = part.header
    grid = part.grid
    planes, identifiers = header.focal_planes, _identifiers(part)
    if header.number_of_frames == grid.tiles.area and part.text("ConcatenationUID") is None:
        # Whatever the slide has in all, as some say: this part has a single layer.
        planes, identifiers = 1, [_own_identifier(part) or identifiers[0]]
    if planes > _MOST_PLANES or planes * len(identifiers) * grid.tiles.area > limit:
        raise UnsupportedInstanceError("The image has more focal planes than any slide.")
    order = TileOrder(grid, len(identifiers), planes)
    last = first_frame + header.number_of_frames
    whole = first_frame == 0 and last == order.frames
    if header.organization != "TILED_FULL" and not whole:
        raise DamagedInstanceError("The frames do not say where they lie.")
    if last > order.frames or (not whole and part.text("ConcatenationUID") is None):
        raise DamagedInstanceError(f"The image needs {order.frames} frames, but has {last}.")
    layers, tiles = np.divmod(np.arange(first_frame, last, dtype=np.int64), grid.tiles.area)
    paths, plane = np.divmod(layers, planes)
    step = _plane_distance_um(part)
    told = None if step is None else [number * step for number in range(planes)]
    ordered = order_planes(planes, told)
    heights = _lowest_um(part) + np.array(ordered.heights_um)[plane]
    return Placement(
        tiles,
        paths,
        np.round(heights, _HEIGHT_DECIMALS),
        tuple(identifiers),
        frames_needed=order.frames,
        heights_known=not ordered.not_kept,
    )


def _is_focus_map(
    tiles: NDArray[np.int64], paths: NDArray[np.int64], heights: NDArray[np.float64]
) -> bool:
    """Whether heights differ, and each tile has but one."""
    if np.ptp(heights) == 0:
        return False
    places = np.unique(paths * (int(tiles.max()) + 1) + tiles)
    return len(places) == len(tiles)


def _identifiers(part: Part) -> list[str]:
    """Of the optical paths in the order of their sequence, one for each that frames are of."""
    count = part.header.optical_paths
    if count > _MOST_PATHS:
        raise UnsupportedInstanceError(f"The image has more than {_MOST_PATHS} optical paths.")
    own = _own_identifier(part)
    if own is not None and count == 1:
        return [own]
    listed = [
        text_of(item, "OpticalPathIdentifier") or str(number + 1)
        for number, item in enumerate(items(part.dataset, "OpticalPathSequence"))
    ]
    if part.number("NumberOfOpticalPaths") is None and listed:
        return _distinct(listed)
    return _distinct([*listed, *(str(number + 1) for number in range(len(listed), count))][:count])


def _own_identifier(part: Part) -> str | None:
    """Of the one optical path that all frames share."""
    shared = part.shared("OpticalPathIdentificationSequence")
    return None if shared is None else text_of(shared, "OpticalPathIdentifier")


def _distinct(identifiers: list[str]) -> list[str]:
    if len(set(identifiers)) != len(identifiers):
        raise DamagedInstanceError("Two optical paths have the same identifier.")
    return identifiers


def _lowest_um(part: Part) -> float:
    """Z Offset of the image, by its origin or the position that all frames share; else 0."""
    origin = first_item(part.dataset, "TotalPixelMatrixOriginSequence")
    for item in (origin, part.shared("PlanePositionSlideSequence")):
        value = None if item is None else item.get("ZOffsetInSlideCoordinateSystem")
        if value is not None:
            height = _height(value)
            if height is not None:
                return height
    return 0.0


def _height(value: object) -> float | None:
    try:
        height = float(value)  # type: ignore[arg-type] # whatever it is, it is asked
    except (TypeError, ValueError):
        return None
    return height if abs(height) <= _HIGHEST_UM else None


def _plane_distance_um(part: Part) -> float | None:
    """Spacing Between Slices (0018,0088); None where it is not known."""
    measures = part.shared("PixelMeasuresSequence")
    spacing = None if measures is None else _height(measures.get("SpacingBetweenSlices"))
    if spacing is None or round(abs(spacing) * _MICROMETRES_PER_MM, _HEIGHT_DECIMALS) == 0:
        return None
    return abs(spacing) * _MICROMETRES_PER_MM
