"""Levels made together: each tile is halved while it is unpacked, and none is unpacked twice.

A tile of a level needs four of the level below it, each of these four more: a block of the lowest
level is read tile by tile, depth first, so that no more than a few tiles of each level are held.
A block is nearly square, which also suits readers that put tiles together from other ones.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from tiling import argb
from tiling.blank import blank_beyond, blank_tile
from tiling.downsample import halve
from tiling.geometry import Size, TileGrid
from tiling.slide import PixelFormat, Samples
from tiling.tile_order import TilePosition

MOST_RUNGS = 4
"""Levels in one tower: 64 tiles of the lowest in a block."""
_ENOUGH_BLOCKS = 16
"""Blocks that a tower of more than two levels has at least, to be shared out to threads."""

Read = Callable[[TilePosition], Samples]
"""A whole tile of the lowest level, `(rows, columns, samples)`."""
Take = Callable[[int, TilePosition, Samples], None]
"""Given the number of a level from the lowest, 0, a tile's place in it and the tile."""


def fits_above(upper: TileGrid, lower: TileGrid) -> bool:
    """Whether a level is the half of another, perhaps without a last odd row or column."""
    half = lower.image.halved()
    return upper.tile == lower.tile and all(
        whole - 1 <= side <= whole
        for side, whole in (
            (upper.image.columns, half.columns),
            (upper.image.rows, half.rows),
        )
    )


def height(lowest: TileGrid, rungs: int) -> int:
    """How many of `rungs` levels are best made together: the same whatever the machine."""
    high = min(rungs, MOST_RUNGS)
    while high > 2 and _blocks(lowest, high).area < _ENOUGH_BLOCKS:
        high -= 1
    return high


def _blocks(lowest: TileGrid, rungs: int) -> Size:
    side = 1 << (rungs - 1)
    return Size(-(-lowest.tiles.columns // side), -(-lowest.tiles.rows // side))


class Tower:
    """Grids of one optical path and focal plane upon each other, each the half of that below."""

    def __init__(
        self, grids: Sequence[TileGrid], pixel_format: PixelFormat, backgrounds: Sequence[int]
    ) -> None:
        """`backgrounds` are the samples beyond the image, by optical path."""
        self._grids = grids
        self._format = pixel_format
        self._backgrounds = backgrounds

    def blocks(self, path: int, plane: int) -> Iterator[TilePosition]:
        """The tiles of the highest level, and places beside it that have tiles below them."""
        blocks = _blocks(self._grids[0], len(self._grids))
        for row in range(blocks.rows):
            for column in range(blocks.columns):
                yield TilePosition(column, row, path, plane)

    def climb(self, block: TilePosition, read: Read, take: Take) -> None:
        """Read all tiles of a block and make those above them; each is given to `take` once."""
        self._climb(len(self._grids) - 1, block, read, take)

    def _climb(self, number: int, position: TilePosition, read: Read, take: Take) -> Samples | None:
        """The tile of a level; None where the level has none, though it may have some below."""
        parts = self._below(number, position, read, take) if number else {}
        if position[:2] not in self._grids[number]:
            return None
        samples = self._halve(number, position, parts) if number else read(position)
        take(number, position, samples)
        return samples

    def _below(
        self, number: int, position: TilePosition, read: Read, take: Take
    ) -> dict[tuple[int, int], Samples]:
        """Up to four tiles by their place, (0, 0) to (1, 1), columns before rows."""
        parts: dict[tuple[int, int], Samples] = {}
        for y in (0, 1):
            for x in (0, 1):
                column, row = 2 * position.column + x, 2 * position.row + y
                below = TilePosition(column, row, position.path, position.plane)
                samples = self._climb(number - 1, below, read, take)
                if samples is not None:
                    parts[x, y] = samples
        return parts

    def _halve(
        self, number: int, position: TilePosition, parts: dict[tuple[int, int], Samples]
    ) -> Samples:
        """A tile of those below it, of which only what lies in the image has a part in it."""
        below, background = self._grids[number - 1], self._backgrounds[position.path]
        blank = blank_tile(below.tile, self._format, background)
        if all(samples is blank for samples in parts.values()):
            return blank
        seen = {
            (x, y): samples[: visible.rows, : visible.columns]
            for (x, y), samples in parts.items()
            for visible in [below.visible(2 * position.column + x, 2 * position.row + y)]
        }
        columns, rows = below.tile.columns, below.tile.rows
        if columns % 2 or rows % 2:
            # Tiles with an odd side meet within a pixel, so that they are halved as one.
            seen = {(0, 0): _join(seen)}
        whole = sum(samples.shape[0] * samples.shape[1] for samples in seen.values())
        halves = {place: halve(samples) for place, samples in seen.items()}
        if whole < 4 * below.tile.area:
            tile = np.array(blank)
        elif all(argb.behind(half) is not None for half in halves.values()):
            tile = argb.as_rgb(np.empty(blank.shape[:2], np.uint32))
        else:
            tile = np.empty_like(blank)
        for (x, y), half in halves.items():
            argb.lay(half, tile, y * rows // 2, x * columns // 2)
        visible = self._grids[number].visible(position.column, position.row)
        return blank_beyond(tile, visible, background)


def _join(parts: dict[tuple[int, int], Samples]) -> Samples:
    """Up to four neighbouring images as one; all but the last ones are whole tiles."""
    rows = [
        np.hstack([part for (_, down), part in sorted(parts.items()) if down == y])
        for y in sorted({y for _, y in parts})
    ]
    joined: Samples = np.vstack(rows)
    return joined
