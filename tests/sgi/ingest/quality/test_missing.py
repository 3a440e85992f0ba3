from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sgi.ingest.quality.missing import compare
from sgi.ingest.quality.overview import overview_density
from sgi.ingest.quality.place import find_place
from tiling.sample.glass import draw_label, draw_overview


class Glass(NamedTuple):
    scan: np.ndarray
    overview: np.ndarray


@pytest.fixture(scope="module")
def glass() -> Glass:
    """Three unequal pieces, and the glass around them."""
    rows, columns = np.mgrid[0:300, 0:400]
    rng = np.random.default_rng(11)
    scan = np.zeros((300, 400), np.float32)
    for y, x, height, width in ((90, 100, 60, 70), (200, 300, 80, 50), (80, 310, 35, 60)):
        scan[((rows - y) / height) ** 2 + ((columns - x) / width) ** 2 < 1] = 100
    scan *= rng.uniform(0.8, 1.2, scan.shape).astype(np.float32)
    overview = np.zeros((260, 800), np.float32)
    overview[40:220, 350:590] = scan[np.arange(180) * 300 // 180][:, np.arange(240) * 400 // 240]
    return Glass(scan, overview)


def test_what_is_all_there_is_not_missing(glass: Glass) -> None:
    missing = compare(glass.scan, glass.overview)
    assert missing is not None
    assert missing.outside == pytest.approx(0, abs=0.01)
    assert missing.inside == pytest.approx(0, abs=0.01)
    assert missing.agreement > 0.95


@pytest.mark.parametrize("turns", range(4))
def test_the_place_is_found_however_the_scan_lies(glass: Glass, turns: int) -> None:
    place = find_place(np.rot90(glass.scan, -turns), glass.overview)
    assert place is not None
    assert place.quarter_turns == turns
    assert place.left == pytest.approx(350 / 800, abs=0.02)
    assert place.top == pytest.approx(40 / 260, abs=0.03)
    assert place.columns == pytest.approx(240 / 800, abs=0.02)


def test_tissue_beyond_the_scan_is_missing(glass: Glass) -> None:
    missing = compare(glass.scan[:, :230], glass.overview)
    lost = (glass.scan[:, 230:] > 0).sum() / (glass.scan > 0).sum()
    assert missing is not None
    assert missing.outside == pytest.approx(lost, abs=0.06)
    assert missing.inside < 0.02


def test_a_piece_that_is_blank_in_the_scan_is_missing(glass: Glass) -> None:
    scan = glass.scan.copy()
    scan[:130, 240:] = 0
    lost = 1 - (scan > 0).sum() / (glass.scan > 0).sum()
    missing = compare(scan, glass.overview)
    assert missing is not None
    assert missing.inside == pytest.approx(lost, abs=0.06)
    assert missing.outside < 0.02


def test_another_slides_overview_is_not_compared(glass: Glass) -> None:
    rng = np.random.default_rng(6)
    other = np.zeros((400, 300), np.float32)
    for _ in range(40):
        y, x = rng.integers(0, 380), rng.integers(0, 280)
        other[y : y + 25, x : x + 25] = rng.uniform(50, 150)
    assert compare(other, glass.overview) is None


def test_an_empty_scan_or_overview_is_not_compared(glass: Glass) -> None:
    assert compare(np.zeros_like(glass.scan), glass.overview) is None
    assert compare(glass.scan, np.zeros_like(glass.overview)) is None


shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
small = arrays.arrays(np.float32, shapes, elements=st.floats(0, 255, width=16))


@settings(max_examples=40, deadline=None)
@given(small, small)
def test_any_two_images_have_an_answer(scan: np.ndarray, overview: np.ndarray) -> None:
    place = find_place(scan, overview)
    if place is not None:
        assert -1 <= place.agreement <= 1.001
        assert 0 <= place.top <= place.top + place.rows <= 1.001
        assert 0 <= place.left <= place.left + place.columns <= 1.001
    missing = compare(scan, overview)
    if missing is not None:
        assert 0 <= missing.outside + missing.inside <= 1


def test_the_label_the_frame_and_the_holder_are_no_tissue(section: np.ndarray) -> None:
    overview = np.array(draw_overview(section, draw_label()))
    overview[100:300, 700:704] = (0, 255, 0)
    density = overview_density(overview)
    scale = density.shape[1] / overview.shape[1]
    tissue = density > 0
    assert not tissue[:, : int(400 * scale)].any()
    assert not tissue[:3].any()
    assert 0.02 < tissue.mean() < 0.3
