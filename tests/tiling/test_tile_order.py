import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.geometry import Size, TileGrid
from tiling.tile_order import TileOrder

sizes = st.builds(Size, st.integers(1, 500), st.integers(1, 500))
orders = st.builds(
    TileOrder,
    st.builds(TileGrid, sizes, sizes),
    optical_paths=st.integers(1, 3),
    focal_planes=st.integers(1, 4),
)


@given(orders, st.data())
def test_a_frame_has_one_position_and_a_position_one_frame(
    order: TileOrder, data: st.DataObject
) -> None:
    frame_index = data.draw(st.integers(0, order.frames - 1))
    position = order.position(frame_index)
    assert order.frame_index(*position) == frame_index
    assert order.frame_number(*position) == frame_index + 1


def test_columns_run_first_then_rows_then_planes_then_paths() -> None:
    order = TileOrder(TileGrid(Size(20, 20), Size(10, 10)), focal_planes=2, optical_paths=2)
    positions = [order.position(frame_index) for frame_index in range(order.frames)]
    assert positions == sorted(positions, key=lambda p: (p.path, p.plane, p.row, p.column))


@given(orders)
def test_nothing_is_outside(order: TileOrder) -> None:
    for position in [
        (order.grid.tiles.columns, 0),
        (0, 0, order.optical_paths),
        (0, 0, 0, order.focal_planes),
        (-1, 0),
    ]:
        with pytest.raises(IndexError):
            order.frame_index(*position)
    for frame_index in (-1, order.frames):
        with pytest.raises(IndexError):
            order.position(frame_index)


@given(orders)
def test_layers_are_in_the_order_of_the_frames(order: TileOrder) -> None:
    first = [order.frame_index(0, 0, path, plane) for path, plane in order.layers()]
    assert first == list(range(0, order.frames, order.grid.tiles.area))
