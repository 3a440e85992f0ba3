"""Compressed tiles of every codec: proved, unpacked and made.

One module per codec knows its bytes; this one knows which. imagecodecs does the arithmetic: it is
alive, has every codec of the field, and releases the GIL. No codec is handed a frame whose header
announces anything but the tile of its level.
"""

from typing import cast

import numpy as np
from numpy.typing import NDArray

from tiling.codecs import (
    jpeg,
    jpeg2000,
    jpeg_beyond_baseline,
    jpeg_ls,
    jpeg_xl,
    raw,
    rle,
    ycbcr,
)
from tiling.codecs.announced import DIFFERS
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import RGB8, Codec, Colour, PixelFormat, Pixels, Samples, TileEncoding

_JPEG_2000 = frozenset(
    {Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS, Codec.HTJ2K, Codec.HTJ2K_LOSSLESS}
)
_JPEG_LS = frozenset({Codec.JPEG_LS, Codec.JPEG_LS_LOSSLESS})
_JPEG_XL = frozenset({Codec.JPEG_XL, Codec.JPEG_XL_LOSSLESS, Codec.JPEG_XL_OF_JPEG})
_COMES_AS_RGB = frozenset({Codec.JPEG, Codec.JPEG_EXTENDED}) | _JPEG_XL
"""Codecs whose decoders undo YCbCr themselves."""


def lossless_encoding(pixel_format: PixelFormat) -> TileEncoding:
    """How tiles are kept when not a bit may be lost.

    Light in JPEG-LS: as small as in JPEG 2000, and several times quicker to make and to unpack.
    Colours of 16 bits, which are rare, in JPEG 2000, whose component transform pays there.
    """
    if pixel_format.samples == 1:
        return TileEncoding(Colour.GREY, codec=Codec.JPEG_LS_LOSSLESS)
    return TileEncoding(Colour.RCT, codec=Codec.JPEG_2000_LOSSLESS)


def encode(
    samples: Samples, encoding: TileEncoding, pixel_format: PixelFormat, quality: int = 90
) -> bytes:
    """Compress `(rows, columns, samples)`; `quality` (1 to 100) is JPEG's own.

    Raises ValueError for a codec that tiles are not made with here.
    """
    if encoding.codec is Codec.JPEG:
        return jpeg.encode(np.asarray(samples, np.uint8), encoding, quality)
    if encoding.codec in (Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS):
        return jpeg2000.encode(samples, encoding, pixel_format)
    if encoding.codec is Codec.JPEG_LS_LOSSLESS and pixel_format.samples == 1:
        return jpeg_ls.encode(samples)
    if encoding.codec is Codec.RAW:
        return raw.encode(samples)
    raise ValueError(f"no tile is made in {encoding.codec} here")


def check(frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat) -> None:
    """Prove cheaply that a frame is what its level promises.

    Raises DamagedSlideError, and SlideTooLargeError for a frame that no decoder could bear.
    """
    if (encoding.colour is Colour.GREY) != (pixel_format.samples == 1):
        raise DamagedSlideError(DIFFERS)
    codec = encoding.codec
    if codec is Codec.JPEG:
        if pixel_format.bits != RGB8.bits:
            raise DamagedSlideError(DIFFERS)
        jpeg.check_frame(frame, tile, encoding)
    elif codec is Codec.RAW:
        raw.check_frame(frame, tile, pixel_format)
    elif codec is Codec.RLE:
        rle.check_frame(frame, encoding, tile, pixel_format)
    elif codec in _JPEG_2000:
        jpeg2000.check_frame(frame, encoding, tile, pixel_format)
    elif codec in _JPEG_LS:
        jpeg_ls.check_frame(frame, encoding, tile, pixel_format)
    elif codec in _JPEG_XL:
        jpeg_xl.check_frame(frame, encoding, tile, pixel_format)
    else:
        jpeg_beyond_baseline.check_frame(frame, encoding, tile, pixel_format)


def decode(frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat) -> Samples:
    """Unpack a frame as `(rows, columns, samples)` in RGB or grey.

    Raises DamagedSlideError when it is broken or is not what its level promises, and
    SlideTooLargeError as `check` does.
    """
    check(frame, encoding, tile, pixel_format)
    samples = _unpack(frame, encoding, tile, pixel_format)
    if samples.ndim == 2:
        samples = samples[:, :, None]
    shape = (tile.rows, tile.columns, pixel_format.samples)
    if samples.shape != shape or samples.dtype != pixel_format.dtype:
        raise DamagedSlideError(DIFFERS)
    if encoding.colour is Colour.YCBCR and encoding.codec not in _COMES_AS_RGB:
        if pixel_format != RGB8:
            raise DamagedSlideError(DIFFERS)
        return ycbcr.to_rgb(cast("Pixels", samples))
    return cast("Samples", samples)


def _unpack(
    frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat
) -> NDArray[np.generic]:
    codec = encoding.codec
    if codec is Codec.JPEG:
        return jpeg.decode(frame)[:, :, : pixel_format.samples]
    if codec is Codec.RAW:
        return raw.decode(frame, tile, pixel_format)
    if codec is Codec.RLE:
        return rle.unpack_frame(frame, tile, pixel_format)
    if codec in _JPEG_2000:
        return jpeg2000.unpack_frame(frame)
    if codec in _JPEG_LS:
        return jpeg_ls.unpack_frame(frame)
    if codec in _JPEG_XL:
        return jpeg_xl.unpack_frame(frame)
    return jpeg_beyond_baseline.unpack_frame(frame, encoding)
