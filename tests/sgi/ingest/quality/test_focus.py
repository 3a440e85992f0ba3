import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sgi.ingest.quality.focus import edge_widths


def stairs(sigma: float, low: float, high: float) -> np.ndarray:
    """Bars 32 pixels wide, every edge blurred by a Gaussian."""
    x = np.arange(256)
    rise = sum(
        (-1) ** n * 0.5 * (1 + np.vectorize(math.erf)((x - 16 - 32 * n) / (sigma * math.sqrt(2))))
        for n in range(8)
    )
    return np.tile(np.clip(low + (high - low) * rise + 0.5, 0, 255).astype(np.uint8), (256, 1))


@settings(max_examples=30, deadline=None)
@given(st.floats(1.5, 3.0), st.floats(50, 200), st.booleans())
def test_an_edge_is_two_and_a_half_times_its_blur_wide(
    sigma: float, height: float, across: bool
) -> None:
    image = stairs(sigma, 30, 30 + height)
    widths = edge_widths(image.T if across else image)
    expected = math.sqrt(2 * math.pi) * sigma
    assert np.nanmedian(widths) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("sigma", [1.0, 2.0, 4.0, 6.0])
def test_contrast_does_not_matter(sigma: float) -> None:
    strong = np.nanmedian(edge_widths(stairs(sigma, 20, 240)))
    pale = np.nanmedian(edge_widths(stairs(sigma, 180, 240)))
    assert pale == pytest.approx(strong, rel=0.15)


def test_more_blur_is_wider() -> None:
    widths = [np.nanmedian(edge_widths(stairs(s, 40, 220))) for s in (0.5, 1, 1.5, 2, 3, 4, 6)]
    assert widths == sorted(widths)


def test_noise_does_not_make_it_sharp() -> None:
    noise = np.random.default_rng(1).normal(0, 3, (256, 256))
    noisy = np.clip(stairs(4, 40, 220) + noise, 0, 255).astype(np.uint8)
    assert np.nanmedian(edge_widths(noisy)) > 7


def test_empty_glass_has_no_width() -> None:
    noise = np.random.default_rng(1).normal(240, 2, (256, 256))
    assert np.isnan(edge_widths(noise.astype(np.uint8))).all()
    assert np.isnan(edge_widths(np.full((256, 256), 240, np.uint8))).all()


def test_a_blurred_part_is_told_from_a_sharp_one() -> None:
    image = stairs(0.6, 40, 220)
    image[:128] = stairs(4, 40, 220)[:128]
    widths = edge_widths(image)
    assert np.nanmax(widths[-1]) < 4 < 5 < np.nanmin(widths[0])


@settings(max_examples=50, deadline=None)
@given(st.tuples(st.integers(1, 200), st.integers(1, 200)).flatmap(
    lambda shape: arrays.arrays(np.uint8, shape, elements=st.sampled_from([0, 1, 254, 255]))
))  # fmt: skip
def test_any_patch_has_an_answer(image: np.ndarray) -> None:
    widths = edge_widths(image)
    assert widths.ndim == 2
    assert not (widths <= 0).any()
