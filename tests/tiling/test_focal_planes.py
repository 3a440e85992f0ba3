"""Planes in the order of their heights, and counted where nobody told these."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.focal_planes import order_planes
from tiling.slide import COUNTED_FOCAL_PLANES

HEIGHTS = st.lists(st.floats() | st.integers(-5, 5).map(float), min_size=1, max_size=6)


def test_one_plane_has_the_height_of_the_slide() -> None:
    assert order_planes(1, None).heights_um == (0.0,)
    assert not order_planes(1, None).not_kept


def test_planes_that_were_taken_downwards_are_turned_round() -> None:
    found = order_planes(3, [2.0, 1.0, -4.0])
    assert (found.numbers, found.heights_um) == ((2, 1, 0), (-4.0, 1.0, 2.0))
    assert not found.not_kept


@pytest.mark.parametrize(
    "told",
    [None, [], [0.0, 0.0, 0.0], [0.0, 1.0], [0.0, 2.0, 1.0], [0.0, 1.0, math.inf], [math.nan] * 3],
)
def test_planes_without_a_distance_are_counted(told: list[float] | None) -> None:
    found = order_planes(3, told)
    assert (found.numbers, found.heights_um) == ((0, 1, 2), (0.0, 1.0, 2.0))
    assert found.not_kept == (COUNTED_FOCAL_PLANES,)


@given(HEIGHTS)
def test_none_is_lost_and_all_rise(told: list[float]) -> None:
    found = order_planes(len(told), told)
    assert sorted(found.numbers) == list(range(len(told)))
    assert all(lower < upper for lower, upper in pairwise(found.heights_um))
    assert all(map(math.isfinite, found.heights_um))
    if len(told) > 1 and not found.not_kept:
        assert found.heights_um == tuple(told[number] for number in found.numbers)
