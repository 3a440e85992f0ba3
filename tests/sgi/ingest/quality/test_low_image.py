import numpy as np
import pytest

from sgi.ingest.quality.low_image import PIXELS, as_bytes, read_low_image
from sgi.ingest.quality.testing import MemoryLevel, build_levels
from tiling.geometry import Size


def test_the_finest_level_that_is_cheap_is_read_whole() -> None:
    rng = np.random.default_rng(3)
    base = rng.integers(0, 255, (3000, 3100, 3), np.uint8)
    levels = build_levels(base)
    low = read_low_image(levels)
    assert low is not None
    assert low.pixels.shape == (1500, 1550, 3)
    assert (low.pixels == levels[1].whole).all()
    assert (low.pixel_columns, low.pixel_rows) == (2.0, 2.0)
    assert not levels[0].reads


def test_a_slide_without_levels_is_reduced() -> None:
    low = read_low_image([MemoryLevel(np.full((3000, 4000, 3), 200, np.uint8))])
    assert low is not None
    assert low.pixels.shape[0] * low.pixels.shape[1] <= PIXELS
    assert low.pixel_columns * low.pixels.shape[1] == pytest.approx(4000, rel=0.01)
    assert (low.pixels == 200).all()


def test_what_would_cost_too_much_is_not_read() -> None:
    large = MemoryLevel(np.broadcast_to(np.uint8(0), (9000, 9000, 3)))
    assert read_low_image([large]) is None
    crumbs = MemoryLevel(np.zeros((1500, 1500, 3), np.uint8), Size(16, 16))
    assert read_low_image([crumbs]) is None
    assert not large.reads
    assert not crumbs.reads


def test_sixteen_bits_fill_the_range() -> None:
    samples = np.linspace(0, 4095, 600 * 600).astype(np.uint16).reshape(600, 600, 1)
    low = read_low_image([MemoryLevel(samples)])
    assert low is not None
    assert low.pixels.dtype == np.uint8
    assert low.pixels.max() == 255
    assert int(as_bytes(samples, low.white).astype(int).mean()) in range(125, 131)


def test_shrinking_says_how_large_its_pixels_are() -> None:
    low = read_low_image(build_levels(np.zeros((1000, 700, 3), np.uint8)))
    assert low is not None
    small = low.shrunk(512)
    assert small.pixels.shape == (500, 350, 3)
    assert small.pixel_rows == 2.0
    assert low.shrunk(1000) is low
