import numpy as np
import pytest

from tiling.array_slide import ArraySlide
from tiling.geometry import Size
from tiling.slide import Illumination, OpticalPath, SlideReader
from tiling.testing import SlideReaderContract, draw_pattern

LIT = OpticalPath("lit", Illumination.FLUORESCENCE)


class TestColour(SlideReaderContract):
    @pytest.fixture
    def reader(self) -> SlideReader:
        return ArraySlide(draw_pattern(130, 70)[None, None], [OpticalPath()], tile=Size(64, 32))


class TestLight(SlideReaderContract):
    @pytest.fixture
    def reader(self) -> SlideReader:
        pixels = np.arange(2 * 3 * 40 * 50, dtype=np.uint16).reshape(2, 3, 40, 50, 1)
        return ArraySlide(pixels, [LIT, LIT], (0, 1.5, 3), bits=16, tile=Size(32, 32))


def test_layers_must_be_named() -> None:
    with pytest.raises(ValueError, match="2 paths"):
        ArraySlide(np.zeros((2, 1, 4, 4, 1), np.uint8), [LIT])
