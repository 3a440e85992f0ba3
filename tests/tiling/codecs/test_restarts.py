"""Restart segments: found, put together anew, and filled up with blank ones."""

import io
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tiling.codecs import jpeg
from tiling.codecs.flat import encode_flat_segment
from tiling.codecs.restarts import find_restarts, join_segments, parse_restart_header
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.testing import draw_pattern


def restarting(columns: int, rows: int, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(draw_pattern(columns, rows)).save(
        buffer, "JPEG", restart_marker_blocks=4, **options
    )
    return buffer.getvalue()


STREAM = restarting(64, 16, subsampling=0, comment=b"a comment")


def test_a_header_is_read() -> None:
    header = parse_restart_header(STREAM)
    assert header.stated == Size(64, 16)
    assert (header.interval, header.mcu) == (4, Size(8, 8))
    assert b"a comment" not in header.tables
    assert parse_restart_header(header.for_size(Size(640, 480))).stated == Size(640, 480)


def test_zero_size_is_no_error() -> None:
    header = parse_restart_header(STREAM)
    unsized = STREAM.replace(b"\x08\x00\x10\x00\x40", b"\x08" + bytes(4), 1)
    assert parse_restart_header(unsized).stated is None
    assert parse_restart_header(unsized).tables == header.tables


@pytest.mark.parametrize(
    "options",
    [
        {"subsampling": 0},
        {"subsampling": 1},
        {"subsampling": 2},
        {"keep_rgb": True},
        {"subsampling": 0, "quality": 100},
        {"subsampling": 0, "quality": 1},
    ],
)
def test_flat_segments_are_white(options: dict[str, object]) -> None:
    header = parse_restart_header(restarting(64, 32, **options))
    segment = encode_flat_segment(header.tables, header.frame, header.interval)
    assert segment is not None
    size = Size(header.mcu.columns * 4, header.mcu.rows * 3)
    data = (segment + b"\xff\xd0") * 3
    stream = join_segments(header.for_size(size), data, np.array([len(segment) + 2] * 3))
    assert (jpeg.decode(stream) == 255).all()


def test_grey_is_one_block_an_mcu() -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw_pattern(64, 16)[:, :, 0]).save(buffer, "JPEG", restart_marker_blocks=4)
    header = parse_restart_header(buffer.getvalue())
    segment = encode_flat_segment(header.tables, header.frame, 4)
    assert segment is not None
    stream = header.for_size(Size(32, 8)) + segment + b"\xff\xd9"
    assert (jpeg.decode(stream) == 255).all()


def test_segments_can_change_places() -> None:
    header = parse_restart_header(STREAM)
    markers = header.length + find_restarts(STREAM[header.length :])
    ends = [*(markers + 2).tolist(), len(STREAM)]
    pieces = [STREAM[a:b] for a, b in zip([header.length, *ends], ends, strict=False)]
    order = [3, 2, 1, 0]
    stream = join_segments(
        header.for_size(Size(64, 16)),
        b"".join(pieces[i] for i in order),
        np.array([len(pieces[i]) for i in order]),
    )
    whole, moved = jpeg.decode(STREAM), jpeg.decode(stream)
    np.testing.assert_array_equal(moved[:8, :32], whole[8:, 32:])
    np.testing.assert_array_equal(moved[8:, 32:], whole[:8, :32])


@pytest.mark.parametrize("change", [-1, 1])
def test_a_marker_out_of_place_is_damaged(change: int) -> None:
    header = parse_restart_header(STREAM)
    data = STREAM[header.length :]
    ends = np.append(find_restarts(data) + 2, len(data))
    ends[1] += change
    with pytest.raises(DamagedSlideError, match="restarts where"):
        join_segments(header.tables, data, np.diff(ends, prepend=0))


@given(st.integers(0, len(STREAM) - 1), st.integers(0, 255))
def test_one_wrong_byte_is_a_value_or_our_error(place: int, value: int) -> None:
    stream = STREAM[:place] + bytes((value,)) + STREAM[place + 1 :]
    with suppress(TilingError):
        header = parse_restart_header(stream)
        encode_flat_segment(header.tables, header.frame, 3)
