"""The resolutions of a stack: which tile is where, and how each is read."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tiling.blank import background_of, blank_beyond, blank_tile
from tiling.codecs import frames
from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.formats.olympus import tiles
from tiling.formats.olympus.images import Image
from tiling.formats.olympus.layers import Layers
from tiling.formats.olympus.stack import Stack
from tiling.geometry import Size, TileGrid
from tiling.limits import Limits
from tiling.slide import Level, Samples, TileEncoding
from tiling.tile_order import TileOrder

_TILE = 512
"""Side of the tiles that are cut from larger ones, where these are not handed on."""
_KEPT_PIXELS = 1 << 23
"""Pixels of unpacked tiles that a level keeps while it is cut anew; at least one tile."""


class StoredLevel:
    """One resolution; reads go by offset and are safe from several threads."""

    def __init__(
        self,
        stack: Stack,
        layers: Layers,
        grid: TileGrid,
        places: NDArray[np.int32],
        downsample: float,
    ) -> None:
        """`places`, shape `(tiles,)` of the order, tells each tile's place in the directory; -1
        for one that the scanner left out.
        """
        self._stack = stack
        self._grid = grid
        self._order = TileOrder(grid, len(layers.optical_paths), len(layers.focal_planes_um))
        self._places = places
        self._backgrounds = [background_of(stack.pixel_format, p) for p in layers.optical_paths]
        encoding = self._encoding()
        size, stored = grid.image, grid.tile
        is_small = encoding or max(stored.columns, stored.rows) <= _TILE
        self.level = Level(
            size,
            stored if is_small else Size(_TILE, _TILE),
            downsample,
            encoding,
            lossy=tiles.is_lossy(stack),
        )
        self._unpack = lru_cache(max(1, _KEPT_PIXELS // stored.area))(self._unpack_stored)
        self._encode_blank = lru_cache(self._encode_blank_of)

    def pixels(self, column: int, row: int, path: int, plane: int) -> Samples:
        visible = self.level.grid.visible(column, row)
        if self.level.tile == self._grid.tile:
            samples = self._stored(column, row, path, plane)
        else:
            samples = self._cut(column, row, path, plane)
        return blank_beyond(samples, visible, self._backgrounds[path])

    def lengths(self, path: int, plane: int) -> NDArray[np.int64]:
        """As `SlideReader.encoded_tile_lengths`."""
        first = self._order.frame_index(0, 0, path, plane)
        places = self._places[first : first + self._grid.tiles.area]
        lengths = self._stack.lengths[places]
        missing = places < 0
        if missing.any():
            lengths[missing] = len(self._blank_frame(path))
        return lengths

    def encoded(self, column: int, row: int, path: int, plane: int) -> bytes:
        place = self._places[self._order.frame_index(column, row, path, plane)]
        return self._blank_frame(path) if place < 0 else self._stack.read(int(place))

    def _encoding(self) -> TileEncoding | None:
        """What all tiles can be handed on as, those among them that the scanner left out."""
        present = self._places[self._places >= 0]
        if not present.size:
            return None
        encoding = tiles.encoding_of(self._stack, self._stack.read(int(present[0])))
        is_whole = present.size == self._places.size
        return encoding if encoding and (is_whole or tiles.blank_encoding(encoding)) else None

    def _blank_frame(self, path: int) -> bytes:
        """As `encoded`, for a tile that the scanner left out."""
        encoding = self.level.encoding and tiles.blank_encoding(self.level.encoding)
        if encoding is None:
            raise ValueError("the level has only pixels")
        return self._encode_blank(self._backgrounds[path], encoding)

    def _encode_blank_of(self, background: int, encoding: TileEncoding) -> bytes:
        blank = blank_tile(self._grid.tile, self._stack.pixel_format, background)
        return frames.encode(blank, encoding, self._stack.pixel_format)

    def _stored(self, column: int, row: int, path: int, plane: int) -> Samples:
        if self.level.encoding:
            stream = self.encoded(column, row, path, plane)
            return tiles.decode(self._stack, stream, self.level.encoding)
        place = int(self._places[self._order.frame_index(column, row, path, plane)])
        if place < 0:
            return blank_tile(self._grid.tile, self._stack.pixel_format, self._backgrounds[path])
        return self._unpack_stored(place)

    def _unpack_stored(self, place: int) -> Samples:
        return tiles.decode(self._stack, self._stack.read(place))

    def _cut(self, column: int, row: int, path: int, plane: int) -> Samples:
        """A tile from the stored ones that it lies on."""
        tile, stored = self.level.tile, self._grid.tile
        left, top = column * tile.columns, row * tile.rows
        visible = self.level.grid.visible(column, row)
        right, bottom = left + visible.columns, top + visible.rows
        cut = np.array(blank_tile(tile, self._stack.pixel_format, self._backgrounds[path]))
        for r in range(top // stored.rows, -(-bottom // stored.rows)):
            for c in range(left // stored.columns, -(-right // stored.columns)):
                place = int(self._places[self._order.frame_index(c, r, path, plane)])
                if place < 0:
                    continue
                x, y = c * stored.columns, r * stored.rows
                x0, x1 = max(left, x), min(right, x + stored.columns)
                y0, y1 = max(top, y), min(bottom, y + stored.rows)
                part = self._unpack(place)[y0 - y : y1 - y, x0 - x : x1 - x]
                cut[y0 - top : y1 - top, x0 - left : x1 - left] = part
        return cut


def read_levels(
    image: Image, stack: Stack, layers: Layers, limits: Limits
) -> tuple[StoredLevel, ...]:
    """From the base upwards, as far as each is half the one before.

    Raises DamagedSlideError without a tile of the base, SlideTooLargeError beyond the limits.
    """
    base, margin = _base(image, stack)
    of_tiles = stack.coordinates[:, -1]
    levels: list[StoredLevel] = []
    for number in range(int(of_tiles.max()) + 1):
        indices = np.flatnonzero((of_tiles == number) & (layers.plane_of >= 0))
        if not indices.size:
            break
        size = _level_size(base, margin, number)
        if levels and size.area >= levels[-1].level.size.area:
            break
        limits.check_level(size, stack.tile)
        limits.check_bytes(size, stack.source.size)
        grid = TileGrid(size, stack.tile)
        places = _places(stack, layers, grid, indices, limits)
        levels.append(StoredLevel(stack, layers, grid, places, float(1 << number)))
    if not levels:
        raise DamagedSlideError("The slide has no tiles; copy the whole slide again.")
    return tuple(levels)


def _base(image: Image, stack: Stack) -> tuple[Size, tuple[int, int]]:
    """The image's size, and how many columns and rows are stored left of and above it.

    Stitching leaves a dozen of them at most; without them no tile could be handed on.
    """
    agrees = stack.extent is not None and image.size in (None, stack.extent)
    size, origin = (stack.extent, stack.origin) if agrees else (image.size, image.origin)
    if size is None:
        columns, rows = (int(side) + 1 for side in stack.coordinates[:, :2].max(axis=0))
        return Size(columns * stack.tile.columns, rows * stack.tile.rows), (0, 0)
    across, down = (-min(0, place) for place in origin)
    is_margin = across < stack.tile.columns and down < stack.tile.rows
    return size, (across, down) if is_margin else (0, 0)


def _level_size(image: Size, margin: tuple[int, int], level: int) -> Size:
    """What is stored of a level: the image rounded down, as the thumbnails show, and the margin
    rounded up.
    """
    across, down = (-(-pixels >> level) for pixels in margin)
    return Size(max(1, image.columns >> level) + across, max(1, image.rows >> level) + down)


def _places(
    stack: Stack, layers: Layers, grid: TileGrid, indices: NDArray[np.int64], limits: Limits
) -> NDArray[np.int32]:
    order = TileOrder(grid, len(layers.optical_paths), len(layers.focal_planes_um))
    if order.frames > limits.level_tiles:
        raise SlideTooLargeError("The slide announces more tiles than any scan; it is refused.")
    columns, rows = stack.coordinates[indices, 0], stack.coordinates[indices, 1]
    tiles_across, tiles_down = grid.tiles.columns, grid.tiles.rows
    inside = (columns < tiles_across) & (rows < tiles_down) & (stack.lengths[indices] > 0)
    # Of a tile that is told of twice, the first counts, as in other readers.
    indices, columns, rows = (values[inside][::-1] for values in (indices, columns, rows))
    layer = layers.path_of[indices] * order.focal_planes + layers.plane_of[indices]
    frame = layer.astype(np.int64) * grid.tiles.area + rows.astype(np.int64) * tiles_across
    places = np.full(order.frames, -1, np.int32)
    places[frame + columns] = indices
    return places
