from math import ceil

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tiling.geometry import Size
from tiling.region import Region, cut_region, factor_of
from tiling.slide import Level


def pyramid(columns: int, rows: int, tile: int, factors: tuple[int, ...]) -> list[Level]:
    """Levels as scanners have them: some drop what does not fill a whole pixel."""
    return [
        Level(
            Size(max(columns // factor, 1), max(rows // factor, 1)), Size(tile, tile), float(factor)
        )
        for factor in factors
    ]


LEVELS = pyramid(10_001, 7_003, 240, (1, 4, 16))


def test_the_nearest_level_with_enough_pixels_is_taken() -> None:
    whole = Region(0, 0, 10_001, 7_003)
    for width, level in ((10_001, 0), (2_502, 0), (2_501, 1), (627, 1), (626, 2), (10, 2)):
        size = Size(width, max(round(width * 0.7), 1))
        assert cut_region(LEVELS, whole, size).level == level


def test_tiles_of_a_level_are_its_own_pixels() -> None:
    cut = cut_region(LEVELS, Region(960 * 4, 960, 960, 960), Size(240, 240))
    assert (cut.level, cut.left, cut.top, cut.right, cut.bottom) == (1, 960, 240, 1200, 480)
    assert (cut.tile_columns, cut.tile_rows) == (range(4, 5), range(1, 2))
    assert cut.shrink == 1
    assert cut.tile_alone(Size(240, 240)) == (4, 1)


def test_the_last_tile_of_a_level_is_its_own_pixels_too() -> None:
    cut = cut_region(LEVELS, Region(9_600, 6_720, 401, 283), Size(101, 71))
    assert (cut.level, cut.left, cut.top) == (1, 2_400, 1_680)
    assert (cut.right - cut.left, cut.bottom - cut.top) == (101, 71)
    assert (cut.tile_columns, cut.tile_rows) == (range(10, 11), range(7, 8))
    assert cut.tile_alone(Size(240, 240)) is None


def test_within_a_gap_tiles_are_shrunk_while_unpacked() -> None:
    cut = cut_region(LEVELS, Region(480, 0, 480, 480), Size(240, 240))
    assert (cut.level, cut.shrink) == (0, 2)
    assert (cut.tile_columns, cut.tile_rows) == (range(2, 4), range(2))


def test_a_tile_that_cannot_be_halved_is_left_whole() -> None:
    odd = pyramid(1000, 1000, 125, (1,))
    assert cut_region(odd, Region(0, 0, 1000, 1000), Size(100, 100)).shrink == 1


def test_a_picture_that_is_mixed_knows_the_pixels_beyond_its_edge() -> None:
    cut = cut_region(LEVELS, Region(240, 240, 240, 240), Size(150, 150))
    assert (cut.tile_columns, cut.tile_rows) == (range(3), range(3))


def test_a_factor_is_whole_where_the_size_says_so() -> None:
    base = Size(46_000, 32_914)
    tile = Size(240, 240)
    assert factor_of(Level(Size(11_500, 8_228), tile, 4.000122), base) == 4
    assert factor_of(Level(Size(11_501, 8_229), tile, 3.9997), base) == 4
    assert factor_of(Level(Size(11_000, 7_870), tile, 4.182), base) == 4.182


@pytest.mark.parametrize(
    ("region", "size"),
    [
        (Region(10_001, 0, 10, 10), Size(1, 1)),
        (Region(0, 7_003, 10, 10), Size(1, 1)),
        (Region(0, 0, 10, 10), Size(11, 10)),
        (Region(9_999, 0, 10, 10), Size(3, 3)),
    ],
)
def test_what_is_not_there_is_refused(region: Region, size: Size) -> None:
    with pytest.raises(ValueError, match=r"region|pixels"):
        cut_region(LEVELS, region, size)


def test_a_region_has_an_extent() -> None:
    for wrong in ((0, 0, 0, 1), (0, 0, 1, 0), (-1, 0, 1, 1), (0, -1, 1, 1)):
        with pytest.raises(ValueError, match="no region"):
            Region(*wrong)


@st.composite
def asked(draw: st.DrawFn) -> tuple[list[Level], Region, Size]:
    columns, rows = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
    tile = draw(st.sampled_from([1, 7, 64, 240, 256, 1000]))
    factors = draw(st.sampled_from([(1,), (1, 2, 4, 8), (1, 4, 16), (1, 3), (1, 32)]))
    left, top = draw(st.integers(0, columns - 1)), draw(st.integers(0, rows - 1))
    region = Region(left, top, draw(st.integers(1, 6000)), draw(st.integers(1, 6000)))
    seen = Size(min(region.columns, columns - left), min(region.rows, rows - top))
    size = Size(draw(st.integers(1, seen.columns)), draw(st.integers(1, seen.rows)))
    return pyramid(columns, rows, tile, factors), region, size


@given(asked())
def test_whatever_is_asked_for_lies_in_its_tiles(asking: tuple[list[Level], Region, Size]) -> None:
    levels, region, size = asking
    cut = cut_region(levels, region, size)
    level = levels[cut.level]
    tiles = level.grid.tiles
    assert cut.size == size
    assert all(place in level.grid for place in cut.positions())
    assert cut.tiles == len(list(cut.positions())) >= 1
    for begin, end, columns, tile, count, extent in (
        (
            cut.left,
            cut.right,
            cut.tile_columns,
            level.tile.columns,
            tiles.columns,
            level.size.columns,
        ),
        (cut.top, cut.bottom, cut.tile_rows, level.tile.rows, tiles.rows, level.size.rows),
    ):
        assert 0 <= begin < end <= extent + 1
        assert columns.start * tile <= begin or columns.start == count - 1
        assert columns.stop * tile >= min(ceil(end), extent)


@given(asked())
def test_no_coarser_level_would_do(asking: tuple[list[Level], Region, Size]) -> None:
    levels, region, size = asking
    base = levels[0].size
    cut = cut_region(levels, region, size)
    assume(cut.level + 1 < len(levels))
    factor = factor_of(levels[cut.level + 1], base)
    columns = min(region.columns, base.columns - region.left)
    rows = min(region.rows, base.rows - region.top)
    assert ceil(columns / factor - 1e-6) < size.columns or ceil(rows / factor - 1e-6) < size.rows


@given(asked())
def test_what_is_unpacked_is_not_more_than_it_takes(
    asking: tuple[list[Level], Region, Size],
) -> None:
    levels, region, size = asking
    cut = cut_region(levels, region, size)
    tile = levels[cut.level].tile
    ratio = max((cut.right - cut.left) / size.columns, (cut.bottom - cut.top) / size.rows)
    margin = 2 * (ceil(ratio) + cut.shrink) + 2
    assert len(cut.tile_columns) * tile.columns <= cut.right - cut.left + margin + 2 * tile.columns
    assert len(cut.tile_rows) * tile.rows <= cut.bottom - cut.top + margin + 2 * tile.rows
