"""Tiles that lean on shared tables stand alone afterwards, in their true colour."""

import imagecodecs
import numpy as np
import pytest

from tiling.codecs import jpeg
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import parse_frame_header
from tiling.errors import DamagedSlideError
from tiling.slide import Colour, Pixels, TileEncoding
from tiling.svs import abbreviate
from tiling.testing import draw_pattern

PIXELS: Pixels = draw_pattern(64, 64)


def scan(stream: bytes) -> bytes:
    """Everything from SOS on: what must never change."""
    return stream[stream.index(b"\xff\xda") :]


@pytest.mark.parametrize("colour", [Colour.YCBCR, Colour.RGB])
def test_an_abbreviated_tile_is_made_whole(colour: Colour) -> None:
    whole = jpeg.encode(PIXELS, TileEncoding(colour))
    tables, tile = abbreviate(whole)
    prefix = FramePrefix.of_level(tables, tile, colour)
    stream = prefix.apply(tile)
    assert len(stream) == len(tile) + len(prefix)
    assert scan(stream) == scan(tile)
    np.testing.assert_array_equal(jpeg.decode(stream), jpeg.decode(whole))


def test_a_tile_that_is_right_already_is_left_alone() -> None:
    whole = jpeg.encode(PIXELS)
    assert FramePrefix.of_level(None, whole, Colour.YCBCR).apply(whole) is whole


def test_rgb_behind_a_jfif_header_is_still_shown_as_rgb() -> None:
    """JFIF outranks Adobe in libjpeg, so adding a segment alone would change nothing."""
    _, tile = abbreviate(jpeg.encode(PIXELS, TileEncoding(Colour.RGB)))
    tables, _ = abbreviate(jpeg.encode(PIXELS, TileEncoding(Colour.RGB)))
    jfif = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
    tile = tile[:2] + tables[2:-2] + jfif + tile[2:]
    assert parse_frame_header(tile).decoded_as is Colour.YCBCR
    prefix = FramePrefix.of_level(None, tile, Colour.RGB)
    stream = prefix.apply(tile)
    assert len(stream) == len(tile) + len(prefix)
    shown = np.asarray(imagecodecs.jpeg8_decode(stream))
    assert np.abs(shown.astype(int) - PIXELS).mean() < 2


def test_ycbcr_behind_a_false_adobe_segment_is_corrected() -> None:
    whole = jpeg.encode(PIXELS, TileEncoding(Colour.YCBCR))
    tables, tile = abbreviate(whole)
    adobe_rgb = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"
    tile = tile[:2] + adobe_rgb + tile[2:]
    stream = FramePrefix.of_level(tables, tile, Colour.YCBCR).apply(tile)
    np.testing.assert_array_equal(jpeg.decode(stream), jpeg.decode(whole))


def test_a_tile_unlike_the_first_is_noticed() -> None:
    ycbcr = jpeg.encode(PIXELS, TileEncoding(Colour.YCBCR))
    rgb = jpeg.encode(PIXELS, TileEncoding(Colour.RGB))
    with pytest.raises(DamagedSlideError, match="colour"):
        FramePrefix.of_level(None, ycbcr, Colour.YCBCR).apply(rgb)


def test_tiles_that_begin_alike_and_those_that_do_not() -> None:
    """What was made of the last header is used again for the same header, and for no other."""
    whole = [jpeg.encode(draw_pattern(64, 64 + 16 * number)) for number in range(3)]
    tables, first = abbreviate(whole[0])
    tiles = [abbreviate(stream)[1] for stream in whole]
    once = FramePrefix.of_level(tables, first, Colour.YCBCR)
    for number in (0, 0, 1, 1, 0, 2, 0):
        alone = FramePrefix.of_level(tables, first, Colour.YCBCR).apply(tiles[number])
        assert once.apply(tiles[number]) == alone
        np.testing.assert_array_equal(jpeg.decode(alone), jpeg.decode(whole[number]))
    with pytest.raises(DamagedSlideError):
        once.apply(first[:20])
