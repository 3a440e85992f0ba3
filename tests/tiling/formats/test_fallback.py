"""What OpenSlide opens, as pixels on white."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import openslide
import pytest

from tiling.blank import white_tile
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.registry import open_slide
from tiling.slide import SlideReader
from tiling.testing import SlideReaderContract, draw_pattern, write_generic_tiff

VENDORS = [
    "aperio-33003.svs",
    "mirax.mrxs",
    "ventana.bif",
    "zeiss-zstd0.czi",
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
