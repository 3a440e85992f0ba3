from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import InstanceHeader
from dicom.tile_order import TileOrder
from tiling.geometry import Size, TileGrid

sizes = st.builds(Size, st.integers(1, 500), st.integers(1, 500))
orders = st.builds(
    TileOrder,
    st.builds(TileGrid, sizes, sizes),
    focal_planes=st.integers(1, 4),
    optical_paths=st.integers(1, 3),
)

HEADER = InstanceHeader(
    sop_instance_uid="1.2",
    study_uid="1.3",
    series_uid="1.4",
    transfer_syntax_uid="1.2.840.10008.1.2.4.50",
    image_type=("ORIGINAL", "PRIMARY", "VOLUME", "NONE"),
    size=Size(columns=100, rows=50),
    tile=Size(columns=40, rows=40),
    number_of_frames=6,
    organization="TILED_FULL",
    optical_paths=1,
    focal_planes=1,
    photometric="RGB",
    samples_per_pixel=3,
    planar_configuration=0,
    bits_allocated=8,
    pixel_spacing_mm=None,
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
    for position in [(order.grid.tiles.columns, 0), (0, 0, order.focal_planes), (-1, 0)]:
        with pytest.raises(IndexError):
            order.frame_index(*position)
    for frame_index in (-1, order.frames):
        with pytest.raises(IndexError):
            order.position(frame_index)


def test_of_a_header() -> None:
    assert TileOrder.of(HEADER).frame_number(2, 1) == 6
    single = replace(HEADER, organization=None, number_of_frames=1, size=HEADER.tile)
    assert TileOrder.of(single).frames == 1


def test_other_organizations_are_refused() -> None:
    with pytest.raises(UnsupportedInstanceError, match="TILED_SPARSE"):
        TileOrder.of(replace(HEADER, organization="TILED_SPARSE"))
    with pytest.raises(DamagedInstanceError, match="needs 6 frames, but has 5"):
        TileOrder.of(replace(HEADER, number_of_frames=5))
