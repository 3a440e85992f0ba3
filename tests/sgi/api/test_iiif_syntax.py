"""Addresses of pictures: whatever is asked, a picture within bounds or one of three refusals."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.api.iiif_syntax import Words, largest_within, parse_region, parse_size, understand
from sgi.api.regions import Bounds
from sgi.errors import EnlargedPictureError, MalformedPictureError, PictureTooLargeError
from tiling.geometry import Size

REFUSALS = (MalformedPictureError, EnlargedPictureError, PictureTooLargeError)
sizes = st.builds(Size, st.integers(1, 1 << 20), st.integers(1, 1 << 20))
bounds = st.builds(Bounds, st.integers(256, 9000), st.integers(1 << 16, 1 << 23))
numbers = st.one_of(
    st.integers(0, 1 << 20).map(str),
    st.decimals(0, 500, places=3).map(str),
    st.sampled_from(["", "-1", "1e3", "999999999", "0", ".5", "5."]),
)
quads = st.lists(numbers, min_size=3, max_size=5).map(",".join)
regions = st.one_of(
    st.just("full"), st.just("square"), quads, quads.map("pct:{}".format), st.text(max_size=12)
)
forms = st.one_of(
    st.just("max"),
    numbers.map("{},".format),
    numbers.map(",{}".format),
    numbers.map("pct:{}".format),
    st.tuples(numbers, numbers).map(",".join),
    st.tuples(numbers, numbers).map(",".join).map("!{}".format),
    st.text(max_size=8),
)
asked_sizes = st.one_of(forms, forms.map("^{}".format))
rotations = st.one_of(numbers, numbers.map("!{}".format), st.sampled_from(["90", "!270"]))
pictures = st.sampled_from(["default.jpg", "color.png", "gray.webp", "bitonal.png", "x.jpg", "."])


@given(sizes, bounds, regions, asked_sizes, rotations, pictures)
def test_a_picture_is_within_the_bounds_and_has_one_address(
    image: Size, limits: Bounds, region: str, size: str, rotation: str, picture: str
) -> None:
    try:
        understood = understand(Words(region, size, rotation, picture), {}, image, limits)
    except REFUSALS:
        return
    asked = understood.asked
    assert asked.region.left + asked.region.columns <= image.columns
    assert asked.region.top + asked.region.rows <= image.rows
    assert asked.size.columns <= asked.region.columns
    assert asked.size.rows <= asked.region.rows
    assert max(asked.size.columns, asked.size.rows) <= limits.longest_side
    assert asked.size.area <= limits.pixels
    again = understand(understood.canonical, {}, image, limits)
    assert again == understood, "the canonical address is its own"


@given(sizes, bounds)
def test_the_largest_size_is_nearly_as_large_as_it_may_be(size: Size, limits: Bounds) -> None:
    largest = largest_within(size, limits)
    assert largest.columns <= size.columns
    assert largest.rows <= size.rows
    if largest != size and min(largest.columns, largest.rows) >= 16:
        longest = max(largest.columns, largest.rows) + 2
        share = Fraction(longest, max(size.columns, size.rows))
        area = size.area * share * share
        assert longest > limits.longest_side or area > limits.pixels * Fraction(95, 100)


@given(st.integers(1, 100_000), st.integers(1, 100_000), st.integers(0, 100), st.integers(1, 100))
def test_percent_of_a_region_leaves_no_gap(columns: int, rows: int, at: int, extent: int) -> None:
    image = Size(columns, rows)
    try:
        region = parse_region(f"pct:{at},0,{extent},100", image)
        beside = parse_region(f"pct:{at + extent},0,100,100", image)
    except MalformedPictureError:
        return
    assert region.rows == rows
    assert abs(region.left + region.columns - beside.left) <= 1


def test_a_size_that_only_rounds_to_the_region_is_not_enlarged() -> None:
    limits = Bounds(1000, 1 << 20)
    with pytest.raises(MalformedPictureError):
        parse_size("pct:100.0001", Size(10, 10), limits)
    with pytest.raises(EnlargedPictureError):
        parse_size("^pct:100.0001", Size(10, 10), limits)
    assert parse_size("pct:99.9999", Size(10, 10), limits) == Size(10, 10)


def test_too_large_says_what_is_not() -> None:
    with pytest.raises(PictureTooLargeError) as refused:
        parse_size("2000,1000", Size(4000, 2000), Bounds(1000, 1 << 20))
    assert (refused.value.columns, refused.value.rows) == (1000, 500)
