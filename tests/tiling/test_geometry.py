"""Grids cover every pixel once, and indices and positions are each other's inverse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.geometry import Size, TileGrid

sizes = st.builds(Size, st.integers(1, 3000), st.integers(1, 3000))
small_grids = st.builds(
    TileGrid,
    st.builds(Size, st.integers(1, 60), st.integers(1, 60)),
    st.builds(Size, st.integers(1, 20), st.integers(1, 20)),
)


@given(small_grids)
def test_index_and_position_are_inverse(grid: TileGrid) -> None:
    positions = list(grid.positions())
    assert [grid.frame_index(*position) for position in positions] == list(range(grid.tiles.area))
    assert [grid.position(index) for index in range(grid.tiles.area)] == positions


@given(small_grids)
def test_visible_parts_cover_the_image_once(grid: TileGrid) -> None:
    assert sum(grid.visible(*position).area for position in grid.positions()) == grid.image.area


@given(small_grids, st.integers(-3, 70), st.integers(-3, 70))
def test_outside_is_an_index_error(grid: TileGrid, column: int, row: int) -> None:
    if (column, row) not in grid:
        with pytest.raises(IndexError):
            grid.frame_index(column, row)
        with pytest.raises(IndexError):
            grid.visible(column, row)


@given(sizes)
def test_halving_drops_no_pixel(size: Size) -> None:
    half = size.halved()
    assert 2 * half.columns - size.columns in (0, 1)
    assert 2 * half.rows - size.rows in (0, 1)


@pytest.mark.parametrize("extent", [(0, 1), (1, 0), (-1, 5)])
def test_an_empty_size_is_refused(extent: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Size(*extent)
