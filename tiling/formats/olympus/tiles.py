"""The stored tiles of a stack: what they are, and their pixels."""

from collections.abc import Callable, Mapping
from typing import Literal

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs import frames, jpeg, jpeg2000, raw
from tiling.codecs.announced import DIFFERS, Announced, unpack
from tiling.codecs.segments import parse_frame_header
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.olympus.stack import Stack
from tiling.geometry import Size
from tiling.slide import Codec, Colour, Samples, TileEncoding

_RAW, _JPEG, _JPEG_2000, _JPEG_LOSSLESS, _PNG, _BMP = 0, 2, 3, 5, 8, 9
_LOSSLESS = {_RAW, _JPEG_LOSSLESS, _PNG, _BMP}
_UNPACKERS: Mapping[int, Callable[[bytes], NDArray[np.generic]]] = {
    _JPEG: imagecodecs.jpeg_decode,
    _JPEG_2000: imagecodecs.jpeg2k_decode,
    _JPEG_LOSSLESS: imagecodecs.ljpeg_decode,
    _PNG: imagecodecs.png_decode,
    _BMP: imagecodecs.bmp_decode,
}


def is_lossy(stack: Stack) -> bool:
    """Whether compression may have cost something."""
    return stack.compression not in _LOSSLESS


def encoding_of(stack: Stack, tile: bytes) -> TileEncoding | None:
    """How a stack's tiles can be handed on as they are, by one of them; None where they cannot.

    Raises DamagedSlideError when its header contradicts itself.
    """
    wanted = Announced(stack.tile, stack.pixel_format.samples, stack.pixel_format.bits)
    if stack.compression == _JPEG_2000:
        stream = jpeg2000.parse_header(tile)
        # Three components without a transform may be anything: the stack does not say.
        proved = jpeg2000.encoding_of(stream, said=Colour.YCBCR)
        return proved if stream.announced == wanted else None
    if stack.compression == _JPEG:
        header = parse_frame_header(tile)
        told = Announced(header.size, len(header.components), header.bits)
        return header.encoding_as(header.decoded_as) if told == wanted else None
    return None


def blank_encoding(encoding: TileEncoding) -> TileEncoding | None:
    """How a tile is made that the scanner left out among others of that encoding.

    Lossless JPEG 2000 is fit to stand among lossy ones, where no transform of colours differs;
    None where nothing is.
    """
    if encoding.codec in (Codec.JPEG, Codec.JPEG_2000_LOSSLESS):
        return encoding
    is_grey_2000 = encoding.codec is Codec.JPEG_2000 and encoding.colour is Colour.GREY
    return TileEncoding(Colour.GREY, codec=Codec.JPEG_2000_LOSSLESS) if is_grey_2000 else None


def decode(stack: Stack, tile: bytes, encoding: TileEncoding | None = None) -> Samples:
    """The samples `(rows, columns, samples)` of a stored tile.

    Raises DamagedSlideError when it is broken or of another size than its stack's tiles,
    UnsupportedSlideError when nobody knows its compression.
    """
    if encoding is not None:
        return frames.decode(tile, encoding, stack.tile, stack.pixel_format)
    if stack.compression == _RAW:
        samples = raw.decode(tile, stack.tile, stack.pixel_format)
        return samples[:, :, ::-1] if stack.is_blue_first else samples
    if stack.compression not in _UNPACKERS:
        raise UnsupportedSlideError(
            "The slide's tiles are compressed in an unknown way; export it with JPEG tiles."
        )
    if _announced_size(stack, tile) != stack.tile:
        raise DamagedSlideError(DIFFERS)
    if stack.compression == _JPEG and stack.pixel_format.bits == 8:
        return _fitted(stack, jpeg.decode(tile)[:, :, : stack.pixel_format.samples])
    return _fitted(stack, unpack(_UNPACKERS[stack.compression], tile))


def _fitted(stack: Stack, unpacked: NDArray[np.generic]) -> Samples:
    samples = unpacked[:, :, None] if unpacked.ndim == 2 else unpacked
    if samples.shape[2] == 4:  # colours and their opacity
        samples = samples[:, :, :3]
    shape = (stack.tile.rows, stack.tile.columns, stack.pixel_format.samples)
    if samples.shape != shape or samples.dtype != stack.pixel_format.dtype:
        raise DamagedSlideError(DIFFERS)
    fitted: Samples = samples  # type: ignore[assignment]  # its type was just asked
    return fitted


def _announced_size(stack: Stack, tile: bytes) -> Size | None:
    """What a compressed tile says its size is, asked before a decoder takes memory for it."""
    if stack.compression == _JPEG_2000:
        return jpeg2000.parse_header(tile).size
    if stack.compression == _PNG:
        return _size(tile[16:20], tile[20:24], "big")
    if stack.compression == _BMP:
        return _size(tile[18:22], tile[22:26], "little")
    return parse_frame_header(tile).size


def _size(columns: bytes, rows: bytes, order: Literal["little", "big"]) -> Size | None:
    across = int.from_bytes(columns, order)
    # A bitmap that runs downwards has fewer than no rows.
    down = abs(int.from_bytes(rows, order, signed=True))
    return Size(across, down) if across and down else None
