"""An open slide behind OpenSlide."""

from pathlib import Path

import numpy as np
import openslide
from PIL import Image

from tiling.blank import white_tile, whiten_beyond
from tiling.described import DescribedSlide, Description
from tiling.errors import DamagedSlideError
from tiling.formats.fallback.metadata import read_metadata
from tiling.formats.fallback.region import flatten, read_region
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import AssociatedKind, Level, Pixels

TILE = Size(512, 512)
"""Cut freely, since nothing is handed on: fewer frames than 256, and still a quick request."""

_KINDS = {
    AssociatedKind.LABEL: "label",
    AssociatedKind.OVERVIEW: "macro",
    AssociatedKind.THUMBNAIL: "thumbnail",
}


class FallbackSlide(DescribedSlide):
    """Reads pixels through OpenSlide, which allows several threads on one slide.

    OpenSlide refuses every call after its first error; so does this, each time with an error. The
    associated images are read from openings of their own, so that none breaks more than itself.
    """

    def __init__(self, path: Path, slide: openslide.OpenSlide, vendor: str, limits: Limits) -> None:
        self._path = path
        self._slide = slide
        levels = tuple(
            Level(Size(*dimensions), TILE, downsample)
            for dimensions, downsample in zip(
                slide.level_dimensions, slide.level_downsamples, strict=True
            )
        )
        for level in levels:
            limits.check_level(level.size, level.tile)
        sizes, metadata = _associated_sizes(slide, limits), read_metadata(slide, limits)
        super().__init__(Description(f"{vendor} (OpenSlide)", metadata, levels, sizes))
        self._background = _background(slide)
        self._bounds = _bounds(slide, levels[0].size)

    def read_tile(self, level: int, column: int, row: int, path: int = 0, plane: int = 0) -> Pixels:
        self.check_layer(path, plane)
        shape = self.levels[level]
        visible = shape.grid.visible(column, row)
        left = round(column * TILE.columns * shape.downsample)
        top = round(row * TILE.rows * shape.downsample)
        if self._is_outside(left, top, shape.downsample):
            return whiten_beyond(self._blank(), visible)
        try:
            argb = read_region(self._slide, left, top, level, TILE)
        except openslide.OpenSlideError as error:
            raise DamagedSlideError(
                "A part of the slide cannot be decoded; copy the file again from the scanner."
            ) from error
        pixels = flatten(argb, self._background)
        return whiten_beyond(self._blank() if pixels is None else pixels, visible)

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        if kind not in self.associated:
            raise KeyError(kind)
        try:
            with openslide.OpenSlide(self._path) as slide:
                image = slide.associated_images[_KINDS[kind]]
        except openslide.OpenSlideError as error:
            raise DamagedSlideError(
                f"The slide's {kind} cannot be decoded; copy the file again from the scanner."
            ) from error
        backdrop = Image.new("RGBA", image.size, (*self._background, 255))
        return np.asarray(Image.alpha_composite(backdrop, image).convert("RGB"))

    def close(self) -> None:
        self._slide.close()

    def _is_outside(self, left: int, top: int, downsample: float) -> bool:
        """Whether a tile, given by its corner in base pixels, misses all that was scanned."""
        right = left + TILE.columns * downsample
        bottom = top + TILE.rows * downsample
        scanned_left, scanned_top, scanned_right, scanned_bottom = self._bounds
        # Coarse levels may reach a fraction of a pixel beyond the bounds.
        margin = 2 * downsample
        return (
            right + margin <= scanned_left
            or bottom + margin <= scanned_top
            or left - margin >= scanned_right
            or top - margin >= scanned_bottom
        )

    def _blank(self) -> Pixels:
        blank = white_tile(TILE)
        if self._background == (255, 255, 255):
            return blank
        return np.full_like(blank, self._background)


def _associated_sizes(slide: openslide.OpenSlide, limits: Limits) -> dict[AssociatedKind, Size]:
    """Sizes by OpenSlide's properties, so that no image is decoded to learn them."""
    sizes = {}
    for kind, name in _KINDS.items():
        columns = slide.properties.get(f"openslide.associated.{name}.width")
        rows = slide.properties.get(f"openslide.associated.{name}.height")
        if columns and rows:
            sizes[kind] = Size(int(columns), int(rows))
            limits.check_associated(sizes[kind])
    return sizes


def _background(slide: openslide.OpenSlide) -> tuple[int, int, int]:
    """The colour of glass that was not scanned: the slide's own, or white."""
    text = slide.properties.get(openslide.PROPERTY_NAME_BACKGROUND_COLOR, "")
    try:
        red, green, blue = bytes.fromhex(text)
    except ValueError:
        return 255, 255, 255
    return red, green, blue


def _bounds(slide: openslide.OpenSlide, base: Size) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of all that was scanned, in base pixels."""
    names = ("bounds-x", "bounds-y", "bounds-width", "bounds-height")
    values = [slide.properties.get(f"openslide.{name}") for name in names]
    try:
        left, top, columns, rows = (int(value or "") for value in values)
    except ValueError:
        return 0, 0, base.columns, base.rows
    return left, top, left + columns, top + rows
