"""How the arrays of an image are a slide: which axis is what, which levels there are."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tiling.errors import (
    DamagedSlideError,
    IncompleteSlideError,
    SlideTooLargeError,
    UnsupportedSlideError,
)
from tiling.focal_planes import FocalPlanes, order_planes
from tiling.formats.ome_zarr.arrays import ArrayLayout, read_layout
from tiling.formats.ome_zarr.chunked import ChunkedArray, Kept
from tiling.formats.ome_zarr.files import Files, join
from tiling.formats.ome_zarr.multiscales import Image
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import (
    RGB8,
    Level,
    OpticalPath,
    PixelFormat,
    Samples,
)

TILE = Size(512, 512)

_MOST_CHUNKS = 4096
"""Chunks that one tile may be put together from: they may be as small as 8 x 8."""
_MOST_LAYERS = 4096
"""Focal planes of all channels together."""
_LEFT_OUT = "Pieces of the image that are not there, blank or lost, are shown as background."
_DIFFERS = "The levels of the slide differ in more than size; copy the slide again."


@dataclass(frozen=True, slots=True)
class ImageLayout:
    """An image of an OME-Zarr, ready to give parts of its levels."""

    levels: tuple[Level, ...]
    pixel_format: PixelFormat
    optical_paths: tuple[OpticalPath, ...]
    focal_planes_um: tuple[float, ...]
    pixel_spacing_mm: tuple[float, float] | None
    not_kept: tuple[str, ...]
    axes: tuple[str, ...]
    arrays: tuple[ChunkedArray, ...]
    """Of each level."""
    planes: tuple[int, ...]
    """Index along z of each focal plane."""

    def read(self, level: int, left: int, top: int, size: Size, path: int, plane: int) -> Samples:
        """A part of a level that lies within it, `(rows, columns, samples)`."""
        colours = self.pixel_format.samples
        wanted = {
            "y": (top, top + size.rows),
            "x": (left, left + size.columns),
            "z": (self.planes[plane], self.planes[plane] + 1),
            "c": (colours * path, colours * (path + 1)),
        }
        part = self.arrays[level].read([wanted.get(axis, (0, 1)) for axis in self.axes])
        # Axes that are one long may be anywhere; colours go last.
        order = sorted(range(len(self.axes)), key=lambda axis: _PLACE.get(self.axes[axis], 0))
        samples: Samples = part.transpose(order).reshape(size.rows, size.columns, colours)
        return samples


_PLACE = {"y": 1, "x": 2, "c": 3}


def read_image_layout(
    files: Files, path: str, image: Image, kept: Kept, limits: Limits
) -> ImageLayout:
    """The image in the group `path`; raises a TilingError that says why it cannot be read."""
    names = tuple(axis.name for axis in image.axes)
    arrays: list[ChunkedArray] = []
    levels: list[Level] = []
    not_kept: list[str] = []
    for dataset in image.datasets:
        folder = join(path, dataset.path)
        array = ChunkedArray(files, folder, read_layout(files, folder, limits), kept)
        if not arrays:
            _check_base(array, names)
        level = _level(image, array, levels, dataset.scale)
        if arrays and not _is_alike(array, arrays[0], names):
            not_kept.append("Levels with fewer planes or channels than the base are made anew.")
        elif not levels or _is_coarser(level, levels[-1]):
            _check_size(array, level, names, files, limits)
            not_kept += _left_out(files, folder, array.layout)
            arrays.append(array)
            levels.append(level)
    base = arrays[0].layout
    extent = dict(zip(names, base.shape, strict=True))
    paths, pixel_format = image.pictures, RGB8
    if not paths or extent.get("c") != 3 * len(paths) or base.dtype is not np.uint8:
        pixel_format = PixelFormat(1, np.dtype(base.dtype).itemsize * 8)
        paths = tuple(image.optical_path(channel) for channel in range(extent.get("c", 1)))
    if any(extent[name] > 1 for name in set(names) - set("czyx")):
        not_kept.append("Only the first time point is kept.")
    planes = _order_planes(image, extent.get("z", 1))
    not_kept += planes.not_kept
    return ImageLayout(
        tuple(levels),
        pixel_format,
        paths,
        planes.heights_um,
        _spacing_mm(image),
        tuple(dict.fromkeys(not_kept)),
        names,
        tuple(arrays),
        planes.numbers,
    )


def _is_coarser(level: Level, finer: Level) -> bool:
    return level.size.area < finer.size.area and level.downsample > finer.downsample


def _check_base(array: ChunkedArray, names: Sequence[str]) -> None:
    if len(array.layout.shape) != len(names):
        raise DamagedSlideError("The slide has other axes than it names; copy it again.")


def _is_alike(array: ChunkedArray, base: ChunkedArray, names: Sequence[str]) -> bool:
    """Whether a level has the base's planes and channels; raises DamagedSlideError for worse."""
    if len(array.layout.shape) != len(names) or array.layout.dtype != base.layout.dtype:
        raise DamagedSlideError(_DIFFERS)
    pairs = zip(names, array.layout.shape, base.layout.shape, strict=True)
    return all(here == there for name, here, there in pairs if name not in "yx")


