"""Which of a stack's axes are channels, which are planes, and what of the rest is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.errors import SlideTooLargeError, UnsupportedSlideError
from tiling.focal_planes import order_planes
from tiling.formats.olympus.images import FRAME, Axis, AxisKind, Image
from tiling.formats.olympus.stack import Stack
from tiling.formats.olympus.tags import Field
from tiling.slide import Illumination, OpticalPath, PixelFormat

_NM, _UM = "10^-9m^1", "10^-6m^1"
_START, _STEP, _HEIGHT, _FRAME_PROPERTIES = 2012, 2013, 2014, 2006
_NAME, _OTHER_NAME, _EMISSION, _COLOURS, _MEASURED = 2021, 2419, 2417, 2004, 268435458
_FIRST_AXIS = 2
_MOST_ENTRIES = 4096
"""Along one axis."""
_ONE_OF = {
    AxisKind.TIME: "Only the first of several times is kept.",
    AxisKind.WAVELENGTH: "Only the first of several wavelengths is kept.",
    AxisKind.PHASE: "Only the first of several phases is kept.",
}


@dataclass(frozen=True, slots=True)
class Layers:
    """Where the optical paths and the focal planes of a slide are among the tiles."""

    optical_paths: tuple[OpticalPath, ...]
    focal_planes_um: tuple[float, ...]
    """Above the plane in the middle, or counted from the first."""
    path_of: NDArray[np.int32]
    plane_of: NDArray[np.int32]
    """Of each tile in the stack's directory, shape `(tiles,)`; -1 for one that is not kept."""
    not_kept: tuple[str, ...]


def read_layers(image: Image, stack: Stack) -> Layers:
    """Sort the tiles by channel and plane.

    Raises UnsupportedSlideError where tiles differ in what the file has no name for,
    SlideTooLargeError when an axis is absurdly long.
    """
    paths = np.zeros(len(stack.offsets), np.int32)
    planes, kept = np.zeros_like(paths), np.ones(len(paths), bool)
    optical_paths: tuple[OpticalPath, ...] = (_plain_path(stack.pixel_format),)
    heights: tuple[float, ...] = (0.0,)
    not_kept: list[str] = []
    for number, places in enumerate(stack.coordinates[:, _FIRST_AXIS:-1].T):
        count = int(places.max()) + 1
        if count > _MOST_ENTRIES:
            raise SlideTooLargeError("The slide announces absurdly many planes; it is refused.")
        axis = image.axes[number] if number < len(image.axes) else Axis(None, ())
        if axis.kind == AxisKind.CHANNEL:
            optical_paths = _optical_paths(axis, count, stack.pixel_format)
            paths = places
        elif count == 1:
            continue
        elif axis.kind == AxisKind.Z:
            told = _evenly(axis, count) or _one_by_one(image, count)
            found = order_planes(count, None if told is None else _above_the_middle(told))
            planes = np.argsort(found.numbers)[places]
            heights = found.heights_um
            not_kept += found.not_kept
        elif axis.kind in _ONE_OF:
            not_kept.append(_ONE_OF[AxisKind(axis.kind)])
            kept &= places == 0
        else:
            raise UnsupportedSlideError(
                "The slide's tiles are ordered in an unknown way; export it as OME-TIFF."
            )
    planes = np.where(kept, planes, -1).astype(np.int32)
    return Layers(optical_paths, heights, paths, planes, tuple(not_kept))


def _plain_path(pixel_format: PixelFormat) -> OpticalPath:
    """What is known of a single one: cameras of these scanners see colours but in fluorescence."""
    is_colour = pixel_format.samples == 3
    return OpticalPath(
        illumination=Illumination.BRIGHTFIELD if is_colour else Illumination.FLUORESCENCE
    )


def _optical_paths(axis: Axis, count: int, pixel_format: PixelFormat) -> tuple[OpticalPath, ...]:
    plain = _plain_path(pixel_format)
    told = [_optical_path(entry, plain) for entry in axis.entries[:count]]
    return (*told, *[plain] * (count - len(told)))


def _optical_path(entry: Field, plain: OpticalPath) -> OpticalPath:
    emission = entry.measured(_NM, _EMISSION)
    return OpticalPath(
        name=entry.text(_NAME) or entry.text(_OTHER_NAME),
        illumination=plain.illumination,
        colour=_colour(entry) if plain.illumination is Illumination.FLUORESCENCE else None,
        emission_nm=emission if emission and emission > 0 else None,
    )


def _colour(entry: Field) -> tuple[int, int, int] | None:
    """The brightest of the colours in which the channel is shown; blue comes first."""
    colours = entry.numbers(_COLOURS, _MEASURED)
    if len(colours) < 3 or len(colours) % 3:
        return None
    blue, green, red = (int(value) & 255 for value in colours[-3:])
    return (red, green, blue) if red or green or blue else None


def _above_the_middle(heights: Sequence[float]) -> list[float]:
    """The file counts from where the stage has its zero, of which nobody knows."""
    middle = sorted(heights)[(len(heights) - 1) // 2]
    return [round(height - middle, 6) for height in heights]


def _evenly(axis: Axis, count: int) -> list[float] | None:
    step = next((s for entry in axis.entries if (s := entry.measured(_UM, _STEP))), None)
    return [step * number for number in range(count)] if step else None


def _one_by_one(image: Image, count: int) -> list[float] | None:
    """By what each frame says of itself: the heights of all, if there are just as many."""
    told = [frame.measured(_UM, _FRAME_PROPERTIES, _HEIGHT) for frame in image.field.all(FRAME)]
    heights = list(dict.fromkeys(height for height in told if height is not None))
    return heights if len(heights) == count else None
