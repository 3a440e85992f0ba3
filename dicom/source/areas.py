"""Areas of one glass: which images show the same place, and which is coarser than which.

Where an image lies is what its Total Pixel Matrix Origin says (PS3.3 C.8.12.4); its height is
that of a focal plane, and no other place.
"""

import math
from collections.abc import Iterable, Iterator, Sequence

from dicom.source.image import Image
from dicom.source.part import Part, first_item
from tiling.geometry import Size

_SAME_PLACE_MM = 0.01
"""A cell's width: images of one size that lie further apart are of two places."""
_LARGEST_MISFIT = 0.2
"""Part by which a level's pixel spacing may differ from what its size says of its scale."""
_LARGEST_DISTORTION = 0.05
"""Part by which a level's sides may be in another ratio than the base's."""
_FARTHEST_MM = 1e4

Place = tuple[float, float]


def place_mm(part: Part) -> Place | None:
    """X and Y Offset in Slide Coordinate System of the image; None where they are not said."""
    origin = first_item(part.dataset, "TotalPixelMatrixOriginSequence")
    if origin is None:
        return None
    try:
        x, y = (float(origin.get(f"{axis}OffsetInSlideCoordinateSystem")) for axis in "XY")
    except (TypeError, ValueError):
        return None
    return (x, y) if abs(x) <= _FARTHEST_MM and abs(y) <= _FARTHEST_MM else None


def distance_mm(one: Part, other: Part) -> float | None:
    """Between two images' upper left corners; None where either does not say where it lies."""
    places = place_mm(one), place_mm(other)
    return None if places[0] is None or places[1] is None else math.dist(places[0], places[1])


def by_place(volumes: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts of each image: of one grid and kind of pixels, at one place of the glass."""
    shapes: dict[object, list[list[Part]]] = {}
    for part in volumes:
        groups = shapes.setdefault((part.grid, part.pixel_format), [])
        for group in groups:
            apart = distance_mm(group[0], part)
            if apart is None or apart <= _SAME_PLACE_MM:
                group.append(part)
                break
        else:
            groups.append([part])
    for groups in shapes.values():
        yield from groups


def home_of(part: Part, bases: Sequence[Image]) -> int | None:
    """Which of the areas an image shows; None where there are several and nothing tells."""
    distances = [distance_mm(base.parts[0], part) for base in bases]
    told = [number for number, distance in enumerate(distances) if distance is not None]
    if len(bases) == 1 or not told:
        return 0 if len(bases) == 1 else None
    return min(told, key=lambda number: distances[number] or 0.0)


def is_area(base: Image, image: Image) -> bool:
    """Whether an image is as fine as the base, so that it is another area and no level of it."""
    scale = _scale(base, image)
    if scale is None:
        return image.grid.image == base.grid.image
    return abs(scale - 1) <= _LARGEST_MISFIT


def downsample_of(base: Image, image: Image) -> float | None:
    """How much coarser an image is that shows what the base shows; None of any other image."""
    size, own = base.grid.image, image.grid.image
    downsample = (size.columns / own.columns + size.rows / own.rows) / 2
    scale = _scale(base, image)
    fits = scale is None or abs(scale / downsample - 1) <= _LARGEST_MISFIT
    fits = fits and has_shape_of(size, own) and not _lies_elsewhere(base, image)
    return downsample if fits else None


def has_shape_of(base: Size, level: Size) -> bool:
    """Whether a level shows all of the base, and not another part of the glass."""
    columns = base.columns * level.rows / base.rows
    # A pixel of rounding is much of the shorter side of a small level.
    allowed = max(_LARGEST_DISTORTION * columns, columns / level.rows, 1.0)
    return abs(level.columns - columns) <= allowed


def _scale(base: Image, image: Image) -> float | None:
    """How much coarser the files say that an image is; None where they do not."""
    fine, coarse = (each.parts[0].header.pixel_spacing_mm for each in (base, image))
    return None if fine is None or coarse is None else coarse[0] / fine[0]


def _lies_elsewhere(base: Image, image: Image) -> bool:
    """Whether an image begins so far from the base that it shows something else."""
    apart, spacing = distance_mm(base.parts[0], image.parts[0]), base.parts[0].header
    if apart is None or spacing.pixel_spacing_mm is None:
        return False
    high, wide = spacing.pixel_spacing_mm
    return apart > min(high * base.grid.image.rows, wide * base.grid.image.columns) / 2
