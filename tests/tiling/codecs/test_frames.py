"""Frames of every codec: what is made comes back, and what is changed is noticed or harmless."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiling.codecs import frames, jpeg
from tiling.errors import DamagedSlideError, TilingError
from tiling.geometry import Size
from tiling.slide import RGB8, Codec, Colour, PixelFormat, Samples, TileEncoding
from tiling.testing import draw_pattern

TILE = Size(96, 64)
GREY8, GREY12, GREY16 = (PixelFormat(1, bits) for bits in (8, 12, 16))


def samples_of(pixel: PixelFormat) -> Samples:
    rgb = draw_pattern(TILE.columns, TILE.rows)
    if pixel == RGB8:
        return rgb
    return np.asarray(rgb[:, :, :1].astype(pixel.dtype) * (pixel.brightest // 255), pixel.dtype)


@dataclass(frozen=True)
class Made:
    """A frame as another's software makes it, and how far it may be from what went in."""

    encoding: TileEncoding
    pixel: PixelFormat
    make: Callable[[Samples], bytes]
    error: int = 0

    @property
    def name(self) -> str:
        return f"{self.encoding.codec}-{self.encoding.colour}-{self.pixel.bits}"


def jpeg_2000(**how: object) -> Callable[[Samples], bytes]:
    return lambda samples: bytes(
        imagecodecs.jpeg2k_encode(
            samples.squeeze(), **{"codecformat": "j2k", "level": 0, "reversible": True, **how}
        )
    )


def high_throughput(*, reversible: bool) -> Callable[[Samples], bytes]:
    return lambda samples: bytes(
        imagecodecs.htj2k_encode(samples.squeeze(), None, reversible=reversible)
    )


def jpeg_ls(near: int) -> Callable[[Samples], bytes]:
    return lambda samples: bytes(imagecodecs.jpegls_encode(samples.squeeze(), near))


def jpeg_xl(**how: object) -> Callable[[Samples], bytes]:
    return lambda samples: bytes(imagecodecs.jpegxl_encode(samples.squeeze(), **how))


def jpeg_xl_of_jpeg(samples: Samples) -> bytes:
    return bytes(imagecodecs.jpegxl_encode_jpeg(jpeg.encode(np.asarray(samples, np.uint8))))


def turbo(**how: object) -> Callable[[Samples], bytes]:
    return lambda samples: bytes(imagecodecs.jpeg8_encode(samples.squeeze(), 98, **how))


def run_lengths(samples: Samples) -> bytes:
    """DICOM's RLE (PS3.5 annex G), the most significant byte of each sample first."""
    whole = samples.astype(samples.dtype.newbyteorder(">"))
    planes = whole.reshape(-1, samples.shape[2]).T.copy().view(np.uint8)
    planes = planes.reshape(samples.shape[2], -1, samples.dtype.itemsize).transpose(0, 2, 1)
    segments = [bytes(imagecodecs.packbits_encode(p.tobytes())) for p in chain(*planes)]
    segments = [segment + b"\0" * (len(segment) % 2) for segment in segments]
    offsets = 64 + np.cumsum([0, *map(len, segments)])[:-1]
    header = np.zeros(16, "<u4")
    header[: len(segments) + 1] = [len(segments), *offsets]
    return header.tobytes() + b"".join(segments)


def of(codec: Codec, colour: Colour, subsampling: tuple[int, int] = (1, 1)) -> TileEncoding:
    return TileEncoding(colour, subsampling, codec)


