"""An open CZI slide: one scene of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiling.blank import background_of, blank_tile
from tiling.errors import DamagedSlideError
from tiling.formats.zeiss.attachments import Attached
from tiling.formats.zeiss.pixels import SubblockPixels
from tiling.formats.zeiss.rectangles import Rectangle
from tiling.formats.zeiss.scene import TILE, Scene
from tiling.geometry import Size
from tiling.slide import (
    AssociatedKind,
    Level,
    OpticalPath,
    PixelFormat,
    Pixels,
    Samples,
    SlideMetadata,
    SlideReader,
)
from tiling.source import FileSource

FORMAT = "Zeiss CZI"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the file says of one scene."""

    scene: Scene
    metadata: SlideMetadata
    optical_paths: tuple[OpticalPath, ...]
    planes: tuple[int, ...]
    """The file's numbers of the focal planes that are kept."""
    heights_um: tuple[float, ...]
    associated: Mapping[AssociatedKind, Attached]


class ZeissSlide(SlideReader):
    """Composes tiles from the subblocks that lie there."""

    def __init__(self, source: FileSource, pixels: SubblockPixels, layout: Layout) -> None:
        self._source = source
        self._pixels = pixels
        self._layout = layout
        self._levels = tuple(one.level for one in layout.scene.levels)
        self.siblings: tuple[ZeissSlide, ...] = (self,)
        """Every scene of the file, in its order."""

    @property
    def format(self) -> str:
        return FORMAT

    @property
    def metadata(self) -> SlideMetadata:
        return self._layout.metadata

    @property
    def levels(self) -> Sequence[Level]:
        return self._levels

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        return {kind: image.size for kind, image in self._layout.associated.items()}

    @property
    def pixel_format(self) -> PixelFormat:
        return self._layout.scene.pixel_format

    @property
    def optical_paths(self) -> Sequence[OpticalPath]:
        return self._layout.optical_paths

    @property
    def focal_planes_um(self) -> Sequence[float]:
        return self._layout.heights_um

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *(other for other in self.siblings if other is not self))

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        channels, planes = self._layout.scene.channels, self._layout.planes
        if path not in range(len(channels)) or plane not in range(len(planes)):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
        here, layer = self._layout.scene.levels[level], (channels[path], planes[plane])
        visible = here.level.grid.visible(column, row)
        background = background_of(self.pixel_format, self.optical_paths[path])
        blank = blank_tile(TILE, self.pixel_format, background)
        if layer not in here.mosaics:
            return blank
        left, top = column * TILE.columns, row * TILE.rows
        area = Rectangle(left, top, left + visible.columns, top + visible.rows)
        tile = np.array(blank)
        seen = tile[: visible.rows, : visible.columns]
        if not here.mosaics[layer].paint(seen, area, self._pixels):
            return blank
        if layer in here.scanned:
            # A coarser level has something everywhere, whether it was scanned or not.
            seen[~here.scanned[layer].cover(area)] = background
        return tile

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        image = self._layout.associated[kind]
        pixels = image.read()
        if pixels.shape[:2] != (image.size.rows, image.size.columns):
            raise DamagedSlideError(f"The slide's {kind} is corrupt; copy the file again.")
        return pixels

    def close(self) -> None:
        self._source.close()
