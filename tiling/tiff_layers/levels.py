"""One resolution of a slide: an image for each of its optical paths and focal planes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tiling.blank import blank_beyond, blank_tile
from tiling.codecs import frames
from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import Level, PixelFormat, Samples, TileEncoding
from tiling.tiff_layers.encoded import MENDABLE, EncodedTiles
from tiling.tiff_layers.planes import Plane

_TILE = Size(512, 512)
"""Cut freely where nothing is handed on."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An image of one optical path and one focal plane."""

    plane: Plane
    encoded: EncodedTiles | None
    """Its tiles, where they can be handed on."""


class LayeredLevel:
    """The layers of one resolution, the planes of the first path before those of the next."""

    def __init__(
        self, layers: Sequence[Layer], backgrounds: Sequence[int], base: Size, limits: Limits
    ) -> None:
        """`backgrounds` has the blank sample of each layer, `base` the size of level 0.

        Raises DamagedSlideError when the layers are not of one size and kind,
        SlideTooLargeError beyond the limits.
        """
        self._layers = tuple(layers)
        self._backgrounds = tuple(backgrounds)
        first = layers[0].plane
        self.pixel_format: PixelFormat = first.pixel_format
        if any(
            (layer.plane.size, layer.plane.pixel_format) != (first.size, first.pixel_format)
            for layer in layers
        ):
            raise DamagedSlideError(
                "The slide's channels or planes differ in size or kind; export it anew."
            )
        encoded = self._common_encoding()
        size, tile = first.size, encoded.tile if encoded else _TILE
        limits.check_level(size, tile)
        self.level = Level(
            size,
            tile,
            (base.columns / size.columns + base.rows / size.rows) / 2,
            encoded.encoding if encoded else None,
            lossy=any(layer.plane.lossy for layer in layers),
        )
        if self.level.grid.tiles.area * len(layers) > limits.level_tiles:
            raise SlideTooLargeError("The file announces more tiles than any slide; it is refused.")
        self._blank_frame = cache(self._encode_blank)

    def pixels(self, layer: int, column: int, row: int) -> Samples:
        """A whole tile of one layer; raises IndexError outside the grid."""
        grid, background = self.level.grid, self._backgrounds[layer]
        visible = grid.visible(column, row)
        blank = blank_tile(grid.tile, self.pixel_format, background)
        if self.level.encoding is not None:
            frame = self.encoded(layer, column, row)
            samples = frames.decode(frame, self.level.encoding, grid.tile, self.pixel_format)
            return blank_beyond(samples, visible, background)
        left, top = column * grid.tile.columns, row * grid.tile.rows
        seen = self._layers[layer].plane.cut(left, top, visible, background)
        if visible == grid.tile:
            return seen
        whole = np.array(blank)
        whole[: visible.rows, : visible.columns] = seen
        return whole

    def lengths(self, layer: int) -> NDArray[np.int64]:
        """As `SlideReader.encoded_tile_lengths`, of a level that has an encoding."""
        encoded, encoding = self._encoded(layer)
        present = encoded.lengths > 0
        lengths = np.where(present, encoded.lengths + len(encoded.streams), 0)
        if not present.all():
            blank = self._blank_frame(encoding, self._backgrounds[layer])
            lengths[~present] = len(blank)
        return lengths

    def encoded(self, layer: int, column: int, row: int) -> bytes:
        """As `SlideReader.read_encoded_tile`, of a level that has an encoding."""
        encoded, encoding = self._encoded(layer)
        frame = encoded.read(self.level.grid.frame_index(column, row))
        return self._blank_frame(encoding, self._backgrounds[layer]) if frame is None else frame

    def _encoded(self, layer: int) -> tuple[EncodedTiles, TileEncoding]:
        encoded = self._layers[layer].encoded
        if encoded is None or self.level.encoding is None:
            raise ValueError("the level has only pixels")
        return encoded, self.level.encoding

    def _common_encoding(self) -> EncodedTiles | None:
        """The first layer's tiles, where those of all layers are alike and can all be given."""
        first = self._layers[0].encoded
        if first is None:
            return None
        for layer in self._layers:
            encoded = layer.encoded
            if encoded is None or (encoded.tile, encoded.encoding) != (first.tile, first.encoding):
                return None
            if encoded.encoding.codec not in MENDABLE and not encoded.lengths.all():
                return None
        return first

    def _encode_blank(self, encoding: TileEncoding, background: int) -> bytes:
        blank = blank_tile(self.level.tile, self.pixel_format, background)
        return frames.encode(blank, encoding, self.pixel_format)
