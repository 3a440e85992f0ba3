"""Several areas of one glass, and the images beside them."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicom.formats import open_any
from dicom.source.testing import FramePosition, WrittenInstance, instance_of, with_uid, write
from tiling.downsample import halve
from tiling.geometry import Size
from tiling.slide import AssociatedKind, Pixels, SlideReader
from tiling.testing import draw_pattern

TILE = Size(64, 64)
ONE = draw_pattern(128, 128)
OTHER = np.ascontiguousarray(np.flip(ONE, 0))


def at(x_mm: float, y_mm: float) -> Mapping[str, object]:
    origin = pydicom.Dataset()
    origin.XOffsetInSlideCoordinateSystem = str(x_mm)
    origin.YOffsetInSlideCoordinateSystem = str(y_mm)
    return {"TotalPixelMatrixOriginSequence": [origin]}


def image(
    pixels: Pixels, extra: Mapping[str, object] | None = None, *, spacing_mm: float | None = 0.0005
) -> WrittenInstance:
    if spacing_mm is not None:
        spacing_mm *= 128 / pixels.shape[1]
    return replace(instance_of(pixels, TILE), spacing_mm=spacing_mm, extra=extra or {})


def opened(folder: Path, *images: WrittenInstance) -> SlideReader:
    paths = [write(folder / f"{n}.dcm", with_uid(one, n)) for n, one in enumerate(images, start=1)]
    return open_any(paths[0])


def corner(pixels: Pixels) -> Pixels:
    return pixels[:64, :64]


@pytest.mark.parametrize("spacing_mm", [0.0005, None])
def test_two_areas_of_one_size_are_two_slides(tmp_path: Path, spacing_mm: float | None) -> None:
    reader = opened(
        tmp_path,
        image(ONE, at(12, 25), spacing_mm=spacing_mm),
        image(OTHER, at(12, 40), spacing_mm=spacing_mm),
    )
    assert len(reader.scenes) == 2
    for scene, pixels in zip(reader.scenes, (ONE, OTHER), strict=True):
        np.testing.assert_array_equal(scene.read_tile(0, 0, 0), corner(pixels))
        assert scene.metadata.not_kept == ()


def test_each_area_has_its_own_levels_and_thumbnail(tmp_path: Path) -> None:
    coarse = replace(image(halve(OTHER), at(12, 40.01)), role="THUMBNAIL")
    reader = opened(
        tmp_path,
        image(ONE, at(12, 25)),
        image(OTHER, at(12, 40)),
        image(halve(OTHER), at(12, 40.0005)),
        image(halve(ONE), at(12, 25)),
        coarse,
    )
    for scene, pixels in zip(reader.scenes, (ONE, OTHER), strict=True):
        np.testing.assert_array_equal(scene.read_tile(1, 0, 0), corner(halve(pixels)))
        assert (AssociatedKind.THUMBNAIL in scene.associated) is (pixels is OTHER)


def test_images_nearer_than_a_cell_are_of_one_place(tmp_path: Path) -> None:
    reader = opened(tmp_path, image(ONE, at(12, 25)), image(OTHER, at(12.002, 25)))
    assert len(reader.scenes) == 1
    assert "only the first" in reader.metadata.not_kept[0]


def test_a_coarse_scan_of_another_place_is_no_level(tmp_path: Path) -> None:
    reader = opened(tmp_path, image(ONE, at(12, 25)), image(halve(OTHER), at(12, 40)))
    assert len(reader.levels) == 1
    assert "no levels" in reader.metadata.not_kept[0]


@pytest.mark.parametrize("bad", [("x", "1"), ("1e300", "0"), ("nan", "0"), ("0", "nan")])
def test_an_origin_that_is_no_place_says_nothing(tmp_path: Path, bad: tuple[str, str]) -> None:
    found = [image(ONE), image(halve(ONE), at(12, 25))]
    paths = [write(tmp_path / f"{n}.dcm", with_uid(one, n)) for n, one in enumerate(found)]
    dataset = pydicom.dcmread(paths[0])
    origin = pydicom.Dataset()
    for axis, value in zip("XY", bad, strict=True):
        tag = pydicom.datadict.tag_for_keyword(f"{axis}OffsetInSlideCoordinateSystem")
        assert tag is not None
        origin.add(pydicom.DataElement(tag, "LO", value))
    dataset.TotalPixelMatrixOriginSequence = [origin]
    dataset.save_as(paths[0])
    assert len(open_any(paths[0]).levels) == 2


@pytest.mark.parametrize("role", ["LOCALIZER", "REGIONLOCALIZER"])
def test_a_localizer_of_the_glass_is_the_overview(tmp_path: Path, role: str) -> None:
    glass = draw_pattern(60, 150)
    localizer = replace(instance_of(glass, Size(60, 150)), role=role)
    reader = opened(tmp_path, image(ONE), localizer)
    np.testing.assert_array_equal(reader.read_associated(AssociatedKind.OVERVIEW), glass)
    assert reader.metadata.not_kept == ()


def test_a_localizer_beside_an_overview_is_told(tmp_path: Path) -> None:
    glass = draw_pattern(60, 150)
    overview = instance_of(glass, Size(60, 150))
    reader = opened(
        tmp_path,
        image(ONE),
        replace(instance_of(glass[::-1], Size(60, 150)), role="LOCALIZER"),
        replace(overview, role="OVERVIEW"),
    )
    np.testing.assert_array_equal(reader.read_associated(AssociatedKind.OVERVIEW), glass)
    assert "only the first of each" in reader.metadata.not_kept[0]


@pytest.mark.parametrize("role", ["LOCALIZER", "SOMETHING"])
def test_images_of_other_kinds_are_told(tmp_path: Path, role: str) -> None:
    reader = opened(tmp_path, image(ONE), replace(image(halve(ONE)), role=role))
    assert not reader.associated
    assert "no tissue, label, overview or thumbnail" in reader.metadata.not_kept[0]


def test_heights_that_follow_the_tissue_are_told(tmp_path: Path) -> None:
    instance = image(ONE)
    positions = [
        FramePosition(column * 64 + 1, row * 64 + 1, z_um=3.0 * column + row)
        for row in (0, 1)
        for column in (0, 1)
    ]
    sparse = replace(instance, organization="TILED_SPARSE", positions=positions)
    reader = opened(tmp_path, sparse)
    assert reader.focal_planes_um == (0.0,)
    assert "to follow the tissue" in reader.metadata.not_kept[0]
