"""What OpenSlide opens, as pixels on white."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile

from tiling.blank import white_tile
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats import fallback
from tiling.formats.fallback.metadata import read_not_kept
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.registry import open_slide
from tiling.slide import ONE_FOCAL_PLANE, ONE_OPTICAL_PATH, AssociatedKind, SlideReader
from tiling.testing import (
    SlideReaderContract,
    SvsOptions,
    draw_pattern,
    write_generic_tiff,
    write_svs,
)

VENDORS = [
    "mirax.mrxs",
    "ventana.bif",
    "dicom/tiled-full-jpeg/level-0.dcm",
]


class TestGenericTiff(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        path = tmp_path / "slide.tif"
        write_generic_tiff(path, draw_pattern(1203, 871))
        reader = open_slide(path)
        yield reader
        reader.close()

    def test_its_pixels_are_the_files(self, reader: SlideReader) -> None:
        expected = draw_pattern(1203, 871)[512:871, 512:1024]
        np.testing.assert_array_equal(reader.read_tile(0, 1, 1)[:359], expected)


class TestLeftByItsOwnReader(SlideReaderContract):
    """Two areas on one glass: OpenSlide paints them where they lie."""

    @pytest.fixture
    def reader(self, leica: Callable[..., Path]) -> Iterator[SlideReader]:
        reader = open_slide(leica(areas=2))
        yield reader
        reader.close()

    def test_glass_that_was_not_scanned_is_one_shared_tile(self, reader: SlideReader) -> None:
        assert reader.read_tile(0, 0, 0) is white_tile(Size(512, 512))


@pytest.mark.parametrize("name", VENDORS)
def test_a_tile_is_openslides_region_on_white(shared_slides: Path, name: str) -> None:
    path = shared_slides / "synthetic" / name
    reader = open_slide(path)
    with openslide.OpenSlide(path) as judge:
        level = reader.levels[0]
        column, row = level.grid.tiles.columns // 2, level.grid.tiles.rows // 2
        region = judge.read_region((column * 512, row * 512), 0, (512, 512))
        pixels = reader.read_tile(0, column, row)
        flat = np.asarray(region)
        opaque = flat[:, :, 3] == 255
        np.testing.assert_array_equal(pixels[opaque], flat[:, :, :3][opaque])
        assert (pixels[flat[:, :, 3] == 0] == 255).all()
        assert reader.metadata.pixel_spacing_mm is not None
        assert reader.metadata.vendor
        for kind, size in reader.associated.items():
            assert reader.read_associated(kind).shape == (size.rows, size.columns, 3)
    reader.close()


@pytest.mark.parametrize("kind", ["tiled-full-htj2k", "tiled-full-jpegls"])
def test_an_unknown_compression_is_unsupported_not_damaged(shared_slides: Path, kind: str) -> None:
    with pytest.raises(UnsupportedSlideError):
        open_slide(shared_slides / "synthetic" / "dicom" / kind / "level-0.dcm")


def test_a_dead_slide_goes_on_saying_so(shared_slides: Path) -> None:
    """OpenSlide refuses every call after an error: no later tile may come back as white."""
    reader = open_slide(shared_slides / "bad" / "dicom-truncated.dcm")
    last = reader.levels[0].grid.tiles
    with pytest.raises(DamagedSlideError):
        reader.read_tile(0, last.columns - 1, last.rows - 1)
    with pytest.raises(DamagedSlideError):
        reader.read_tile(0, 0, 0)


@pytest.mark.parametrize(
    ("properties", "expected"),
    [
        ({}, ()),
        ({"dicom.NumberOfOpticalPaths": "1", "dicom.TotalPixelMatrixFocalPlanes": "1"}, ()),
        ({"dicom.NumberOfOpticalPaths": "3"}, (ONE_OPTICAL_PATH,)),
        ({"dicom.TotalPixelMatrixFocalPlanes": "5"}, (ONE_FOCAL_PLANE,)),
        (
            {
                "mirax.HIERARCHICAL.HIER_2_NAME": "Microscope focus level",
                "mirax.HIERARCHICAL.HIER_2_COUNT": "9",
            },
            (ONE_FOCAL_PLANE,),
        ),
        (
            {
                "mirax.HIERARCHICAL.HIER_0_NAME": "Slide zoom level",
                "mirax.HIERARCHICAL.HIER_0_COUNT": "9",
            },
            (),
        ),
    ],
)
def test_what_openslide_passes_over_is_told(
    properties: dict[str, str], expected: tuple[str, ...]
) -> None:
    assert read_not_kept(properties) == expected


def test_a_broken_label_breaks_nothing_else(tmp_path: Path) -> None:
    """OpenSlide answers nothing more after an error, which must not reach the other images."""
    path = tmp_path / "label.svs"
    overview = draw_pattern(320, 110)
    write_svs(
        path, draw_pattern(300, 300), SvsOptions(label=draw_pattern(120, 90), overview=overview)
    )
    break_strips_of_label(path)
    reader = fallback.open_(path, Limits())
    with pytest.raises(DamagedSlideError):
        reader.read_associated(AssociatedKind.LABEL)
    assert reader.read_associated(AssociatedKind.OVERVIEW).shape == overview.shape
    assert reader.read_tile(0, 0, 0).shape == (512, 512, 3)
    reader.close()


def break_strips_of_label(path: Path) -> None:
    with tifffile.TiffFile(path) as file:
        (label,) = [page for page in file.pages if "label" in page.tags["ImageDescription"].value]
        places = list(zip(label.dataoffsets, label.databytecounts, strict=True))
    data = bytearray(path.read_bytes())
    for offset, length in places:
        data[offset : offset + length] = b"\xff" * length
    path.write_bytes(data)
