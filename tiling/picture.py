"""A picture of a region, drawn from the compressed tiles that its cut names."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import Any

import numpy as np
from PIL import Image

from tiling.codecs import frames
from tiling.colour import Target, convert_colour, profile_of
from tiling.composite import Window, composite
from tiling.downsample import halve
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.region import Cut
from tiling.slide import Codec, Level, PixelFormat, Pixels, Samples, TileEncoding

_FILTER = Image.Resampling.HAMMING
"""Averages what becomes one pixel, and neither sharpens nor leaves a halo around nuclei."""
_FULL = Window(0, 255)
_BLACK_BELOW = 128


class Quality(StrEnum):
    """How much of its colours a picture keeps."""

    COLOUR = "color"
    GREY = "gray"
    BITONAL = "bitonal"


class PictureFormat(StrEnum):
    """What a picture is compressed as."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return f"image/{'jpeg' if self is PictureFormat.JPEG else self.value}"


_ENCODINGS: dict[PictureFormat, tuple[str, dict[str, Any]]] = {
    PictureFormat.JPEG: ("JPEG", {"quality": 90, "subsampling": 0}),
    PictureFormat.PNG: ("PNG", {"compress_level": 3}),
    PictureFormat.WEBP: ("WEBP", {"quality": 90, "method": 2}),
}
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""By degrees clockwise; Pillow counts the other way round."""


@dataclass(frozen=True, slots=True)
class Look:
    """What is done with a region once it is scaled, in this order."""

    profile: bytes | None = None
    target: Target | None = None
    """Colours are converted where both are given."""
    mirrored: bool = False
    rotation: int = 0
    """Clockwise: 0, 90, 180 or 270 degrees."""
    quality: Quality = Quality.COLOUR
    format: PictureFormat = PictureFormat.JPEG


@dataclass(frozen=True, slots=True)
class Layer:
    """The tiles of one optical path, in the order of `Cut.positions`."""

    frames: Sequence[bytes]
    window: Window | None = None
    colour: tuple[int, int, int] = (255, 255, 255)
    """How light alone is shown; colours are shown as they are."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the frames of a level are."""

    encoding: TileEncoding
    pixel_format: PixelFormat


def draw_picture(cut: Cut, level: Level, kind: Kind, layers: Sequence[Layer], look: Look) -> bytes:
    """The picture as a file; of several layers of light the sum, of colours the first layer.

    Raises DamagedSlideError and its kin for a frame or a profile that is broken.
    """
    if kind.pixel_format.samples == 1:
        shown = [_scaled(_canvas(cut, level, kind, layer), cut, level) for layer in layers]
        colours = [layer.colour for layer in layers]
        pixels = composite(shown, [_FULL] * len(shown), colours)
    else:
        pixels = _scaled(_canvas(cut, level, kind, layers[0]), cut, level)
        if look.profile is not None and look.target is not None:
            pixels = convert_colour(pixels, look.profile, look.target)
    image = Image.fromarray(pixels)
    if look.mirrored:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if look.rotation:
        image = image.transpose(_TURNS[look.rotation])
    return _encoded(image, look)


def _encoded(image: Image.Image, look: Look) -> bytes:
    name, options = _ENCODINGS[look.format]
    if look.quality is not Quality.COLOUR:
        image = image.convert("L")
        if look.quality is Quality.BITONAL:
            image = image.point([0] * _BLACK_BELOW + [255] * (256 - _BLACK_BELOW))
    elif look.profile is not None and look.target is not None:
        options = options | {"icc_profile": profile_of(look.target)}
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()


def _canvas(cut: Cut, level: Level, kind: Kind, layer: Layer) -> Pixels:
    """All tiles of a cut side by side, shrunk, up to the edge of the level."""
    rows, columns = level.tile.rows // cut.shrink, level.tile.columns // cut.shrink
    shape = (len(cut.tile_rows) * rows, len(cut.tile_columns) * columns)
    canvas = np.empty((*shape, kind.pixel_format.samples), np.uint8)
    for (column, row), tile in zip(cut.positions(), _tiles(cut, level, kind, layer), strict=True):
        y, x = (row - cut.tile_rows.start) * rows, (column - cut.tile_columns.start) * columns
        canvas[y : y + rows, x : x + columns] = tile
    last_row = ceil(level.size.rows / cut.shrink) - cut.tile_rows.start * rows
    last_column = ceil(level.size.columns / cut.shrink) - cut.tile_columns.start * columns
    return canvas[:last_row, :last_column]