GREY = Colour.GREY
MADE = [
    Made(TileEncoding(Colour.YCBCR, (2, 2)), RGB8,
         lambda samples: jpeg.encode(np.asarray(samples, np.uint8),
                                     TileEncoding(Colour.YCBCR, (2, 2)), 98), 60),
    Made(of(Codec.JPEG_EXTENDED, GREY), GREY12, turbo(bitspersample=12), 16),
    Made(of(Codec.JPEG_EXTENDED, Colour.YCBCR), RGB8, turbo(subsampling="444"), 16),
    Made(of(Codec.JPEG_LOSSLESS, GREY), GREY8, turbo(lossless=True, predictor=1)),
    Made(of(Codec.JPEG_LOSSLESS, GREY), GREY12,
         turbo(lossless=True, predictor=6, bitspersample=12)),
    Made(of(Codec.JPEG_LOSSLESS, GREY), GREY16, turbo(lossless=True, bitspersample=16)),
    Made(of(Codec.JPEG_LOSSLESS, Colour.RGB), RGB8,
         turbo(lossless=True, colorspace="rgb", outcolorspace="rgb")),
    Made(of(Codec.JPEG_2000_LOSSLESS, GREY), GREY8, jpeg_2000()),
    Made(of(Codec.JPEG_2000_LOSSLESS, GREY), GREY12, jpeg_2000(bitspersample=12)),
    Made(of(Codec.JPEG_2000_LOSSLESS, GREY), GREY16, jpeg_2000()),
    Made(of(Codec.JPEG_2000_LOSSLESS, Colour.RCT), RGB8, jpeg_2000()),
    Made(of(Codec.JPEG_2000_LOSSLESS, Colour.RGB), RGB8, jpeg_2000(mct=False)),
    Made(of(Codec.JPEG_2000, Colour.RCT), RGB8, jpeg_2000()),
    Made(of(Codec.JPEG_2000, Colour.ICT), RGB8, jpeg_2000(reversible=False), 3),
    Made(of(Codec.HTJ2K_LOSSLESS, GREY), GREY16, high_throughput(reversible=True)),
    Made(of(Codec.HTJ2K_LOSSLESS, Colour.RCT), RGB8, high_throughput(reversible=True)),
    Made(of(Codec.HTJ2K, Colour.ICT), RGB8, high_throughput(reversible=False), 8),
    Made(of(Codec.JPEG_LS_LOSSLESS, GREY), GREY16, jpeg_ls(0)),
    Made(of(Codec.JPEG_LS_LOSSLESS, Colour.RGB), RGB8, jpeg_ls(0)),
    Made(of(Codec.JPEG_LS, Colour.RGB), RGB8, jpeg_ls(3), 3),
    Made(of(Codec.JPEG_XL_LOSSLESS, GREY), GREY16, jpeg_xl(lossless=True)),
    Made(of(Codec.JPEG_XL_LOSSLESS, Colour.RGB), RGB8, jpeg_xl(lossless=True, usecontainer=True)),
    Made(of(Codec.JPEG_XL, Colour.RGB), RGB8, jpeg_xl(distance=1.0), 60),
    Made(of(Codec.JPEG_XL_OF_JPEG, Colour.YCBCR), RGB8, jpeg_xl_of_jpeg, 60),
    Made(of(Codec.RLE, GREY), GREY8, run_lengths),
    Made(of(Codec.RLE, GREY), GREY16, run_lengths),
    Made(of(Codec.RLE, Colour.RGB), RGB8, run_lengths),
    Made(of(Codec.RAW, GREY), GREY16, lambda samples: samples.tobytes()),
    Made(of(Codec.RAW, Colour.RGB), RGB8, lambda samples: samples.tobytes()),
]  # fmt: skip


@pytest.fixture(params=MADE, ids=lambda made: made.name)
def made(request: pytest.FixtureRequest) -> Made:
    return request.param  # type: ignore[no-any-return]


def test_every_codec_is_tried() -> None:
    assert {each.encoding.codec for each in MADE} == set(Codec)


def test_frames_come_back(made: Made) -> None:
    samples = samples_of(made.pixel)
    frame = made.make(samples)
    frames.check(frame, made.encoding, TILE, made.pixel)
    decoded = frames.decode(frame, made.encoding, TILE, made.pixel)
    assert decoded.dtype == made.pixel.dtype
    assert np.abs(decoded.astype(int) - samples).max() <= made.error
    padded = frame + b"\0"
    if made.encoding.codec is not Codec.RAW:
        assert np.array_equal(frames.decode(padded, made.encoding, TILE, made.pixel), decoded)


def test_a_frame_of_another_size_or_kind_is_refused(made: Made) -> None:
    frame = made.make(samples_of(made.pixel))
    for size in (Size(96, 65), Size(48, 64), Size(64, 97), Size(4096, 4096)):
        with pytest.raises(DamagedSlideError):
            frames.decode(frame, made.encoding, size, made.pixel)
    for pixel in {RGB8, GREY8, GREY16} - {made.pixel}:
        colour = GREY if pixel.samples == 1 else made.encoding.colour
        with pytest.raises(DamagedSlideError):
            frames.decode(frame, of(made.encoding.codec, colour), TILE, pixel)


