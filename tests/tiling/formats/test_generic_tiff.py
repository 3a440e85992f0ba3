"""TIFFs of nobody's: read as they are meant, left to OpenSlide, or refused; never shown wrongly."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats import generic_tiff
from tiling.registry import open_slide
from tiling.slide import Codec, Samples, SlideReader
from tiling.testing import SlideReaderContract, draw_pattern

BASE = draw_pattern(700, 600)
GREY = BASE[:, :, 0].astype(np.uint16) * 200


def write(path: Path, pixels: Any, *, levels: int = 3, reduced: bool = True, **said: Any) -> Path:
    planar = said.get("planarconfig") == "separate"
    options = {"tile": (128, 256), "metadata": None, **said}
    with tifffile.TiffWriter(path) as file:
        for number in range(levels):
            step = 1 << number
            level = pixels[..., ::step, ::step] if planar else pixels[::step, ::step]
            file.write(level, subfiletype=int(reduced and number > 0), **options)
    return path


def read_whole(reader: SlideReader, level: int = 0) -> Samples:
    shape = reader.levels[level]
    rows = []
    for row in range(shape.grid.tiles.rows):
        tiles = [reader.read_tile(level, c, row) for c in range(shape.grid.tiles.columns)]
        rows.append(np.concatenate(tiles, axis=1))
    return np.concatenate(rows)[: shape.size.rows, : shape.size.columns]


class TestGreyOfSixteenBits(SlideReaderContract):
    @pytest.fixture
    def reader(self, tmp_path: Path) -> Iterator[SlideReader]:
        path = write(tmp_path / "grey.tif", GREY, photometric="minisblack", compression="zlib")
        reader = open_slide(path)
        assert reader.format == "Tiled TIFF"
        yield reader
        reader.close()

    def test_not_a_bit_is_lost(self, reader: SlideReader) -> None:
        assert (reader.pixel_format.samples, reader.pixel_format.bits) == (1, 16)
        for number, level in enumerate(reader.levels):
            step = 1 << number
            np.testing.assert_array_equal(read_whole(reader, number)[:, :, 0], GREY[::step, ::step])
            assert not level.lossy


@pytest.mark.parametrize(
    "said",
    [
        {"compression": None},
        {"compression": "lzw", "predictor": True},
        {"compression": "zlib"},
        {"compression": "zstd"},
        {"compression": "packbits"},
    ],
    ids=str,
)
@pytest.mark.parametrize("separate", [False, True])
def test_colours_in_every_compression(
    tmp_path: Path, said: dict[str, Any], *, separate: bool
) -> None:
    pixels = np.moveaxis(BASE, -1, 0) if separate else BASE
    planar = {"planarconfig": "separate"} if separate else {}
    reader = open_slide(write(tmp_path / "rgb.tif", pixels, photometric="rgb", **planar, **said))
    assert reader.format == "Tiled TIFF"
    assert len(reader.levels) == 3
    np.testing.assert_array_equal(read_whole(reader), BASE)


def test_colours_of_sixteen_bits(tmp_path: Path) -> None:
    pixels = BASE.astype(np.uint16) * 257
    reader = open_slide(write(tmp_path / "rgb.tif", pixels, photometric="rgb"))
    np.testing.assert_array_equal(read_whole(reader), pixels)


def test_counting_from_white_is_turned_round(tmp_path: Path) -> None:
    path = write(tmp_path / "white.tif", 65535 - GREY, photometric="miniswhite")
    np.testing.assert_array_equal(read_whole(open_slide(path))[:, :, 0], GREY)


def test_jpeg_2000_in_grey_is_handed_on(tmp_path: Path) -> None:
    path = write(tmp_path / "j2k.tif", GREY, photometric="minisblack", compression="jpeg2000")
    reader = open_slide(path)
    encoding = reader.levels[0].encoding
    assert encoding is not None
    assert encoding.codec is Codec.JPEG_2000_LOSSLESS
    SlideReaderContract().test_encoded_tiles_are_what_the_level_says(reader)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_an_image_is_turned_upright(tmp_path: Path, orientation: int) -> None:
    said = {
        "photometric": "rgb",
        "resolution": (20000, 10000),
        "resolutionunit": "CENTIMETER",
        "extratags": [(274, 3, 1, orientation, True)],
    }
    reader = open_slide(write(tmp_path / "turned.tif", BASE, **said))
    turned = np.swapaxes(BASE, 0, 1) if orientation > 4 else BASE
    turned = turned[:, ::-1] if orientation in (2, 3, 6, 7) else turned
    turned = turned[::-1] if orientation in (3, 4, 7, 8) else turned
    assert reader.format == "Tiled TIFF"
    assert len(reader.levels) == 3
    np.testing.assert_array_equal(read_whole(reader), turned)
    spacing = (0.0005, 0.001) if orientation > 4 else (0.001, 0.0005)
    assert reader.metadata.pixel_spacing_mm == pytest.approx(spacing)


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (GREY, {"photometric": "minisblack", "reduced": False}),
        (GREY.astype(np.int16), {"photometric": "minisblack"}),
        (BASE[:, :, 0].astype(np.int8), {"photometric": "minisblack"}),
        (GREY.astype(np.float32), {"photometric": "minisblack"}),
        (BASE, {"photometric": "rgb", "extratags": [(274, 3, 1, 9, True)]}),
    ],
    ids=["several", "int16", "int8", "float", "orientation"],
)
def test_what_openslide_would_show_wrongly_is_refused(
    tmp_path: Path, pixels: Any, said: dict[str, Any]
) -> None:
    path = write(tmp_path / "odd.tif", pixels, **said)
    with pytest.raises(UnsupportedSlideError):
        open_slide(path)


def palette() -> Any:
    return np.random.default_rng(5).integers(0, 256, (3, 256)).astype(np.uint16) * 257


def test_a_palette_is_shown_in_its_colours(tmp_path: Path) -> None:
    colours = palette()
    path = write(
        tmp_path / "palette.tif",
        BASE[:, :, 0],
        photometric="palette",
        colormap=colours,
        compression="lzw",
        levels=1,
    )
    assert generic_tiff.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE
    expected = np.moveaxis(colours >> 8, 0, -1)[BASE[:, :, 0]]
    np.testing.assert_array_equal(read_whole(open_slide(path)), expected)


def test_inks_are_left_to_another(tmp_path: Path) -> None:
    inks = np.concatenate([255 - BASE, np.zeros_like(BASE[:, :, :1])], axis=2)
    path = write(tmp_path / "inks.tif", inks, photometric="separated", compression="lzw", levels=1)
    assert generic_tiff.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE
    shown = read_whole(open_slide(path)).astype(int)
    assert np.abs(shown - BASE).max() <= 2


def test_opacity_is_left_to_another(tmp_path: Path) -> None:
    opaque = np.concatenate([BASE, np.full_like(BASE[:, :, :1], 255)], axis=2)
    path = write(
        tmp_path / "rgba.tif", opaque, photometric="rgb", extrasamples=["unassalpha"], levels=1
    )
    assert generic_tiff.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE
    np.testing.assert_array_equal(read_whole(open_slide(path)), BASE)


def test_photographs_in_strips_are_not_slides(tmp_path: Path) -> None:
    path = tmp_path / "photograph.tif"
    tifffile.imwrite(path, BASE, photometric="rgb", metadata=None)
    assert generic_tiff.sniff(path, path.read_bytes()[:4096]) is Confidence.NONE


def test_a_directory_cut_off_is_damage(tmp_path: Path) -> None:
    path = write(tmp_path / "cut.tif", GREY, photometric="minisblack", description="x" * 9000)
    data = path.read_bytes()
    for kept in (0.001, 0.3, 0.9, 0.999):
        path.write_bytes(data[: int(len(data) * kept)])
        with pytest.raises(DamagedSlideError):
            open_slide(path)


@pytest.mark.parametrize(
    "name",
    ["OrthancLogoJpeg.tiff", "OrthancLogoRaw.tiff", "boxes.tiff", "small_HE_levels.tiff",
     "test_orient1.tif", "yb10kx5k.zstd.tiff"],
)  # fmt: skip
def test_shared_slides_are_as_tifffile_has_them(shared_slides: Path, name: str) -> None:
    path = shared_slides / "generic-tiff" / name
    reader = open_slide(path)
    assert reader.format == "Tiled TIFF"
    coarsest = len(reader.levels) - 1
    found = read_whole(reader, coarsest).astype(int)
    with tifffile.TiffFile(path) as file:
        expected = file.series[0].levels[coarsest].asarray()
    expected = expected[:, :, None] if expected.ndim == 2 else expected
    assert np.abs(found - expected).max() <= (1 if reader.levels[0].lossy else 0)


def test_a_shared_slide_on_its_side(shared_slides: Path) -> None:
    folder = shared_slides / "generic-tiff"
    upright, turned = (open_slide(folder / f"test_orient{n}.tif") for n in (1, 6))
    for level in range(3):
        expected = np.rot90(read_whole(upright, level), -1)
        np.testing.assert_array_equal(read_whole(turned, level), expected)
