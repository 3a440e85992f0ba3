"""Regions as OpenSlide writes them, beside what its binding makes of them."""

from pathlib import Path

import numpy as np
import openslide
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tiling.formats.fallback.region import flatten, read_region
from tiling.geometry import Size
from tiling.testing import draw_pattern, write_generic_tiff


def test_a_region_is_the_bindings(tmp_path: Path) -> None:
    """Breaks when the binding's declaration that is used here goes or changes."""
    write_generic_tiff(tmp_path / "slide.tif", draw_pattern(700, 600))
    with openslide.OpenSlide(tmp_path / "slide.tif") as slide:
        found = flatten(read_region(slide, 300, 200, 0, Size(500, 250)), (10, 200, 30))
        image = slide.read_region((300, 200), 0, (500, 250))
    backdrop = Image.new("RGBA", image.size, (10, 200, 30, 255))
    expected = np.asarray(Image.alpha_composite(backdrop, image).convert("RGB"))
    np.testing.assert_array_equal(found, expected)


def test_an_error_is_openslides(tmp_path: Path) -> None:
    write_generic_tiff(tmp_path / "slide.tif", draw_pattern(300, 300))
    slide = openslide.OpenSlide(tmp_path / "slide.tif")
    slide.close()
    with pytest.raises(Exception, match=r"closed|handle"):
        read_region(slide, 0, 0, 0, Size(8, 8))


@given(
    alpha=st.integers(0, 255),
    colour=st.tuples(*[st.floats(0, 1)] * 3),
    background=st.tuples(*[st.integers(0, 255)] * 3),
)
def test_a_transparent_pixel_shows_the_background(
    alpha: int, colour: tuple[float, ...], background: tuple[int, int, int]
) -> None:
    red, green, blue = (round(share * alpha) for share in colour)
    argb = np.full((2, 3), alpha << 24 | red << 16 | green << 8 | blue, np.uint32)
    pixels = flatten(argb, background)
    if alpha == 0:
        assert pixels is None
        return
    assert pixels is not None
    assert pixels.shape == (2, 3, 3)
    for found, own, behind in zip(pixels[0, 0], (red, green, blue), background, strict=True):
        assert abs(int(found) - (own + behind * (255 - alpha) / 255)) <= 0.5
