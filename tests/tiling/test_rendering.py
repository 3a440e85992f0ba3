import numpy as np
import pytest

from tiling.codecs import jpeg
from tiling.codecs.frames import encode, lossless_encoding
from tiling.composite import Window
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.rendering import is_shown_as_it_is, render_tile
from tiling.slide import RGB8, Codec, Colour, PixelFormat, TileEncoding
from tiling.testing import draw_pattern

TILE = Size(64, 48)
GREY16 = PixelFormat(1, 16)


def test_colours_are_shown_as_they_are() -> None:
    pixels = draw_pattern(64, 48)
    lossless = lossless_encoding(RGB8)
    shown = jpeg.decode(render_tile(encode(pixels, lossless, RGB8), lossless, TILE, RGB8))
    assert np.abs(shown.astype(int) - pixels).mean() < 3


def test_light_is_shown_in_its_window() -> None:
    samples = np.full((48, 64, 1), 3000, np.uint16)
    samples[:, 32:] = 1000
    encoding = lossless_encoding(GREY16)
    frame = encode(samples, encoding, GREY16)
    shown = jpeg.decode(render_tile(frame, encoding, TILE, GREY16, Window(1000, 3000)))
    assert (shown[:, :16] > 250).all()
    assert (shown[:, 48:] < 5).all()


def test_a_browser_shows_jpeg_in_colours_alone() -> None:
    assert is_shown_as_it_is(TileEncoding(Colour.YCBCR), RGB8)
    assert not is_shown_as_it_is(TileEncoding(Colour.GREY), PixelFormat(1, 8))
    assert not is_shown_as_it_is(TileEncoding(Colour.ICT, codec=Codec.JPEG_2000), RGB8)


def test_a_broken_frame_is_an_error() -> None:
    with pytest.raises(DamagedSlideError):
        render_tile(b"nonsense", lossless_encoding(RGB8), TILE, RGB8)