def test_a_frame_is_not_taken_for_another_codec(made: Made) -> None:
    frame = made.make(samples_of(made.pixel))
    xl = frozenset({Codec.JPEG_XL, Codec.JPEG_XL_LOSSLESS, Codec.JPEG_XL_OF_JPEG})
    related = {
        Codec.JPEG: {Codec.JPEG_EXTENDED},
        Codec.JPEG_EXTENDED: {Codec.JPEG},
        Codec.JPEG_2000_LOSSLESS: {Codec.JPEG_2000},
        Codec.JPEG_2000: {Codec.JPEG_2000_LOSSLESS},
        Codec.HTJ2K_LOSSLESS: {Codec.HTJ2K},
        Codec.JPEG_LS_LOSSLESS: {Codec.JPEG_LS},
        **dict.fromkeys(xl, xl),
    }.get(made.encoding.codec, set())
    for codec in set(Codec) - {made.encoding.codec} - related:
        other = TileEncoding(made.encoding.colour, made.encoding.subsampling, codec)
        with pytest.raises(DamagedSlideError):
            frames.check(frame, other, TILE, made.pixel)


def test_what_lost_something_is_not_called_lossless() -> None:
    rgb = samples_of(RGB8)
    for frame, codec, colour in (
        (jpeg_2000(reversible=False)(rgb), Codec.JPEG_2000_LOSSLESS, Colour.ICT),
        (high_throughput(reversible=False)(rgb), Codec.HTJ2K_LOSSLESS, Colour.ICT),
        (jpeg_ls(1)(rgb), Codec.JPEG_LS_LOSSLESS, Colour.RGB),
        (jpeg_xl(distance=1.0)(rgb), Codec.JPEG_XL_LOSSLESS, Colour.RGB),
    ):
        with pytest.raises(DamagedSlideError):
            frames.check(frame, of(codec, colour), TILE, RGB8)


def test_ycbcr_comes_back_as_rgb() -> None:
    ycbcr = np.asarray([[[255, 128, 128], [0, 128, 128], [76, 85, 255], [29, 255, 107]]], np.uint8)
    ycbcr = np.repeat(ycbcr, 2, axis=0)
    for codec, make in ((Codec.RAW, lambda s: s.tobytes()), (Codec.RLE, run_lengths),
                        (Codec.JPEG_LS_LOSSLESS, jpeg_ls(0)),
                        (Codec.JPEG_LOSSLESS, turbo(lossless=True, colorspace="rgb",
                                                    outcolorspace="rgb"))):  # fmt: skip
        rgb = frames.decode(make(ycbcr), of(codec, Colour.YCBCR), Size(4, 2), RGB8)
        expected = [[[255, 255, 255], [0, 0, 0], [254, 0, 0], [0, 0, 254]]]
        np.testing.assert_array_equal(rgb, expected * 2)


def test_the_lossless_encoding_loses_nothing() -> None:
    for pixel in (RGB8, GREY8, GREY12, GREY16):
        samples = samples_of(pixel)
        encoding = frames.lossless_encoding(pixel)
        frame = frames.encode(samples, encoding, pixel)
        np.testing.assert_array_equal(frames.decode(frame, encoding, TILE, pixel), samples)


@settings(deadline=None, max_examples=600)
@given(
    number=st.integers(0, len(MADE) - 1),
    cut=st.none() | st.floats(0, 1),
    changes=st.lists(
        st.tuples(
            st.floats(0, 1, exclude_max=True), st.booleans(), st.binary(min_size=1, max_size=4)
        ),
        max_size=5,
    ),
)
def test_changed_bytes_are_samples_or_our_error(
    number: int, cut: float | None, changes: list[tuple[float, bool, bytes]]
) -> None:
    """Half of the changes go into the first bytes, where the headers are."""
    made = MADE[number]
    whole = _frame(number)
    frame = bytearray(whole)
    for place, in_header, put_in in changes:
        at = int(place * (min(160, len(whole)) if in_header else len(whole)))
        frame[at : at + len(put_in)] = put_in
    data = bytes(frame[: len(whole) if cut is None else int(cut * len(whole))])
    try:
        decoded = frames.decode(data, made.encoding, TILE, made.pixel)
    except TilingError:
        return
    assert decoded.shape == (TILE.rows, TILE.columns, made.pixel.samples)
    assert decoded.dtype == made.pixel.dtype


_FRAMES: dict[int, bytes] = {}


def _frame(number: int) -> bytes:
    if number not in _FRAMES:
        _FRAMES[number] = MADE[number].make(samples_of(MADE[number].pixel))
    return _FRAMES[number]
