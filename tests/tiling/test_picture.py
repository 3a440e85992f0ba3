"""Pictures of regions against the same cut out of the pixels that the tiles were made of."""

import io
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tiling.codecs import frames
from tiling.codecs.frames import lossless_encoding
from tiling.colour import Target
from tiling.composite import Window, composite
from tiling.downsample import halve
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.matrix_profile import DISPLAY_P3, INPUT, matrix_profile
from tiling.picture import Kind, Layer, Look, PictureFormat, Quality, draw_picture
from tiling.region import Region, cut_region
from tiling.slide import RGB8, Colour, Level, PixelFormat, Pixels, Samples, TileEncoding
from tiling.testing import draw_pattern

BASE = draw_pattern(600, 440)
TILE = Size(64, 64)
RAW = lossless_encoding(RGB8)
JPEG = TileEncoding(Colour.YCBCR, (1, 1))
PNG = Look(format=PictureFormat.PNG)
GREY12 = PixelFormat(1, 12)
COLOURS = Kind(RAW, RGB8)


class Slide:
    """A pyramid of tiles in memory; beyond the image they hold what no picture may show."""

    def __init__(
        self,
        base: Samples,
        halvings: Sequence[int] = (0, 1, 2),
        kind: Kind = COLOURS,
        tile: Size = TILE,
    ) -> None:
        self.kind, self.images, self.levels = kind, [], []
        for number in range(max(halvings) + 1):
            if number in halvings:
                size = Size(base.shape[1], base.shape[0])
                self.images.append(base)
                self.levels.append(Level(size, tile, float(1 << number)))
            base = halve(base)

    def frame(self, level: int, column: int, row: int) -> bytes:
        tile, image = self.levels[level].tile, self.images[level]
        garbage = 255 * ((column + row) % 2)
        whole = np.full((tile.rows, tile.columns, image.shape[2]), garbage, image.dtype)
        part = image[row * tile.rows :, column * tile.columns :][: tile.rows, : tile.columns]
        whole[: part.shape[0], : part.shape[1]] = part
        return frames.encode(whole, self.kind.encoding, self.kind.pixel_format, 95)

    def draw(self, region: Region, size: Size, look: Look = PNG, **shown: object) -> Pixels:
        cut = cut_region(self.levels, region, size)
        taken = [self.frame(cut.level, *place) for place in cut.positions()]
        layer = Layer(taken, **shown)  # type: ignore[arg-type]
        file = draw_picture(cut, self.levels[cut.level], self.kind, [layer], look)
        return pixels_of(file)


def pixels_of(file: bytes) -> Pixels:
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image)


def test_at_full_size_it_is_the_pixels() -> None:
    found = Slide(BASE).draw(Region(100, 50, 300, 201), Size(300, 201))
    np.testing.assert_array_equal(found, BASE[50:251, 100:400])


@pytest.mark.parametrize(
    ("region", "level"), [(Region(128, 64, 128, 128), 1), (Region(256, 0, 256, 256), 2)]
)
def test_a_tile_of_a_level_is_its_pixels(region: Region, level: int) -> None:
    slide = Slide(BASE)
    found = slide.draw(region, TILE)
    y, x = region.top >> level, region.left >> level
    np.testing.assert_array_equal(found, slide.images[level][y : y + 64, x : x + 64])


def test_the_last_tile_ends_where_the_slide_ends() -> None:
    slide = Slide(BASE[:439, :599])
    found = slide.draw(Region(512, 384, 87, 55), Size(44, 28))
    np.testing.assert_array_equal(found, slide.images[1][192:220, 256:300])


def test_a_level_that_lacks_its_last_pixel_repeats_the_one_beside() -> None:
    slide = Slide(BASE[:401, :513], halvings=(0, 2))
    short = slide.images[1][:100, :128]
    slide.images[1], slide.levels[1] = short, Level(Size(128, 100), TILE, 4.0)
    found = slide.draw(Region(256, 256, 257, 145), Size(65, 37))
    np.testing.assert_array_equal(found[:36, :64], short[64:, 64:])
    np.testing.assert_array_equal(found[36, :64], short[-1, 64:])
    np.testing.assert_array_equal(found[:36, 64], short[64:, -1])


