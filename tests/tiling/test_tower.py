"""Levels made together are what halving the whole image gives, whatever the shape of its tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiling.blank import blank_tile
from tiling.downsample import halve
from tiling.geometry import Size, TileGrid
from tiling.slide import RGB8, PixelFormat, Samples
from tiling.tile_order import TilePosition
from tiling.tower import Tower, fits_above, height

GREY16 = PixelFormat(samples=1, bits=16)
BACKGROUND = 7


def cut(image: Samples, grid: TileGrid, position: TilePosition) -> Samples:
    """A whole tile of an image; what lies beyond is marked, to be found where it has no place."""
    tile = np.full((grid.tile.rows, grid.tile.columns, image.shape[2]), 99, image.dtype)
    top, left = position.row * grid.tile.rows, position.column * grid.tile.columns
    visible = grid.visible(position.column, position.row)
    shown = image[top : top + visible.rows, left : left + visible.columns]
    tile[: visible.rows, : visible.columns] = shown
    return tile


def build(image: Samples, grids: list[TileGrid], pixel_format: PixelFormat) -> list[Samples]:
    """Every level of a tower put together; each tile must be given just once."""
    tower = Tower(grids, pixel_format, [BACKGROUND])
    levels = [
        np.full((g.image.rows, g.image.columns, image.shape[2]), 55, image.dtype) for g in grids
    ]
    given_tiles: set[tuple[int, TilePosition]] = set()

    def take(number: int, place: TilePosition, samples: Samples) -> None:
        grid = grids[number]
        assert (number, place) not in given_tiles
        given_tiles.add((number, place))
        assert samples.shape == (grid.tile.rows, grid.tile.columns, image.shape[2])
        visible = grid.visible(place.column, place.row)
        top, left = place.row * grid.tile.rows, place.column * grid.tile.columns
        levels[number][top : top + visible.rows, left : left + visible.columns] = samples[
            : visible.rows, : visible.columns
        ]
        if number:
            assert (samples[visible.rows :] == BACKGROUND).all()
            assert (samples[:, visible.columns :] == BACKGROUND).all()

    for block in tower.blocks(0, 0):
        tower.climb(block, lambda place: cut(image, grids[0], place), take)
    assert len(given_tiles) == sum(grid.tiles.area for grid in grids)
    return levels


@given(
    size=st.tuples(st.integers(1, 70), st.integers(1, 70)),
    tile=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    rungs=st.integers(1, 4),
    pixel_format=st.sampled_from([RGB8, GREY16]),
    seed=st.integers(0, 99),
)
@settings(deadline=None)
def test_each_level_is_the_half_of_the_one_below(
    size: tuple[int, int], tile: tuple[int, int], rungs: int, pixel_format: PixelFormat, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0], pixel_format.samples)
    image = rng.integers(0, 40, shape).astype(pixel_format.dtype)
    grids = [TileGrid(Size(*size), Size(*tile))]
    expected = [image]
    for _ in range(rungs - 1):
        grids.append(TileGrid(grids[-1].image.halved(), grids[-1].tile))
        expected.append(halve(expected[-1]))
    for made, wanted in zip(build(image, grids, pixel_format), expected, strict=True):
        np.testing.assert_array_equal(made, wanted)


def test_levels_may_lack_their_last_odd_row_and_column() -> None:
    """Some scanners round down: every tile below is given nevertheless."""
    image = np.random.default_rng(1).integers(0, 255, (129, 65, 3), np.uint8)
    tile = Size(16, 16)
    grids = [TileGrid(Size(65, 129), tile), TileGrid(Size(32, 64), tile)]
    assert fits_above(grids[1], grids[0])
    base, half = build(image, grids, RGB8)
    np.testing.assert_array_equal(base, image)
    np.testing.assert_array_equal(half, halve(image[:128, :64]))


@pytest.mark.parametrize(
    ("size", "tile", "expected"),
    [
        (Size(50, 33), Size(8, 8), True),
        (Size(50, 32), Size(8, 8), True),
        (Size(49, 33), Size(8, 8), True),
        (Size(51, 33), Size(8, 8), False),
        (Size(48, 33), Size(8, 8), False),
        (Size(25, 16), Size(8, 8), False),
        (Size(50, 33), Size(16, 8), False),
    ],
)
def test_what_fits_above(size: Size, tile: Size, *, expected: bool) -> None:
    assert fits_above(TileGrid(size, tile), TileGrid(Size(100, 65), Size(8, 8))) is expected


@pytest.mark.parametrize(("side", "expected"), [(1, 2), (7, 2), (8, 2), (16, 3), (32, 4), (999, 4)])
def test_a_tower_has_blocks_to_share_out(side: int, expected: int) -> None:
    assert height(TileGrid(Size(side, side), Size(1, 1)), 9) == expected
    assert height(TileGrid(Size(side, side), Size(1, 1)), 1) == 1


def test_blank_tiles_stay_the_shared_one() -> None:
    tile = Size(8, 8)
    blank = blank_tile(tile, RGB8, 255)
    seen: list[Samples] = []
    tower = Tower([TileGrid(Size(16, 16), tile), TileGrid(tile, tile)], RGB8, [255])
    for block in tower.blocks(0, 0):
        tower.climb(block, lambda _: blank, lambda _, __, samples: seen.append(samples))
    assert len(seen) == 5
    assert all(samples is blank for samples in seen)
