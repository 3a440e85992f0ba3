"""JPEG 2000 and HTJ2K tiles: what they are to DICOM, and to and from pixels."""

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.announced import DIFFERS, check_announced, unpack
from tiling.codecs.codestream import Header, check_tile_parts, parse_header
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Samples, TileEncoding

__all__ = ["check_frame", "declare_ict", "encode", "encoding_of", "parse_header", "unpack_frame"]

_SIGNAL_TO_NOISE_DB = 60
"""Of the lossy tiles that are made here."""

_CODECS = {
    (False, False): Codec.JPEG_2000,
    (False, True): Codec.JPEG_2000_LOSSLESS,
    (True, False): Codec.HTJ2K,
    (True, True): Codec.HTJ2K_LOSSLESS,
}
"""By high throughput and reversible transform."""


def encoding_of(header: Header, said: Colour = Colour.RGB) -> TileEncoding | None:
    """What a tile is to DICOM, `said` being what the file says of components left as they are.

    None where DICOM (PS3.3 C.8.12.4) has no true name for it: a JP2 file, samples with signs,
    halved chroma, YCbCr that no component transform made.
    """
    announced = header.announced
    if header.is_boxed or announced is None or announced.bits > 16:
        return None
    colour = _colour_of(header, said)
    if colour is None or colour is Colour.YCBCR:
        return None
    return TileEncoding(colour, codec=_CODECS[header.high_throughput, header.reversible])


def _colour_of(header: Header, said: Colour) -> Colour | None:
    samples = len(header.components)
    if samples == 1:
        return Colour.GREY
    if samples != 3:
        return None
    if header.component_transform:
        return Colour.RCT if header.reversible else Colour.ICT
    return said if said in (Colour.RGB, Colour.YCBCR) else None


def declare_ict(frame: bytes) -> bytes:
    """YCbCr as the irreversible component transform of RGB: one byte of the header changes.

    Raises DamagedSlideError where the components are not what `Header.can_become_ict` asks for.
    """
    header = parse_header(frame)
    if not header.can_become_ict:
        raise DamagedSlideError(DIFFERS)
    return frame[: header.transform_at] + b"\1" + frame[header.transform_at + 1 :]


def check_frame(frame: bytes, encoding: TileEncoding, tile: Size, pixel: PixelFormat) -> None:
    """Prove by header, tile-parts and end that a codestream is what its level promises.

    Raises DamagedSlideError; SlideTooLargeError where a decoder could not bear it.
    """
    header = parse_header(frame)
    announced = header.announced
    if header.is_boxed or announced is None:
        raise DamagedSlideError(DIFFERS)
    check_announced(announced, tile, pixel)
    # A reversible wavelet may have been cut off with loss, which no header tells.
    codecs = {_CODECS[header.high_throughput, each] for each in (header.reversible, False)}
    if _colour_of(header, encoding.colour) is not encoding.colour or encoding.codec not in codecs:
        raise DamagedSlideError(DIFFERS)
    check_tile_parts(frame, header)


def encode(samples: Samples, encoding: TileEncoding, pixel_format: PixelFormat) -> bytes:
    """A bare codestream of `(rows, columns, samples)`; a lossy one errs by a few grey levels."""
    flat = samples[:, :, 0] if pixel_format.samples == 1 else samples
    return bytes(
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(flat),
            level=0 if encoding.codec.is_lossless else _SIGNAL_TO_NOISE_DB,
            codecformat="j2k",
            reversible=encoding.codec.is_lossless or encoding.colour is Colour.RCT,
            mct=encoding.colour in (Colour.ICT, Colour.RCT),
            numthreads=1,
        )
    )


def unpack_frame(frame: bytes) -> NDArray[np.generic]:
    """The samples of a frame whose header has been checked; YCbCr with halved chroma as RGB.

    OpenJPEG unpacks HTJ2K too. OpenJPH is faster, but ends the process on some corrupt streams.
    """
    return unpack(imagecodecs.jpeg2k_decode, frame, numthreads=1)