@pytest.mark.parametrize("encoding", [RAW, JPEG, TileEncoding(Colour.RGB, (1, 1))])
@pytest.mark.parametrize("shrink", [2, 4, 8])
def test_shrunk_tiles_are_means(encoding: TileEncoding, shrink: int) -> None:
    slide = Slide(BASE, halvings=(0,), kind=Kind(encoding, RGB8))
    size = Size(600 // shrink, 440 // shrink)
    found = slide.draw(Region(0, 0, 600, 440), size).astype(int)
    expected = BASE.astype(float).reshape(size.rows, shrink, size.columns, shrink, 3).mean((1, 3))
    assert np.abs(found - expected).max() <= (1 + shrink // 2 if encoding is RAW else 16)
    assert np.abs(found - expected).mean() < 2


@pytest.mark.parametrize("encoding", [RAW, JPEG])
def test_what_lies_beyond_the_image_is_never_shown(encoding: TileEncoding) -> None:
    grey = np.full((441, 603, 3), 100, np.uint8)
    slide = Slide(grey, halvings=(0,), kind=Kind(encoding, RGB8))
    for size in (Size(603, 441), Size(300, 220), Size(201, 147), Size(75, 55), Size(1, 1)):
        found = slide.draw(Region(0, 0, 603, 441), size)
        assert found.shape == (size.rows, size.columns, 3)
        assert np.abs(found.astype(int) - 100).max() <= 4  # a block of JPEG lies on the edge


def test_between_levels_it_is_scaled_smoothly() -> None:
    found = Slide(BASE).draw(Region(60, 40, 480, 360), Size(320, 240)).astype(float)
    expected = Image.fromarray(BASE).resize(
        (320, 240), Image.Resampling.HAMMING, (60, 40, 540, 400)
    )
    np.testing.assert_array_equal(found, np.asarray(expected))


def test_pictures_side_by_side_meet() -> None:
    slide = Slide(BASE)
    whole = slide.draw(Region(0, 0, 600, 440), Size(400, 293)).astype(int)
    for left in range(0, 600, 150):
        part = slide.draw(Region(left, 0, 150, 440), Size(100, 293)).astype(int)
        x = left * 2 // 3
        assert np.abs(part - whole[:, x : x + 100]).max() <= 1


def test_sides_may_be_scaled_differently() -> None:
    found = Slide(BASE).draw(Region(0, 0, 600, 440), Size(600, 44)).astype(float)
    expected = BASE.astype(float).reshape(44, 10, 600, 3).mean(1)
    assert np.abs(found - expected).mean() < 2


def test_the_order_is_mirror_then_turn_then_quality() -> None:
    slide, region, size = Slide(BASE), Region(0, 0, 200, 100), Size(200, 100)
    plain = slide.draw(region, size)
    for rotation in (0, 90, 180, 270):
        look = Look(rotation=rotation, format=PictureFormat.PNG)
        expected = np.rot90(plain, -rotation // 90)
        np.testing.assert_array_equal(slide.draw(region, size, look), expected)
        mirrored = Look(mirrored=True, rotation=rotation, format=PictureFormat.PNG)
        expected = np.rot90(plain[:, ::-1], -rotation // 90)
        np.testing.assert_array_equal(slide.draw(region, size, mirrored), expected)


def test_quality_takes_colours_away() -> None:
    slide, region, size = Slide(BASE), Region(0, 0, 100, 100), Size(100, 100)
    grey = slide.draw(region, size, Look(quality=Quality.GREY, format=PictureFormat.PNG))
    weights = np.array([0.299, 0.587, 0.114])
    assert np.abs(grey - BASE[:100, :100] @ weights).max() <= 1
    black = slide.draw(region, size, Look(quality=Quality.BITONAL, format=PictureFormat.PNG))
    np.testing.assert_array_equal(black, np.where(grey < 128, 0, 255))


@pytest.mark.parametrize(
    ("kind", "begins"),
    [
        (PictureFormat.JPEG, b"\xff\xd8\xff"),
        (PictureFormat.PNG, b"\x89PNG"),
        (PictureFormat.WEBP, b"RIFF"),
    ],
)
def test_each_format_is_what_it_says(kind: PictureFormat, begins: bytes) -> None:
    slide = Slide(BASE)
    cut = cut_region(slide.levels, Region(0, 0, 64, 64), TILE)
    layer = Layer([slide.frame(0, 0, 0)])
    file = draw_picture(cut, slide.levels[0], slide.kind, [layer], Look(format=kind))
    assert file.startswith(begins)
    assert np.abs(pixels_of(file).astype(int) - BASE[:64, :64]).mean() < 6
    assert kind.media_type in ("image/jpeg", "image/png", "image/webp")


def test_colours_are_converted_and_said() -> None:
    slide = Slide(BASE)
    profile = matrix_profile("A scanner", DISPLAY_P3, INPUT)
    look = Look(profile=profile, target=Target.SRGB, format=PictureFormat.PNG)
    cut = cut_region(slide.levels, Region(0, 0, 64, 64), TILE)
    layer = Layer([slide.frame(0, 0, 0)])
    file = draw_picture(cut, slide.levels[0], slide.kind, [layer], look)
    with Image.open(io.BytesIO(file)) as image:
        assert "icc_profile" in image.info
        assert not np.array_equal(np.asarray(image), BASE[:64, :64])
    plain = draw_picture(cut, slide.levels[0], slide.kind, [layer], PNG)
    with Image.open(io.BytesIO(plain)) as image:
        assert "icc_profile" not in image.info


def test_light_is_added_up_in_its_colours() -> None:
    rng = np.random.default_rng(0)
    paths = [rng.integers(0, 4096, (100, 150, 1)).astype(np.uint16) for _ in range(2)]
    windows = [Window(100, 3000), Window(0, 4095)]
    colours = [(0, 0, 255), (0, 255, 0)]
    slides = [Slide(path, (0,), Kind(lossless_encoding(GREY12), GREY12)) for path in paths]
    cut = cut_region(slides[0].levels, Region(10, 20, 100, 70), Size(100, 70))
    layers = [
        Layer([slide.frame(0, *place) for place in cut.positions()], window, colour)
        for slide, window, colour in zip(slides, windows, colours, strict=True)
    ]
    file = draw_picture(cut, slides[0].levels[0], slides[0].kind, layers, PNG)
    expected = composite([path[20:90, 10:110] for path in paths], windows, colours)
    assert np.abs(pixels_of(file).astype(int) - expected).max() <= 1


def test_colours_of_sixteen_bits_lose_the_lower_eight() -> None:
    deep = PixelFormat(3, 16)
    base = (BASE.astype(np.uint16) << 8) + 77
    slide = Slide(base, (0,), Kind(lossless_encoding(deep), deep))
    found = slide.draw(Region(3, 5, 100, 90), Size(100, 90))
    np.testing.assert_array_equal(found, BASE[5:95, 3:103])


@pytest.mark.parametrize("size", [TILE, Size(32, 32)])
@pytest.mark.parametrize("broken", [b"", b"nonsense", "cut", "flipped"])
def test_a_broken_tile_is_an_error(size: Size, broken: bytes | str) -> None:
    slide = Slide(BASE, halvings=(0,), kind=Kind(JPEG, RGB8))
    frame = slide.frame(0, 0, 0)
    if broken == "cut":
        broken = frame[: len(frame) // 2]
    elif broken == "flipped":
        at = frame.index(b"\xff\xc0")
        broken = frame[: at + 5] + b"\x7f\x7f\x7f\x7f" + frame[at + 9 :]
    assert isinstance(broken, bytes)
    cut = cut_region(slide.levels, Region(0, 0, 64, 64), size)
    with pytest.raises(DamagedSlideError):
        draw_picture(cut, slide.levels[0], slide.kind, [Layer([broken])], PNG)


FRAME = frames.encode(BASE[:64, :64], JPEG, RGB8, 90)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_bytes_that_changed_give_a_picture_or_an_error(data: st.DataObject) -> None:
    frame = bytearray(FRAME)
    for _ in range(data.draw(st.integers(1, 5))):
        frame[data.draw(st.integers(0, len(frame) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        at, marker = data.draw(st.integers(2, 300)), data.draw(st.integers(0xC0, 0xFE))
        extra = data.draw(st.binary(max_size=40))
        frame[at:at] = bytes((0xFF, marker)) + (len(extra) + 2).to_bytes(2, "big") + extra
    del frame[data.draw(st.integers(len(frame) // 2, len(frame))) :]
    level = Level(Size(64, 64), TILE, 1.0)
    for size in (TILE, Size(32, 32), Size(8, 8)):
        cut = cut_region([level], Region(0, 0, 64, 64), size)
        try:
            file = draw_picture(cut, level, Kind(JPEG, RGB8), [Layer([bytes(frame)])], PNG)
        except TilingError:
            continue
        assert pixels_of(file).shape == (size.rows, size.columns, 3)