def _tiles(cut: Cut, level: Level, kind: Kind, layer: Layer) -> Iterator[Pixels]:
    for (column, row), frame in zip(cut.positions(), layer.frames, strict=True):
        visible = level.grid.visible(column, row)
        if cut.shrink > 1 and visible == level.tile and _shrinks_itself(kind):
            yield _shrunk_jpeg(frame, kind, level.tile, cut.shrink)
            continue
        samples = frames.decode(frame, kind.encoding, level.tile, kind.pixel_format)
        pixels = _eight_bits(samples, kind.pixel_format, layer.window)
        if cut.shrink > 1:
            pixels = _beyond_repeated(pixels, visible)
        for _ in range(cut.shrink.bit_length() - 1):
            pixels = halve(pixels)
        yield pixels


def _shrinks_itself(kind: Kind) -> bool:
    """Whether a decoder can leave the finer half of the detail out: a JPEG in colours."""
    return kind.encoding.codec is Codec.JPEG and kind.pixel_format.samples == 3


def _shrunk_jpeg(frame: bytes, kind: Kind, tile: Size, shrink: int) -> Pixels:
    """A tile of a half, a quarter or an eighth: its coarser coefficients alone are unpacked."""
    frames.check(frame, kind.encoding, tile, kind.pixel_format)
    size = (tile.columns // shrink, tile.rows // shrink)
    try:
        with Image.open(io.BytesIO(frame), formats=("JPEG",)) as image:
            image.draft("RGB", size)
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise DamagedSlideError(
            "A compressed tile cannot be decoded; copy the file again from the scanner."
        ) from error
    if pixels.shape != (size[1], size[0], 3):
        raise DamagedSlideError(
            "A compressed tile differs in size from its level; "
            "copy the file again from the scanner."
        )
    return pixels


def _eight_bits(samples: Samples, pixel_format: PixelFormat, window: Window | None) -> Pixels:
    if pixel_format.samples == 1:
        return (window or Window(0, pixel_format.brightest)).apply(samples)
    return np.asarray(samples >> max(pixel_format.bits - 8, 0), np.uint8)


def _beyond_repeated(pixels: Pixels, visible: Size) -> Pixels:
    """The last row and column repeated beyond the image: what lies there is of no slide."""
    rows, columns = pixels.shape[:2]
    missing = ((0, rows - visible.rows), (0, columns - visible.columns), (0, 0))
    return np.pad(pixels[: visible.rows, : visible.columns], missing, mode="edge")


def _scaled(canvas: Pixels, cut: Cut, level: Level) -> Pixels:
    """The part of the canvas that the picture shows, at its size."""
    x, y = cut.tile_columns.start * level.tile.columns, cut.tile_rows.start * level.tile.rows
    left, right = (cut.left - x) / cut.shrink, (cut.right - x) / cut.shrink
    top, bottom = (cut.top - y) / cut.shrink, (cut.bottom - y) / cut.shrink
    rows, columns, samples = canvas.shape
    missing = max(ceil(bottom) - rows, 0), max(ceil(right) - columns, 0)
    if any(missing):  # the scanner dropped pixels that do not fill one of the level's
        canvas = np.pad(canvas, ((0, missing[0]), (0, missing[1]), (0, 0)), mode="edge")
    size = cut.size
    if (left, top, right - left, bottom - top) == (int(left), int(top), size.columns, size.rows):
        return np.ascontiguousarray(canvas[int(top) : int(bottom), int(left) : int(right)])
    image = Image.fromarray(canvas[:, :, 0] if samples == 1 else canvas)
    scaled = image.resize((size.columns, size.rows), _FILTER, (left, top, right, bottom))
    return np.asarray(scaled).reshape(size.rows, size.columns, samples)
