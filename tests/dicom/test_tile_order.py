from dataclasses import replace

import pytest

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import InstanceHeader
from dicom.tile_order import tile_order_of
from tiling.geometry import Size

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


def test_of_a_header() -> None:
    assert tile_order_of(HEADER).frame_number(2, 1) == 6
    single = replace(HEADER, organization=None, number_of_frames=1, size=HEADER.tile)
    assert tile_order_of(single).frames == 1


def test_other_organizations_are_refused() -> None:
    with pytest.raises(UnsupportedInstanceError, match="TILED_SPARSE"):
        tile_order_of(replace(HEADER, organization="TILED_SPARSE"))
    with pytest.raises(DamagedInstanceError, match="needs 6 frames, but has 5"):
        tile_order_of(replace(HEADER, number_of_frames=5))
