"""The label and the overview: small images beside the scans."""

from pathlib import Path

import numpy as np

from tiling.errors import TilingError
from tiling.formats.olympus.images import Image, ImageKind
from tiling.formats.olympus.levels import StoredLevel
from tiling.geometry import Size
from tiling.jpeg_tiff.images import DirectoryImage
from tiling.limits import Limits
from tiling.slide import AssociatedKind, Pixels
from tiling.tiff import IMAGE_LENGTH, IMAGE_WIDTH, TiffFile

_MOST_PIXELS = 1 << 23
"""Of an overview that comes in several resolutions; a coarser one is taken beyond this."""
_LABELS, _OVERVIEWS = {"label"}, {"overview", "macro image", "macro"}


def kind_of(image: Image) -> AssociatedKind | None:
    """What an image is besides the scans; None for a scan, a mask or a focus map."""
    name = image.name.casefold()
    if name in _LABELS:
        return AssociatedKind.LABEL
    if image.kind in (ImageKind.OVERVIEW, ImageKind.MACRO) or name in _OVERVIEWS:
        return AssociatedKind.OVERVIEW
    return None


class TiledImage:
    """An associated image that is a stack of tiles itself: one of its resolutions."""

    def __init__(self, level: StoredLevel) -> None:
        self._level = level

    @classmethod
    def of(cls, levels: tuple[StoredLevel, ...], limits: Limits) -> "TiledImage | None":
        """The finest that is no larger than need be; None where even the coarsest is too large."""
        most = min(_MOST_PIXELS, limits.associated_pixels)
        fitting = (stored for stored in levels if stored.level.size.area <= most)
        return next((cls(stored) for stored in fitting), None)

    @property
    def size(self) -> Size:
        return self._level.level.size

    def read(self, path: Path) -> Pixels:  # noqa: ARG002  its stack is open already
        grid = self._level.level.grid
        pixels = np.empty((self.size.rows, self.size.columns, 3), np.uint8)
        for column, row in grid.positions():
            visible = grid.visible(column, row)
            left, top = column * grid.tile.columns, row * grid.tile.rows
            tile = self._level.pixels(column, row, 0, 0)[: visible.rows, : visible.columns]
            pixels[top : top + visible.rows, left : left + visible.columns] = tile
        return pixels


def in_directory(file: TiffFile, image: Image, limits: Limits) -> DirectoryImage | None:
    """An image that is in the VSI itself; None where it is not there or has no size."""
    directories = list(file.directories())
    if image.directory is None or not 0 <= image.directory < len(directories):
        return None
    directory = directories[image.directory]
    try:
        size = Size(file.number(directory, IMAGE_WIDTH), file.number(directory, IMAGE_LENGTH))
        limits.check_associated(size)
    except (ValueError, TilingError):
        return None
    return DirectoryImage(image.directory, size)
