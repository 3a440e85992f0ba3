"""The images of their own in a CZI, and the levels, channels and focal planes of each.

A scene is an area of the glass. Its channels that are grey are the optical paths of one slide, and
those in colour of another beside it, since an image is either grey or coloured.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.errors import SlideTooLargeError, UnsupportedSlideError
from tiling.formats.zeiss.directory import ABSENT, Subblocks
from tiling.formats.zeiss.mosaic import Mosaic, extents
from tiling.formats.zeiss.pixels import COMPRESSIONS, LOSSLESS, PIXEL_FORMATS
from tiling.formats.zeiss.rectangles import Rectangle, Rectangles
from tiling.geometry import Size
from tiling.slide import Level, PixelFormat

TILE = Size(512, 512)
"""Cut freely: images of the mosaic overlap, so that none can be handed on as it is."""

ONE_TIME = "Only the first point in time is kept."
ONE_VIEW = "Only the first rotation, illumination, phase, view or block of each place is kept."
_MOST_CELLS = 512
"""Places across and down at which a level is compared with the base."""
_MOST_LAYERS = 4096
"""Channels and focal planes of a scene."""
_MOST_SCENES = 1024
Layer = tuple[int, int]
"""A channel and a focal plane by the file's numbers."""


@dataclass(frozen=True, slots=True)
class SceneLevel:
    """A level, and its mosaics by layer."""

    level: Level
    mosaics: Mapping[Layer, Mosaic]
    scanned: Mapping[Layer, Rectangles]
    """What the base has, in this level's pixels; the rest is filled in by whoever made it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One image, as the directory tells of it."""

    number: int
    """The file's number of the area of the glass."""
    channels: tuple[int, ...]
    """The file's numbers, rising."""
    planes: tuple[int, ...]
    """The file's numbers of the focal planes, rising."""
    pixel_format: PixelFormat
    levels: tuple[SceneLevel, ...]
    base_downsample: int
    """Size of the base's pixels in those of which the file tells the spacing."""
    not_kept: tuple[str, ...]


def find_scenes(subblocks: Subblocks) -> list[Scene]:
    """Every image of the file, by area and then by channel.

    Raises UnsupportedSlideError for pixels or compressions that cannot be read, SlideTooLargeError
    for absurdly many scenes, channels or focal planes.
    """
    _check_kinds(subblocks)
    numbers = np.unique(subblocks["S"])
    downsamples = _downsamples(subblocks)
    if len(numbers) > 1 and numbers[0] == ABSENT:
        # An overview of the whole glass has no scene of its own; nor is it one.
        stays = (subblocks["S"] != ABSENT) | (downsamples == 1)
        subblocks = subblocks[stays]
    numbers = np.unique(subblocks["S"])
    _check_scenes(len(numbers))
    scenes: list[Scene] = []
    for number in numbers:
        area, not_kept = _keep_first(subblocks[subblocks["S"] == number])
        images = _images(area)
        _check_scenes(len(scenes) + len(images))
        scenes += [_make_scene(int(number), image, not_kept) for image in images]
    return scenes


def _check_scenes(count: int) -> None:
    if count > _MOST_SCENES:
        raise SlideTooLargeError("The file announces absurdly many scenes; it is refused.")


def _check_kinds(subblocks: Subblocks) -> None:
    if not set(np.unique(subblocks["pixel_type"]).tolist()) <= set(PIXEL_FORMATS):
        raise UnsupportedSlideError(
            "The slide's pixels are neither 8 nor 16 bits of grey or colour; export it as such."
        )
    if not set(np.unique(subblocks["compression"]).tolist()) <= COMPRESSIONS:
        raise UnsupportedSlideError(
            "The slide is compressed in a way that cannot be read; export it with Zstd or JPEG XR."
        )


