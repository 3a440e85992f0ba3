"""An open CZI slide: one scene of a file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tiling.blank import background_of, blank_tile
from tiling.described import DescribedSlide, Description
from tiling.errors import DamagedSlideError
from tiling.formats.zeiss.attachments import Attached
from tiling.formats.zeiss.pixels import SubblockPixels
from tiling.formats.zeiss.rectangles import Rectangle
from tiling.formats.zeiss.scene import TILE, Scene
from tiling.slide import (
    AssociatedKind,
    OpticalPath,
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
    """The file's numbers of the focal planes, from the lowest upwards."""
    heights_um: tuple[float, ...]
    associated: Mapping[AssociatedKind, Attached]


class ZeissSlide(DescribedSlide):
    """Composes tiles from the subblocks that lie there."""

    def __init__(self, source: FileSource, pixels: SubblockPixels, layout: Layout) -> None:
        super().__init__(
            Description(
                FORMAT,
                layout.metadata,
                tuple(one.level for one in layout.scene.levels),
                {kind: image.size for kind, image in layout.associated.items()},
                layout.scene.pixel_format,
                layout.optical_paths,
                layout.heights_um,
            )
        )
        self._source = source
        self._pixels = pixels
        self._layout = layout
        self.siblings: tuple[ZeissSlide, ...] = (self,)
        """Every scene of the file, in its order."""

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *(other for other in self.siblings if other is not self))

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        self.check_layer(path, plane)
        channels, planes = self._layout.scene.channels, self._layout.planes
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
