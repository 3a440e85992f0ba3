"""The parts of the CZI reader on their own: rectangles, the cache, JPEG XR, the directory."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiling.errors import DamagedSlideError, TilingError, UnsupportedSlideError
from tiling.formats.zeiss import jpegxr
from tiling.formats.zeiss.cache import SampleCache
from tiling.formats.zeiss.rectangles import Rectangle, Rectangles
from tiling.geometry import Size
from tiling.slide import RGB8, PixelFormat, Samples
from tiling.testing import draw_pattern

sides = st.tuples(
    st.integers(-40, 40), st.integers(-40, 40), st.integers(1, 60), st.integers(1, 60)
)
groups = st.lists(sides, min_size=1, max_size=6)


def rectangles(drawn: list[tuple[int, int, int, int]]) -> Rectangles:
    left, top, columns, rows = (np.array(side, np.int64) for side in zip(*drawn, strict=True))
    return Rectangles(left, top, left + columns, top + rows)


def pixels_of(group: Rectangles) -> set[tuple[int, int]]:
    found = set()
    for index in range(len(group.left)):
        one = group[index]
        found |= {(x, y) for x in range(one.left, one.right) for y in range(one.top, one.bottom)}
    return found


@given(drawn=groups)
def test_cover_tells_every_pixel(drawn: list[tuple[int, int, int, int]]) -> None:
    group, area = rectangles(drawn), Rectangle(-10, -5, 30, 45)
    rows, columns = np.nonzero(group.cover(area))
    found = {(int(x) - 10, int(y) - 5) for x, y in zip(columns, rows, strict=True)}
    assert found == {(x, y) for x, y in pixels_of(group) if -10 <= x < 30 and -5 <= y < 45}


@given(drawn=groups, factor=st.integers(1, 9))
def test_shrunk_has_every_pixel_that_is_touched(
    drawn: list[tuple[int, int, int, int]], factor: int
) -> None:
    group = rectangles(drawn)
    touched = {(x // factor, y // factor) for x, y in pixels_of(group)}
    assert pixels_of(group.shrunk(factor)) == touched


@given(drawn=groups, step=st.integers(1, 9))
def test_sampled_has_the_cells_whose_centre_is_covered(
    drawn: list[tuple[int, int, int, int]], step: int
) -> None:
    group = rectangles(drawn)
    covered = pixels_of(group)
    cells = {
        (x, y)
        for x in range(-40, 101)
        for y in range(-40, 101)
        if (x * step + step // 2, y * step + step // 2) in covered
    }
    assert pixels_of(group.sampled(step)) == cells


def image(value: int) -> Samples:
    return np.full((10, 10, 1), value, np.uint8)


def test_the_cache_keeps_what_was_used_last() -> None:
    cache, made = SampleCache(250), list[int]()

    def get(key: int) -> None:
        def make() -> Samples:
            made.append(key)
            return image(key)

        assert int(cache.get(key, make)[0, 0, 0]) == key

    for key in (1, 2, 1, 3, 1, 2):
        get(key)
    assert made == [1, 2, 3, 2]


def test_the_cache_keeps_the_last_alone_where_it_is_larger_than_itself() -> None:
    cache = SampleCache(50)
    cache.get(1, lambda: image(1))
    assert int(cache.get(1, lambda: image(2))[0, 0, 0]) == 1
    cache.get(2, lambda: image(2))
    assert int(cache.get(1, lambda: image(3))[0, 0, 0]) == 3


def test_threads_wait_for_the_one_that_makes() -> None:
    cache, begun, made = SampleCache(1000), threading.Barrier(4), []

    def make() -> Samples:
        made.append(1)
        return image(7)

    def get() -> int:
        begun.wait()
        return int(cache.get("one", make)[0, 0, 0])

    with ThreadPoolExecutor(4) as pool:
        assert [future.result() for future in [pool.submit(get) for _ in range(4)]] == [7] * 4
    assert made == [1]


def test_an_error_is_raised_and_not_kept() -> None:
    cache = SampleCache(1000)

    def fail() -> Samples:
        raise DamagedSlideError("broken")

    with pytest.raises(DamagedSlideError):
        cache.get(1, fail)
    assert int(cache.get(1, lambda: image(3))[0, 0, 0]) == 3


COLOURS = draw_pattern(83, 61)
FORMATS = {
    RGB8: COLOURS,
    PixelFormat(1, 8): COLOURS[:, :, :1],
    PixelFormat(3, 16): np.asarray(COLOURS.astype(np.uint16) * 250, np.uint16),
    PixelFormat(1, 16): np.asarray(COLOURS[:, :, :1].astype(np.uint16) * 250, np.uint16),
}
SIZE = Size(83, 61)
IMAGE_AT = 134
"""Where the image begins in what the encoder here writes."""


def encode(pixel_format: PixelFormat, level: float = 1.0) -> bytes:
    samples = FORMATS[pixel_format]
    flat = np.ascontiguousarray(samples if pixel_format.samples == 3 else samples[:, :, 0])
    stream = bytes(imagecodecs.jpegxr_encode(flat, level=level))
    assert stream[IMAGE_AT:].startswith(b"WMPHOTO\0")
    return stream


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_jpeg_xr_is_unpacked_without_loss(pixel_format: PixelFormat) -> None:
    decoded = jpegxr.decode(encode(pixel_format), SIZE, pixel_format)
    np.testing.assert_array_equal(decoded, FORMATS[pixel_format])


@pytest.mark.parametrize("pixel_format", FORMATS)
def test_jpeg_xr_of_another_kind_is_damaged(pixel_format: PixelFormat) -> None:
    stream = encode(pixel_format)
    for other in FORMATS:
        if other != pixel_format:
            with pytest.raises(DamagedSlideError):
                jpegxr.decode(stream, SIZE, other)
    with pytest.raises(DamagedSlideError):
        jpegxr.decode(stream, Size(85, 61), pixel_format)


@pytest.mark.parametrize(
    ("place", "mask"),
    [(9, 0x10), (10, 0x20), (10, 0x08), (10, 0x01)],
    ids=["turned", "windowed", "stretched", "see-through"],
)
def test_odd_jpeg_xr_is_refused(place: int, mask: int) -> None:
    stream = bytearray(encode(RGB8))
    stream[IMAGE_AT + place] ^= mask
    with pytest.raises(UnsupportedSlideError):
        jpegxr.decode(bytes(stream), SIZE, RGB8)


@pytest.mark.parametrize("end", [0, 3, 20, 100, IMAGE_AT + 4, IMAGE_AT + 16, -1])
def test_cut_jpeg_xr_is_damaged(end: int) -> None:
    with pytest.raises(DamagedSlideError):
        jpegxr.decode(encode(RGB8)[:end], SIZE, RGB8)


@given(
    pixel_format=st.sampled_from(list(FORMATS)),
    changes=st.lists(
        st.tuples(st.integers(0, 220) | st.integers(0, 9000), st.integers(0, 255)), max_size=4
    ),
    level=st.sampled_from([1.0, 0.8]),
)
@settings(max_examples=300, deadline=None)
def test_changed_jpeg_xr_is_an_image_or_our_error(
    pixel_format: PixelFormat, changes: list[tuple[int, int]], level: float
) -> None:
    """The decoder itself ends the process on a damaged header."""
    stream = bytearray(encode(pixel_format, level))
    for place, value in changes:
        stream[place % len(stream)] = value
    with suppress(TilingError):
        jpegxr.decode(bytes(stream), SIZE, pixel_format)
