"""Compressed tiles of every codec: proved, unpacked and made.

One module per codec knows its bytes; this one knows which. imagecodecs does the arithmetic: it is
alive, has every codec of the field, and releases the GIL.
"""

from collections.abc import Callable, Mapping

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs import jpeg, raw
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Samples, TileEncoding

_BROKEN = "A compressed tile cannot be decoded; copy the file again from the scanner."
_DIFFERS = "A compressed tile differs from its level; copy the file again from the scanner."

_UNPACKERS: Mapping[Codec, Callable[[bytes], NDArray[np.generic]]] = {
    Codec.JPEG_EXTENDED: imagecodecs.jpeg_decode,
    Codec.JPEG_LOSSLESS: imagecodecs.ljpeg_decode,
    Codec.JPEG_2000: imagecodecs.jpeg2k_decode,
    Codec.JPEG_2000_LOSSLESS: imagecodecs.jpeg2k_decode,
    Codec.HTJ2K: imagecodecs.htj2k_decode,
    Codec.HTJ2K_LOSSLESS: imagecodecs.htj2k_decode,
    Codec.JPEG_LS: imagecodecs.jpegls_decode,
    Codec.JPEG_LS_LOSSLESS: imagecodecs.jpegls_decode,
    Codec.JPEG_XL: imagecodecs.jpegxl_decode,
    Codec.JPEG_XL_LOSSLESS: imagecodecs.jpegxl_decode,
    Codec.JPEG_XL_OF_JPEG: imagecodecs.jpegxl_decode,
}


def lossless_encoding(pixel_format: PixelFormat) -> TileEncoding:
    """How tiles are kept when not a bit may be lost: what every DICOM viewer can unpack."""
    colour = Colour.GREY if pixel_format.samples == 1 else Colour.RCT
    return TileEncoding(colour, codec=Codec.JPEG_2000_LOSSLESS)


def encode(
    samples: Samples, encoding: TileEncoding, pixel_format: PixelFormat, quality: int = 90
) -> bytes:
    """Compress `(rows, columns, samples)`; `quality` (1 to 100) is JPEG's own.

    Raises ValueError for a codec that tiles are not made with here.
    """
    if encoding.codec is Codec.JPEG:
        return jpeg.encode(np.asarray(samples, np.uint8), encoding, quality)
    if encoding.codec is Codec.JPEG_2000_LOSSLESS:
        flat = samples[:, :, 0] if pixel_format.samples == 1 else samples
        return bytes(
            imagecodecs.jpeg2k_encode(
                np.ascontiguousarray(flat),
                level=0,
                codecformat="j2k",
                reversible=True,
                bitspersample=pixel_format.bits,
                mct=encoding.colour is Colour.RCT,
                numthreads=1,
            )
        )
    if encoding.codec is Codec.RAW:
        return raw.encode(samples)
    raise ValueError(f"no tile is made in {encoding.codec} here")


def check(frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat) -> None:
    """Prove cheaply that a frame is what its level promises; raises DamagedSlideError."""
    if encoding.codec is Codec.JPEG:
        jpeg.check_frame(frame, tile, encoding)
    elif encoding.codec is Codec.RAW:
        raw.check_frame(frame, tile, pixel_format)


def decode(frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat) -> Samples:
    """Unpack a frame as `(rows, columns, samples)` in RGB or grey.

    Raises DamagedSlideError when it is broken or is not what its level promises.
    """
    check(frame, encoding, tile, pixel_format)
    if encoding.codec is Codec.JPEG:
        pixels = jpeg.decode(frame)
        return pixels[:, :, :1] if pixel_format.samples == 1 else pixels
    if encoding.codec is Codec.RAW:
        return raw.decode(frame, tile, pixel_format)
    return _unpack(frame, encoding, tile, pixel_format)


def _unpack(frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat) -> Samples:
    unpacker = _UNPACKERS.get(encoding.codec)
    if unpacker is None:
        raise UnsupportedSlideError(f"Tiles in {encoding.codec} cannot be unpacked here.")
    try:
        samples = np.asarray(unpacker(frame))
    except Exception as error:
        raise DamagedSlideError(_BROKEN) from error
    if samples.ndim == 2:
        samples = samples[:, :, None]
    if samples.shape != (tile.rows, tile.columns, pixel_format.samples):
        raise DamagedSlideError(_DIFFERS)
    if samples.dtype != pixel_format.dtype:
        raise DamagedSlideError(_DIFFERS)
    unpacked: Samples = samples
    return unpacked
