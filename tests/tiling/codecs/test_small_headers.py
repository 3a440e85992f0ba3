"""JPEG-LS, JPEG XL and RLE by their headers."""

from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.codecs import frames, jpeg_ls, jpeg_xl, rle
from tiling.codecs.announced import Announced
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.slide import RGB8, Codec, Colour, PixelFormat, TileEncoding
from tiling.testing import draw_pattern

PIXELS = draw_pattern(60, 40)
TILE = Size(60, 40)


def scans_apart(near: tuple[int, int, int]) -> bytes:
    """A JPEG-LS stream with a scan for each component (interleave mode none)."""
    sof = b"\xff\xf7\0\x11\x08\0\x28\0\x3c\x03\x01\x11\0\x02\x11\0\x03\x11\0"
    stream = b"\xff\xd8" + sof
    for number, error in enumerate(near):
        component = np.ascontiguousarray(PIXELS[:, :, number])
        whole = bytes(imagecodecs.jpegls_encode(component, error))
        scan = bytearray(whole[whole.index(b"\xff\xda") : -2])
        scan[5] = number + 1
        stream += bytes(scan)
    return stream + b"\xff\xd9"


def test_jpeg_ls_tells_its_largest_error() -> None:
    for near in (0, 1, 3):
        header = jpeg_ls.parse_header(bytes(imagecodecs.jpegls_encode(PIXELS, near)))
        assert header == jpeg_ls.Header(Announced(TILE, 3, 8), near)


def test_jpeg_ls_in_a_scan_for_each_component() -> None:
    lossless = TileEncoding(Colour.RGB, codec=Codec.JPEG_LS_LOSSLESS)
    np.testing.assert_array_equal(
        frames.decode(scans_apart((0, 0, 0)), lossless, TILE, RGB8), PIXELS
    )
    assert jpeg_ls.parse_header(scans_apart((0, 2, 1))).near == 2
    with pytest.raises(DamagedSlideError):
        frames.check(scans_apart((0, 0, 1)), lossless, TILE, RGB8)


def test_jpeg_ls_without_a_scan_of_each_component_is_damaged() -> None:
    whole = scans_apart((0, 0, 0))
    last = whole.rindex(b"\xff\xda")
    for broken in (whole[:last] + b"\xff\xd9", whole[:-2] + whole[last:]):
        with pytest.raises(DamagedSlideError):
            jpeg_ls.parse_header(broken)


@pytest.mark.parametrize("boxed", [False, True])
@pytest.mark.parametrize("grey", [False, True])
@given(columns=st.integers(1, 300), rows=st.integers(1, 300))
def test_jpeg_xl_tells_its_size(boxed: bool, grey: bool, columns: int, rows: int) -> None:
    shape = (rows, columns) if grey else (rows, columns, 3)
    stream = bytes(imagecodecs.jpegxl_encode(np.zeros(shape, np.uint8), lossless=True, effort=1,
                                             usecontainer=boxed))  # fmt: skip
    header = jpeg_xl.parse_header(stream)
    assert header == jpeg_xl.Header(Announced(Size(columns, rows), 1 if grey else 3, 8), xyb=False)


def test_jpeg_xl_in_colours_of_lossy_compression_is_told() -> None:
    stream = bytes(imagecodecs.jpegxl_encode(PIXELS, distance=1.0))
    assert jpeg_xl.parse_header(stream).xyb


def test_jpeg_xl_with_opacity_is_no_tile() -> None:
    stream = bytes(imagecodecs.jpegxl_encode(np.zeros((8, 8, 4), np.uint8), lossless=True))
    with pytest.raises(DamagedSlideError):
        jpeg_xl.parse_header(stream)


@given(st.lists(st.integers(0, 1 << 32), min_size=16, max_size=16), st.binary(max_size=80))
def test_any_rle_header_is_samples_or_our_error(header: list[int], data: bytes) -> None:
    frame = b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in header) + data
    pixel = PixelFormat(1, 8)
    with suppress(TilingError):
        encoding = TileEncoding(Colour.GREY, codec=Codec.RLE)
        assert frames.decode(frame, encoding, Size(5, 4), pixel).shape == (4, 5, 1)


def test_rle_that_runs_on_or_stops_short_is_damaged() -> None:
    encoding = TileEncoding(Colour.GREY, codec=Codec.RLE)
    for length in (18, 19, 22, 2000):
        packed = bytes(imagecodecs.packbits_encode(bytes(n % 251 for n in range(length))))
        frame = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + packed
        with pytest.raises(DamagedSlideError):
            frames.decode(frame, encoding, Size(5, 4), PixelFormat(1, 8))


def test_a_bomb_of_run_lengths_is_not_unpacked() -> None:
    header = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56)
    with pytest.raises(DamagedSlideError):
        rle.unpack_frame(header + b"\x81\0" * 100_000, Size(8, 8), PixelFormat(1, 8))


@given(
    st.binary(max_size=120),
    st.sampled_from([jpeg_ls.parse_header, jpeg_xl.parse_header]),
    st.sampled_from([b"", b"\xff\x0a", b"\xff\xd8\xff\xf7", b"\0\0\0\x0cJXL \r\n\x87\n"]),
)
def test_any_bytes_are_a_header_or_our_error(data, parse, beginning) -> None:  # type: ignore[no-untyped-def]
    with suppress(TilingError):
        parse(beginning + data)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_jpeg_ls_keeps_every_bit_even_of_noise(dtype: type[np.unsignedinteger]) -> None:
    noise = np.random.default_rng(5).integers(0, np.iinfo(dtype).max + 1, (64, 80, 1), dtype=dtype)
    back = jpeg_ls.unpack_frame(jpeg_ls.encode(noise))
    np.testing.assert_array_equal(back, noise[:, :, 0])