def _level(
    image: Image, array: ChunkedArray, finer: Sequence[Level], scale: Sequence[float] | None
) -> Level:
    """A level of that array, its downsample as the scales tell it if the sizes agree."""
    extent = dict(zip((axis.name for axis in image.axes), array.layout.shape, strict=False))
    size = Size(extent["x"], extent["y"])
    if not finer:
        return Level(size, TILE, 1.0)
    base = finer[0].size
    by_size = math.sqrt(base.area / size.area)
    downsample = next(filter(partial(_fits, base, size), _told(image, scale, by_size)), by_size)
    return Level(size, TILE, downsample)


def _told(image: Image, scale: Sequence[float] | None, by_size: float) -> Iterator[float]:
    """What a level's downsample should be: as its scale says, or else a whole number."""
    first, x = image.datasets[0].scale, image.axis("x")
    if scale is not None and first is not None and x is not None and first[x] > 0:
        yield scale[x] / first[x]
    yield round(by_size)


def _fits(base: Size, size: Size, downsample: float) -> bool:
    """Whether the sizes agree: halves are rounded, up or down, each time a level is halved."""
    return downsample > 1 and all(
        abs(whole / downsample - part) <= 1
        for whole, part in ((base.columns, size.columns), (base.rows, size.rows))
    )


def _check_size(
    array: ChunkedArray, level: Level, names: Sequence[str], files: Files, limits: Limits
) -> None:
    """Raise SlideTooLargeError for more than a slide can be, UnsupportedSlideError for shreds."""
    limits.check_level(level.size, TILE)
    if level.size.area > limits.bytes_bound_pixels:
        limits.check_bytes(level.size, files.total_bytes())
    extent = dict(zip(names, array.layout.shape, strict=True))
    layers = extent.get("c", 1) * extent.get("z", 1)
    if layers > _MOST_LAYERS or layers * level.grid.tiles.area > limits.level_tiles:
        raise SlideTooLargeError(
            "The slide has more channels and planes than any scanner makes; it is refused."
        )
    chunks = 1
    for name, whole, chunk in zip(names, array.layout.shape, array.layout.chunk_shape, strict=True):
        if name in "yx":
            chunks *= -(-min(whole, 512) // chunk)
    if chunks > _MOST_CHUNKS:
        raise UnsupportedSlideError("The slide is cut into shreds; write it in larger chunks.")


def _left_out(files: Files, folder: str, array: ArrayLayout) -> list[str]:
    """What is to be told of chunks that have no file.

    Blank ones may be left out, and only some writers tell how many are there. Raises
    IncompleteSlideError where they are fewer than that.
    """
    found = files.count_chunks(folder)
    if found is None:
        return []
    if array.stored_objects is None:
        return [_LEFT_OUT] if found < array.most_objects else []
    if found < array.stored_objects:
        raise IncompleteSlideError("Pieces of the image are missing; copy the whole folder again.")
    return []


def _order_planes(image: Image, count: int) -> FocalPlanes:
    z, scale = image.axis("z"), image.datasets[0].scale
    unit = None if z is None else image.axes[z].unit_um
    if z is None or scale is None or unit is None or scale[z] <= 0:
        return order_planes(count, None)
    return order_planes(count, [index * scale[z] * unit for index in range(count)])


def _spacing_mm(image: Image) -> tuple[float, float] | None:
    spacing = []
    scale = image.datasets[0].scale
    for name in "yx":
        axis = image.axis(name)
        unit = None if axis is None else image.axes[axis].unit_um
        if axis is None or unit is None or scale is None:
            return None
        spacing.append(scale[axis] * unit / 1000)
    return (spacing[0], spacing[1]) if all(0 < one < math.inf for one in spacing) else None
