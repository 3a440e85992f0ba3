"""JPEG tiles to and from pixels."""

import numpy as np
import pytest

from tiling.codecs import jpeg
from tiling.codecs.jpeg import JpegOptions
from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.geometry import Size
from tiling.slide import Colour, TileEncoding
from tiling.testing import draw_pattern

ENCODINGS = [
    TileEncoding(Colour.YCBCR, (1, 1)),
    TileEncoding(Colour.YCBCR, (2, 1)),
    TileEncoding(Colour.YCBCR, (2, 2)),
    TileEncoding(Colour.RGB),
]


@pytest.mark.parametrize("encoding", ENCODINGS, ids=str)
def test_pixels_come_back_nearly_the_same(encoding: TileEncoding) -> None:
    pixels = draw_pattern(256, 256)
    stream = jpeg.encode(pixels, encoding)
    jpeg.check_frame(stream, Size(256, 256), encoding)
    assert np.abs(jpeg.decode(stream).astype(int) - pixels).mean() < 2


def test_grey_comes_back_as_three_equal_samples() -> None:
    pixels = np.repeat(draw_pattern(64, 64)[:, :, :1], 3, axis=2)
    decoded = jpeg.decode(jpeg.encode(pixels, TileEncoding(Colour.GREY)))
    assert decoded.shape == (64, 64, 3)
    assert (decoded[:, :, 0] == decoded[:, :, 2]).all()


def test_an_untrue_size_or_colour_is_noticed() -> None:
    stream = jpeg.encode(draw_pattern(64, 64))
    for size, encoding in (
        (Size(64, 32), JpegOptions().encoding),
        (Size(64, 64), TileEncoding(Colour.YCBCR, (2, 2))),
        (Size(64, 64), TileEncoding(Colour.RGB)),
    ):
        with pytest.raises(DamagedSlideError):
            jpeg.check_frame(stream, size, encoding)
    with pytest.raises(DamagedSlideError):
        jpeg.check_frame(stream[:-20], Size(64, 64), JpegOptions().encoding)


def test_padding_after_the_end_is_accepted() -> None:
    jpeg.check_frame(
        jpeg.encode(draw_pattern(64, 64)) + b"\0", Size(64, 64), JpegOptions().encoding
    )


def test_data_that_end_early_are_noticed_though_the_end_marker_is_there() -> None:
    stream = jpeg.encode(draw_pattern(256, 256))
    with pytest.raises(DamagedSlideError, match="before its last pixel"):
        jpeg.decode(stream[: len(stream) // 2] + b"\xff\xd9")


def test_a_bomb_is_refused_before_memory_is_taken() -> None:
    stream = bytearray(jpeg.encode(draw_pattern(64, 64)))
    frame = stream.index(b"\xff\xc0")
    stream[frame + 5 : frame + 9] = b"\xff\xff\xff\xff"
    with pytest.raises(SlideTooLargeError):
        jpeg.decode(bytes(stream))


@pytest.mark.parametrize("bad", [{"quality": 0}, {"quality": 101}, {"subsampling": (3, 1)}])
def test_impossible_options_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        JpegOptions(**bad)  # type: ignore[arg-type]  # the point of the test


@pytest.mark.parametrize("encoding", [*ENCODINGS, TileEncoding(Colour.GREY)], ids=str)
def test_an_early_end_is_noticed_wherever_a_block_is_missing(encoding: TileEncoding) -> None:
    stream = jpeg.encode(draw_pattern(96, 80), encoding)
    scan = stream.index(b"\xff\xda") + 14
    for end in range(scan, len(stream) - 40, 7):
        with pytest.raises(DamagedSlideError):
            jpeg.decode(stream[:end] + b"\xff\xd9")


def test_a_middle_grey_that_is_there_is_no_early_end() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    assert (jpeg.decode(jpeg.encode(grey)) == 128).all()
