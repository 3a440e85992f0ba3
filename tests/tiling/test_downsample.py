"""Halving against the definition, written out pixel by pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tiling.downsample import halve
from tiling.slide import Pixels


def halve_slowly(pixels: Pixels) -> Pixels:
    rows, columns = pixels.shape[:2]
    half = np.zeros(((rows + 1) // 2, (columns + 1) // 2, 3), np.uint8)
    for row, column, sample in np.ndindex(half.shape):
        four = [
            int(pixels[min(2 * row + y, rows - 1), min(2 * column + x, columns - 1), sample])
            for y in (0, 1)
            for x in (0, 1)
        ]
        half[row, column, sample] = (sum(four) + 2) // 4
    return half


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_each_sample_is_the_mean_of_four(rows: int, columns: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    np.testing.assert_array_equal(halve(pixels), halve_slowly(pixels))


def test_white_stays_white() -> None:
    assert (halve(np.full((5, 7, 3), 255, np.uint8)) == 255).all()
