"""Every codec has a transfer syntax, and every pair of names finds its way back."""

import numpy as np
import pytest
from pydicom.uid import UID

from dicom.transfer_syntax import encoding_of, photometric_of, transfer_syntax_of
from tiling.codecs import frames, jpeg
from tiling.geometry import Size
from tiling.rendering import render_tile
from tiling.slide import RGB8, Codec, Colour, TileEncoding
from tiling.testing import draw_pattern

YCBCR = "YBR_FULL_422"
SUBSAMPLED = (Codec.JPEG, Codec.JPEG_EXTENDED, Codec.JPEG_XL_OF_JPEG)
"""Whose frames alone tell how chroma is subsampled."""


@pytest.mark.parametrize("codec", Codec)
def test_every_codec_has_a_transfer_syntax(codec: Codec) -> None:
    uid = UID(transfer_syntax_of(TileEncoding(Colour.GREY, codec=codec)))
    assert uid.is_valid
    assert uid.startswith("1.2.840.10008.1.2")
    assert not codec.is_lossless or "Near" not in uid.name


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("colour", [Colour.RGB, Colour.GREY, Colour.YCBCR])
def test_names_find_their_way_back(codec: Codec, colour: Colour) -> None:
    told = colour is Colour.GREY or codec not in SUBSAMPLED
    encoding = TileEncoding(colour, (1, 1) if told else None, codec)
    samples = 1 if colour is Colour.GREY else 3
    assert encoding_of(transfer_syntax_of(encoding), photometric_of(encoding), samples) == encoding


@pytest.mark.parametrize(
    ("codec", "colour"),
    [
        (Codec.JPEG_2000, Colour.ICT),
        (Codec.HTJ2K, Colour.ICT),
        (Codec.JPEG_2000_LOSSLESS, Colour.RCT),
        (Codec.HTJ2K_LOSSLESS, Colour.RCT),
        (Codec.JPEG_2000, Colour.RCT),
    ],
)
def test_transforms_find_their_way_back(codec: Codec, colour: Colour) -> None:
    encoding = TileEncoding(colour, codec=codec)
    assert encoding_of(transfer_syntax_of(encoding), photometric_of(encoding), 3) == encoding


@pytest.mark.parametrize(
    ("uid", "photometric", "samples"),
    [
        ("1.2.840.10008.1.2.4.50", "PALETTE COLOR", 1),
        ("1.2.840.10008.1.2.4.50", "MONOCHROME1", 1),
        ("1.2.840.10008.1.2.4.50", "RGB", 1),
        ("1.2.840.10008.1.2.4.50", "YBR_ICT", 3),
        ("1.2.840.10008.1.2.4.90", "YBR_ICT", 3),
        ("1.2.840.10008.1.2.1", "YBR_FULL_422", 3),
        ("1.2.840.10008.1.2.4.102", "RGB", 3),
        ("1.2.840.10008.1.2.1.99", "RGB", 3),
    ],
)
def test_what_no_tile_is(uid: str, photometric: str, samples: int) -> None:
    assert encoding_of(uid, photometric, samples) is None


def test_all_lossless_wavelets_are_one() -> None:
    for uid in ("1.2.840.10008.1.2.4.201", "1.2.840.10008.1.2.4.202"):
        encoding = encoding_of(uid, "YBR_RCT", 3)
        assert encoding == TileEncoding(Colour.RCT, codec=Codec.HTJ2K_LOSSLESS)


def test_the_colours_of_jpeg_xl_are_for_its_decoder_to_undo() -> None:
    encoding = encoding_of("1.2.840.10008.1.2.4.112", "XYB", 3)
    assert encoding == TileEncoding(Colour.RGB, codec=Codec.JPEG_XL)


@pytest.mark.parametrize("subsampling", [(1, 1), (2, 1), (2, 2)])
@pytest.mark.parametrize("codec", [Codec.JPEG, Codec.JPEG_EXTENDED])
def test_a_stored_frame_is_read_whatever_its_subsampling(
    codec: Codec, subsampling: tuple[int, int]
) -> None:
    pixels = draw_pattern(64, 48)
    frame = jpeg.encode(pixels, TileEncoding(Colour.YCBCR, subsampling))
    encoding = encoding_of(transfer_syntax_of(TileEncoding(Colour.YCBCR, codec=codec)), YCBCR, 3)
    assert encoding is not None
    decoded = frames.decode(frame, encoding, Size(columns=64, rows=48), RGB8)
    assert np.abs(decoded.astype(int) - pixels).mean() < 6
    assert render_tile(frame, encoding, Size(columns=64, rows=48), RGB8)
