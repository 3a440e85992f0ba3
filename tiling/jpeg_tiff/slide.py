"""An open slide of JPEG or JPEG 2000 tiles."""

from functools import lru_cache
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from tiling.blank import white_tile, whiten_beyond
from tiling.codecs import frames
from tiling.described import DescribedSlide, Description
from tiling.downsample import halve
from tiling.jpeg_tiff.directories import Layout
from tiling.jpeg_tiff.images import unpack
from tiling.slide import (
    RGB8,
    AssociatedKind,
    Pixels,
    TileEncoding,
)
from tiling.source import FileSource

_MENDED_QUALITY = 90
_MENDED_TILES = 256
"""How many mended tiles are kept, since their lengths are asked for before their bytes."""


class JpegTiffSlide(DescribedSlide):
    """Reads the tiles of one file; every read goes by offset, so threads need no lock."""

    def __init__(self, name: str, path: Path, source: FileSource, layout: Layout) -> None:
        levels = tuple(stored.level for stored in layout.levels)
        sizes = {kind: image.size for kind, image in layout.associated.items()}
        super().__init__(Description(name, layout.metadata, levels, sizes))
        self._path = path
        self._source = source
        self._layout = layout
        self._mended = lru_cache(maxsize=_MENDED_TILES)(self._encode_mended)
        self._blank = lru_cache(maxsize=len(levels))(self._encode_blank)

    def read_tile(self, level: int, column: int, row: int, path: int = 0, plane: int = 0) -> Pixels:
        self.check_layer(path, plane)
        visible = self.levels[level].grid.visible(column, row)
        return whiten_beyond(self._read_whole(level, column, row), visible)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        self.check_layer(path, plane)
        stored = self._layout.levels[level]
        if stored.level.encoding is None:
            return super().encoded_tile_lengths(level, path, plane)
        lengths = stored.lengths + len(stored.streams)
        for index in np.flatnonzero(stored.lengths == 0):
            lengths[index] = len(self._mended(level, int(index)))
        return lengths

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        self.check_layer(path, plane)
        stored = self._layout.levels[level]
        index = stored.level.grid.frame_index(column, row)
        if stored.level.encoding is None:
            return super().read_encoded_tile(level, column, row, path, plane)
        length = int(stored.lengths[index])
        if not length:
            return self._mended(level, index)
        return stored.streams.apply(self._source.read(int(stored.offsets[index]), length))

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return unpack(self._layout.associated[kind], kind, self._path)

    def close(self) -> None:
        self._source.close()

    def _read_whole(self, level: int, column: int, row: int) -> Pixels:
        """A tile with whatever it has beyond the image."""
        stored = self._layout.levels[level]
        if stored.level.encoding is not None:
            frame = self.read_encoded_tile(level, column, row)
            samples = frames.decode(frame, stored.level.encoding, stored.level.tile, RGB8)
        else:
            found = stored.pixels.read(column, row) if stored.pixels else None
            samples = self._mend(level, column, row) if found is None else found
        return cast("Pixels", samples)

    def _mend(self, level: int, column: int, row: int) -> Pixels:
        """A tile that the scanner left out: its level's finer neighbour halved, or else white.

        Some scanners leave holes in coarse levels where the base has tissue, and a white hole
        would hide it from the one who navigates there.
        """
        pixels = self._from_finer(level, column, row)
        return white_tile(self.levels[level].tile) if pixels is None else pixels

    def _encode_mended(self, level: int, index: int) -> bytes:
        """A mended tile as its neighbours are encoded."""
        shape = self.levels[level]
        pixels = self._mend(level, *shape.grid.position(index))
        if pixels is white_tile(shape.tile):
            return self._blank(level)
        return _encode(pixels, shape.encoding)

    def _encode_blank(self, level: int) -> bytes:
        shape = self.levels[level]
        return _encode(white_tile(shape.tile), shape.encoding)

    def _from_finer(self, level: int, column: int, row: int) -> Pixels | None:
        """The tile's pixels made from the next finer level; None where that has nothing either."""
        if level == 0:
            return None
        tile, finer = self.levels[level].tile, self._layout.levels[level - 1]
        factor = round(self.levels[level].downsample / finer.level.downsample)
        if factor not in (2, 4, 8):
            return None
        grid = finer.level.grid
        left, top = column * tile.columns * factor, row * tile.rows * factor
        across = range(
            left // grid.tile.columns, -(-(left + tile.columns * factor) // grid.tile.columns)
        )
        down = range(top // grid.tile.rows, -(-(top + tile.rows * factor) // grid.tile.rows))
        inside = [(c, r) for r in down for c in across if (c, r) in grid]
        if not any(finer.lengths[grid.frame_index(c, r)] for c, r in inside):
            return None
        canvas = np.full(
            (len(down) * grid.tile.rows, len(across) * grid.tile.columns, 3), 255, np.uint8
        )
        for c, r in inside:
            y, x = (r - down[0]) * grid.tile.rows, (c - across[0]) * grid.tile.columns
            canvas[y : y + grid.tile.rows, x : x + grid.tile.columns] = self.read_tile(
                level - 1, c, r
            )
        y, x = top - down[0] * grid.tile.rows, left - across[0] * grid.tile.columns
        pixels: Pixels = canvas[y : y + tile.rows * factor, x : x + tile.columns * factor]
        for _ in range(factor.bit_length() - 1):
            pixels = halve(pixels)
        return pixels


def _encode(pixels: Pixels, encoding: TileEncoding | None) -> bytes:
    if encoding is None:
        raise ValueError("a level of pixels alone has no encoded tiles")
    return frames.encode(pixels, encoding, RGB8, _MENDED_QUALITY)
