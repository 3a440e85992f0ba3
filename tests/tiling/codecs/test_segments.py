"""The segment walk ends on any bytes, with a value or with an error of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.codecs import jpeg
from tiling.codecs.segments import iter_segments, parse_frame_header
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.slide import Colour, TileEncoding
from tiling.testing import draw_pattern

WHOLE = jpeg.encode(draw_pattern(48, 32), TileEncoding(Colour.YCBCR, (2, 1)))


@given(st.binary(max_size=400).map(lambda tail: b"\xff\xd8" + tail))
def test_random_bytes_never_hang(stream: bytes) -> None:
    try:
        segments = list(iter_segments(stream))
    except TilingError:
        return
    assert all(2 <= s.start < s.end <= len(stream) for s in segments)


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_one_wrong_byte_is_a_value_or_our_error(place: int, value: int) -> None:
    stream = WHOLE[:place] + bytes((value,)) + WHOLE[place + 1 :]
    try:
        pixels = jpeg.decode(stream)
    except TilingError:
        return
    assert pixels.ndim == 3


@given(st.integers(0, len(WHOLE) - 3))
def test_a_cut_stream_is_damaged(length: int) -> None:
    with pytest.raises(DamagedSlideError):
        jpeg.decode(WHOLE[:length])


def test_a_frame_header_is_read() -> None:
    header = parse_frame_header(WHOLE)
    assert header.size == Size(48, 32)
    assert header.is_baseline
    assert header.subsampling == (2, 1)
    assert header.decoded_as is Colour.YCBCR


@pytest.mark.parametrize(
    "stream",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff",
        b"\xff\xd8" + b"\xff" * 1000,
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xdb\x00\x00",
        b"\xff\xd8\xff\xdb\xff\xff",
    ],
)
def test_headers_without_an_image_are_damaged(stream: bytes) -> None:
    with pytest.raises(DamagedSlideError):
        parse_frame_header(stream)


def test_a_header_seen_before_is_told_from_one_that_differs_by_a_bit() -> None:
    """Equal headers are parsed once, so the nearest neighbour of one must not pass for it."""
    first = parse_frame_header(WHOLE)
    assert parse_frame_header(WHOLE[:-20] + b"\0" * 20) == first
    frame = next(s for s in iter_segments(WHOLE) if s.marker == 0xC0)
    wider = bytearray(WHOLE)
    wider[frame.start + 8] ^= 1  # the last byte of the number of columns
    assert parse_frame_header(bytes(wider)).size == Size(49, 32)
    assert parse_frame_header(WHOLE) == first
    with pytest.raises(DamagedSlideError):
        parse_frame_header(WHOLE[: frame.end])
