"""Images of four bytes a pixel: the same to everybody as those of three."""

import numpy as np
import pytest

from tiling import argb
from tiling.codecs import jpeg
from tiling.downsample import halve
from tiling.slide import Colour, Pixels, TileEncoding


def draw(rows: int, columns: int) -> argb.Argb:
    numbers = np.random.default_rng(rows * columns)
    return numbers.integers(0, 1 << 32, (rows, columns), dtype=np.uint32)


def copied(pixels: Pixels) -> Pixels:
    return np.array(pixels, order="C")


def test_red_green_and_blue_are_in_their_places() -> None:
    pixels = argb.as_rgb(np.full((2, 3), 0xFF010203, np.uint32))
    assert pixels.shape == (2, 3, 3)
    assert pixels.dtype == np.uint8
    assert (pixels == (1, 2, 3)).all()


def test_an_image_and_nothing_else_leads_back() -> None:
    four = draw(6, 8)
    pixels = argb.as_rgb(four)
    assert argb.behind(pixels) is four
    assert argb.behind(pixels[:6, :8]) is four
    others = [
        pixels[:5],
        pixels[1:],
        pixels[:, 1:],
        pixels[:, ::-1],
        pixels[::-1],
        pixels[:, :, ::-1],
        pixels[:, :, :2],
        copied(pixels),
        argb.bytes_of(four),
        argb.bytes_of(four)[:, :, :3],
        argb.as_rgb(four[:4]),
        argb.as_rgb(four.view(np.int32).view(np.uint32).reshape(8, 6)),
        np.zeros((6, 8, 3), np.uint16),
    ]
    assert all(argb.behind(other) is None for other in others)


@pytest.mark.parametrize(("rows", "columns"), [(2, 2), (6, 8), (5, 8), (6, 7), (1, 1), (64, 30)])
def test_halving_is_the_same(rows: int, columns: int) -> None:
    pixels = argb.as_rgb(draw(rows, columns))
    half = halve(pixels)
    np.testing.assert_array_equal(half, halve(copied(pixels)))
    assert (argb.behind(half) is None) == bool(rows % 2 or columns % 2)


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
def test_frames_are_the_same(subsampling: tuple[int, int]) -> None:
    pixels = argb.as_rgb(draw(32, 48))
    encoding = jpeg.JpegOptions(subsampling=subsampling).encoding
    assert jpeg.encode(pixels, encoding) == jpeg.encode(copied(pixels), encoding)


def test_grey_is_the_first_sample() -> None:
    pixels = argb.as_rgb(draw(16, 16))
    grey = TileEncoding(Colour.GREY)
    assert jpeg.encode(pixels, grey) == jpeg.encode(copied(pixels), grey)


@pytest.mark.parametrize("part_has_four", [False, True])
@pytest.mark.parametrize("whole_has_four", [False, True])
def test_an_image_is_laid_at_its_place(*, part_has_four: bool, whole_has_four: bool) -> None:
    part, whole = argb.as_rgb(draw(3, 4)), argb.as_rgb(draw(6, 8))
    if not part_has_four:
        part = copied(part)
    if not whole_has_four:
        whole = copied(whole)
    expected = copied(whole)
    expected[2:5, 3:7] = part
    argb.lay(part, whole, 2, 3)
    np.testing.assert_array_equal(whole, expected)
