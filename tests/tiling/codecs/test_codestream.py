"""JPEG 2000 headers: what they say, what DICOM can call it, and what no decoder should be given."""

from contextlib import suppress

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiling.codecs import jpeg2000, ycbcr
from tiling.codecs.codestream import parse_header
from tiling.codecs.testing import encode_ycbcr, to_ycbcr
from tiling.errors import DamagedSlideError, SlideTooLargeError, TilingError
from tiling.geometry import Size
from tiling.slide import RGB8, Codec, Colour, TileEncoding
from tiling.testing import draw_pattern

PIXELS = draw_pattern(160, 128)
TILE = Size(160, 128)


def encode(**how: object) -> bytes:
    options = {"codecformat": "j2k", "reversible": True, **how}
    return bytes(imagecodecs.jpeg2k_encode(PIXELS, 0, **options))


def put(stream: bytes, at: int, changed: bytes) -> bytes:
    return stream[:at] + changed + stream[at + len(changed) :]


def cod_at(stream: bytes) -> int:
    """Where the marker COD stands."""
    return stream.index(b"\xff\x52")


def insert_precincts(stream: bytes, exponents: bytes) -> bytes:
    """The stream with precincts of its own in COD."""
    at = cod_at(stream)
    length = 12 + len(exponents)
    cod = stream[at : at + 2] + length.to_bytes(2, "big") + b"\1" + stream[at + 5 : at + 14]
    return stream[:at] + cod + exponents + stream[at + 14 :]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (encode(), TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS)),
        (encode(mct=False), TileEncoding(Colour.RGB, codec=Codec.JPEG_2000_LOSSLESS)),
        (encode(reversible=False), TileEncoding(Colour.ICT, codec=Codec.JPEG_2000)),
        (encode(reversible=False, mct=False), TileEncoding(Colour.RGB, codec=Codec.JPEG_2000)),
        (bytes(imagecodecs.htj2k_encode(PIXELS, reversible=True)),
         TileEncoding(Colour.RCT, codec=Codec.HTJ2K_LOSSLESS)),
        (bytes(imagecodecs.htj2k_encode(PIXELS, reversible=False)),
         TileEncoding(Colour.ICT, codec=Codec.HTJ2K)),
        (encode(codecformat="jp2"), None),
        (encode_ycbcr(PIXELS, (2, 1)), None),
        (encode_ycbcr(PIXELS, (2, 2)), None),
    ],
)  # fmt: skip
def test_streams_are_called_what_they_are(stream: bytes, expected: TileEncoding | None) -> None:
    header = parse_header(stream)
    assert header.size == TILE
    assert jpeg2000.encoding_of(header) == expected


def test_ycbcr_without_a_transform_has_no_name() -> None:
    assert jpeg2000.encoding_of(parse_header(encode_ycbcr(PIXELS)), Colour.YCBCR) is None


def test_samples_with_signs_have_no_name() -> None:
    stream = put(encode(), 42, b"\x87")
    assert parse_header(stream).announced is None
    assert jpeg2000.encoding_of(parse_header(stream)) is None


def test_boxes_are_seen_through() -> None:
    boxed = parse_header(encode(codecformat="jp2"))
    assert boxed.is_boxed
    assert boxed.announced == parse_header(encode()).announced


def test_subsampling_is_told() -> None:
    for subsampling in ((1, 1), (2, 1), (2, 2)):
        assert parse_header(encode_ycbcr(PIXELS, subsampling)).subsampling == subsampling


def test_declared_ict_differs_in_a_byte_and_looks_the_same() -> None:
    """The component transform undoes what JFIF's equations would: but for rounding (two grey
    levels at most) where no sample is at its end.
    """
    stream = encode_ycbcr(PIXELS)
    declared = jpeg2000.declare_ict(stream)
    changed = [at for at in range(len(stream)) if stream[at] != declared[at]]
    assert changed == [parse_header(stream).transform_at]
    assert jpeg2000.encoding_of(parse_header(declared)) == TileEncoding(
        Colour.ICT, codec=Codec.JPEG_2000
    )
    by_equations = ycbcr.to_rgb(np.asarray(jpeg2000.unpack_frame(stream), np.uint8))
    by_transform = np.asarray(jpeg2000.unpack_frame(declared), np.uint8)
    difference = np.abs(by_equations.astype(int) - by_transform)
    assert difference.max() <= 2
    assert (difference > 1).mean() < 0.01
    assert np.abs(by_transform.astype(int) - PIXELS).mean() < 1.5


def test_only_irreversible_ycbcr_is_declared_ict() -> None:
    for stream in (encode(mct=False), encode(reversible=False), encode_ycbcr(PIXELS, (2, 1))):
        with pytest.raises(DamagedSlideError):
            jpeg2000.declare_ict(stream)


def test_ycbcr_and_rgb_are_turned_into_each_other() -> None:
    back = ycbcr.to_rgb(to_ycbcr(PIXELS))
    assert np.abs(back.astype(int) - PIXELS).max() <= 2


LARGE = put(put(encode(), 8, b"\0\0\x20\0" * 2), 24, b"\0\0\x20\0" * 2)
"""A header of 8192 x 8192 pixels."""


@pytest.mark.parametrize(
    "stream",
    [
        insert_precincts(LARGE, b"\x11" * 5),
        put(insert_precincts(LARGE, b"\x66" * 5), cod_at(LARGE) + 6, b"\xff\xff"),
        put(LARGE, 24, (1).to_bytes(4, "big") * 2),
        put(LARGE, cod_at(LARGE) + 10, b"\0\0"),
    ],
    ids=["tiny precincts", "65535 layers", "tiles of a pixel", "blocks of 4 x 4"],
)
def test_what_no_decoder_could_bear_is_refused(stream: bytes) -> None:
    parse_header(LARGE)
    with pytest.raises(SlideTooLargeError):
        parse_header(stream)


@pytest.mark.parametrize(
    "broken",
    [
        encode()[:-2],
        encode()[:-40],
        encode() + b"more",
        encode().replace(b"\xff\x93", b"\xff\x52\0\x0c" + encode()[cod_at(encode()) + 4 :][:10]
                         + b"\xff\x93", 1),
        insert_precincts(encode(), b"\xff" * 4),
        put(encode(), cod_at(encode()) + 9, b"\x21"),
        put(encode(), cod_at(encode()) + 10, b"\x09"),
        encode()[: cod_at(encode())] + encode()[cod_at(encode()) :][:14] * 2
        + encode()[cod_at(encode()) + 14 :],
    ],
    ids=["no end", "cut short", "more after the end", "coding in a tile-part", "too few precincts",
         "too many levels", "block too large", "two codings"],
)  # fmt: skip
def test_broken_streams_are_damaged(broken: bytes) -> None:
    encoding = TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS)
    jpeg2000.check_frame(encode(), encoding, TILE, RGB8)
    with pytest.raises(DamagedSlideError):
        jpeg2000.check_frame(broken, encoding, TILE, RGB8)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_a_header_or_our_error(data: bytes, as_stream: bool) -> None:
    with suppress(TilingError):
        parse_header((b"\xff\x4f\xff\x51" if as_stream else b"") + data)


@given(st.integers(0, 120), st.binary(min_size=1, max_size=6))
def test_a_changed_header_is_a_header_or_our_error(at: int, changed: bytes) -> None:
    with suppress(TilingError):
        header = parse_header(put(STREAM, at, changed))
        assert header.size.area > 0
        jpeg2000.encoding_of(header)


STREAM = encode()