def _downsamples(subblocks: Subblocks) -> NDArray[np.int64]:
    """Of each subblock, told by its longer side, which rounding touches least."""
    wide = subblocks["stored_columns"] >= subblocks["stored_rows"]
    full = np.where(wide, subblocks["columns"], subblocks["rows"])
    stored = np.where(wide, subblocks["stored_columns"], subblocks["stored_rows"])
    rounded: NDArray[np.int64] = np.maximum((2 * full + stored) // (2 * stored), 1)
    return rounded


def _keep_first(subblocks: Subblocks) -> tuple[Subblocks, tuple[str, ...]]:
    """The first point in time and so on, and what is said of the others."""
    not_kept: dict[str, None] = {}
    for name in "TRIHVB":
        places = subblocks[name]
        present = places[places != ABSENT]
        if not len(present):
            continue
        stays = (places == ABSENT) | (places == present.min())
        if not stays.all():
            not_kept[ONE_TIME if name == "T" else ONE_VIEW] = None
        subblocks = subblocks[stays]
    return subblocks, tuple(not_kept)


def _images(area: Subblocks) -> list[Subblocks]:
    """The images of an area: all coloured channels together, and all grey ones."""
    for name in "CZ":
        area[name][area[name] == ABSENT] = 0
    coloured = np.isin(
        area["pixel_type"], [kind for kind, form in PIXEL_FORMATS.items() if form.samples == 3]
    )
    groups = [group for group in (area[coloured], area[~coloured]) if len(group)]
    return sorted(groups, key=lambda group: int(group["C"].min()))


def _make_scene(number: int, subblocks: Subblocks, not_kept: tuple[str, ...]) -> Scene:
    downsamples = _downsamples(subblocks)
    finest = int(downsamples.min())
    base = subblocks[downsamples == finest]
    origin = int(base["x"].min()), int(base["y"].min())
    places = {layer: extents(part, origin) for layer, part in _layers(base)}
    parts = {
        downsample: dict(_layers(subblocks[downsamples == downsample]))
        for downsample in np.unique(downsamples).tolist()
    }
    levels: list[SceneLevel] = []
    for downsample in _complete(parts, places, origin):
        level = _make_level(parts[downsample], places, origin, downsample, finest)
        if not levels or level.level.size.area < levels[-1].level.size.area:
            levels.append(level)
    formats = [PIXEL_FORMATS[kind] for kind in np.unique(subblocks["pixel_type"]).tolist()]
    return Scene(
        number=0 if number == ABSENT else number,
        channels=tuple(np.unique(base["C"]).tolist()),
        planes=tuple(np.unique(base["Z"]).tolist()),
        pixel_format=max(formats, key=lambda form: form.bits),
        levels=tuple(levels),
        base_downsample=finest,
        not_kept=not_kept,
    )


def _layers(subblocks: Subblocks) -> Iterator[tuple[Layer, Subblocks]]:
    """Each layer that has subblocks, with them."""
    keys, which = np.unique(subblocks[["C", "Z"]], return_inverse=True)
    if len(keys) > _MOST_LAYERS:
        raise SlideTooLargeError(
            "The file announces absurdly many channels or focal planes; it is refused."
        )
    order = np.argsort(which, kind="stable")
    bounds = np.searchsorted(which[order], np.arange(len(keys) + 1))
    for index, key in enumerate(keys):
        chosen = order[bounds[index] : bounds[index + 1]]
        yield (int(key["C"]), int(key["Z"])), subblocks[chosen]


def _make_level(
    parts: Mapping[Layer, Subblocks],
    places: Mapping[Layer, Rectangles],
    origin: tuple[int, int],
    downsample: int,
    finest: int,
) -> SceneLevel:
    mosaics = {layer: Mosaic(part, origin, downsample) for layer, part in parts.items()}
    reaches = [mosaic.reach for mosaic in mosaics.values()]
    full = [max(int(place.right.max()) for place in places.values()),
            max(int(place.bottom.max()) for place in places.values())]  # fmt: skip
    columns, rows = (
        min(-(-side // downsample), max(reach[axis] for reach in reaches))
        for axis, side in enumerate(full)
    )
    scanned = {} if downsample == finest else places
    return SceneLevel(
        Level(Size(columns, rows), TILE, downsample / finest, lossy=_is_lossy(parts.values())),
        mosaics,
        {layer: place.shrunk(downsample) for layer, place in scanned.items()},
    )


def _is_lossy(parts: Iterable[Subblocks]) -> bool:
    return not all(set(np.unique(part["compression"]).tolist()) <= LOSSLESS for part in parts)


def _complete(
    parts: Mapping[int, Mapping[Layer, Subblocks]],
    places: Mapping[Layer, Rectangles],
    origin: tuple[int, int],
) -> list[int]:
    """The downsamples, rising, of the levels that have all that the base has, as far as places far
    apart tell.
    """
    right = max(int(place.right.max()) for place in places.values())
    bottom = max(int(place.bottom.max()) for place in places.values())
    step = max(-(-max(right, bottom) // _MOST_CELLS), 1)
    area = Rectangle(0, 0, -(-right // step), -(-bottom // step))
    finest, *coarser = sorted(parts)
    for layer, place in places.items():
        wanted = place.sampled(step).cover(area)
        coarser = [
            downsample
            for downsample in coarser
            if layer in parts[downsample]
            and not (
                wanted & ~_cells(parts[downsample][layer], origin, step, downsample, area)
            ).any()
        ]
    return [finest, *coarser]


def _cells(
    subblocks: Subblocks, origin: tuple[int, int], step: int, margin: int, area: Rectangle
) -> NDArray[np.bool_]:
    """Where subblocks are, within a margin, among cells of `step` pixels."""
    return extents(subblocks, origin).sampled(step, margin).cover(area)
