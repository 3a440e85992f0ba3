"""JPEG tiles: to and from pixels."""

from collections.abc import Mapping
from dataclasses import dataclass

import imagecodecs
import numpy as np

from tiling import argb
from tiling.codecs.segments import FrameHeader, parse_frame_header
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import Colour, Pixels, TileEncoding

__all__ = ["JpegOptions", "check_frame", "decode", "encode", "parse_frame_header"]

MAX_PIXELS = 1 << 26
"""Largest image that `decode` unpacks, in pixels; a JPEG of a few bytes can announce 4 G."""
LEAST_QUALITY_OF_LOSSLESS = 90
"""In which pixels are compressed that the file has without loss."""

_EOI = b"\xff\xd9"
_PROBE = b"\xa5\x5a" * 32
"""Entropy-coded bytes that a whole stream has no use for, without 0xFF."""
_MISSING = 128
"""The sample of a block that was not there: its coefficients are all 0."""


@dataclass(frozen=True, slots=True)
class JpegOptions:
    """How tiles are compressed."""

    quality: int = 90
    """libjpeg's scale, 1 to 100."""
    subsampling: tuple[int, int] = (2, 1)
    """Chroma subsampling, horizontal and vertical: (1, 1), (2, 1) or (2, 2)."""

    def __post_init__(self) -> None:
        if not 1 <= self.quality <= 100:
            raise ValueError(f"a JPEG quality lies between 1 and 100, not {self.quality}")
        if self.subsampling not in _SUBSAMPLING:
            raise ValueError(f"no such chroma subsampling: {self.subsampling}")

    @property
    def for_lossless(self) -> "JpegOptions":
        """The same for pixels that had lost nothing: whole chroma, quality of at least 90."""
        return JpegOptions(max(self.quality, LEAST_QUALITY_OF_LOSSLESS), (1, 1))

    @property
    def encoding(self) -> TileEncoding:
        return TileEncoding(Colour.YCBCR, self.subsampling)


_SUBSAMPLING: Mapping[tuple[int, int] | None, str] = {
    (1, 1): "444",
    (2, 1): "422",
    (2, 2): "420",
    (1, 2): "440",
    (4, 1): "411",
}


def encode(pixels: Pixels, encoding: TileEncoding | None = None, quality: int = 90) -> bytes:
    """Compress `(rows, columns, 3)` as a stand-alone baseline JPEG stream.

    Grey keeps the first sample of each pixel. Raises ValueError for a subsampling that JPEG
    encoders do not offer.
    """
    encoding = encoding or JpegOptions().encoding
    if encoding.subsampling not in _SUBSAMPLING:
        raise ValueError(f"no such chroma subsampling: {encoding.subsampling}")
    if encoding.colour is Colour.GREY:
        stream = imagecodecs.jpeg8_encode(np.ascontiguousarray(pixels[:, :, 0]), quality)
    else:
        four = argb.behind(pixels)
        space = imagecodecs.JPEG8.CS
        stream = imagecodecs.jpeg8_encode(
            np.ascontiguousarray(pixels) if four is None else argb.bytes_of(four),
            quality,
            colorspace=space.RGB if four is None else space.EXT_BGRX,
            outcolorspace=encoding.colour.value,
            subsampling=_SUBSAMPLING[encoding.subsampling],
        )
    return bytes(stream)


def decode(stream: bytes) -> Pixels:
    """Unpack a stand-alone JPEG stream as RGB `(rows, columns, 3)`; grey is repeated.

    Raises DamagedSlideError when the stream is broken or ends before its last pixel,
    SlideTooLargeError beyond `MAX_PIXELS`, UnsupportedSlideError for four components.
    """
    header = parse_frame_header(stream)
    if header.size.area > MAX_PIXELS:
        raise SlideTooLargeError("A compressed image is too large to be a tile; it is refused.")
    if len(header.components) == 4:
        raise UnsupportedSlideError("A compressed image has four colours; export it as RGB.")
    pixels = _unpack(stream, header)
    _check_complete(stream, header, pixels)
    return pixels


def check_frame(stream: bytes, size: Size, encoding: TileEncoding) -> None:
    """Prove by its header and its end that a stream is what its level promises.

    Nothing is unpacked: this costs microseconds. Raises DamagedSlideError.
    """
    header = parse_frame_header(stream)
    # TIFF writers pad a tile to an even length after its end.
    whole = stream.endswith(_EOI) or stream.rstrip(b"\0").endswith(_EOI)
    if not whole:
        raise DamagedSlideError(
            "A compressed tile is cut short; copy the file again from the scanner."
        )
    components = 1 if encoding.colour is Colour.GREY else 3
    found = (header.size, header.is_baseline, header.decoded_as, header.subsampling)
    promised = (size, True, encoding.colour, encoding.subsampling or header.subsampling)
    if found != promised or len(header.components) != components or header.subsampling is None:
        raise DamagedSlideError(
            "A compressed tile differs in size or colour from its level; "
            "copy the file again from the scanner."
        )


def _unpack(stream: bytes, header: FrameHeader) -> Pixels:
    try:
        decoded = imagecodecs.jpeg8_decode(stream)
    except Exception as error:
        raise DamagedSlideError(
            "A compressed tile cannot be decoded; copy the file again from the scanner."
        ) from error
    pixels: Pixels = np.asarray(decoded)
    if pixels.dtype != np.uint8 or pixels.shape[:2] != (header.size.rows, header.size.columns):
        raise UnsupportedSlideError("A compressed tile is not an 8-bit image; export it as RGB.")
    return np.repeat(pixels[:, :, None], 3, axis=2) if pixels.ndim == 2 else pixels


def _check_complete(stream: bytes, header: FrameHeader, pixels: Pixels) -> None:
    """Notice data that ends before the last pixel, which decoders fill in without a word.

    The codec keeps libjpeg's warnings to itself. It leaves the blocks that are missing at middle
    grey, so that a last pixel of another colour proves the last block of a baseline stream. Where
    it is in doubt the stream is unpacked once more: a decoder that ran dry reads on into bytes put
    before the end marker, and its pixels change; one that was satisfied never looks at them.
    """
    end = stream.rfind(_EOI)
    in_doubt = not header.is_baseline or (pixels[-1, -1] == _MISSING).all()
    if end < 0 or (in_doubt and _runs_dry(stream, end, header, pixels)):
        raise DamagedSlideError(
            "A compressed tile ends before its last pixel; copy the file again from the scanner."
        )


def _runs_dry(stream: bytes, end: int, header: FrameHeader, pixels: Pixels) -> bool:
    probed = _unpack(stream[:end] + _PROBE + stream[end:], header)
    return not np.array_equal(pixels, probed)
