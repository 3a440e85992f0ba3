"""JPEG tiles that are not baseline: extended sequential (SOF1) and lossless (SOF3).

libjpeg-turbo unpacks both, with 8 bits and with more.
"""

from collections.abc import Container, Mapping

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.announced import (
    CUT_SHORT,
    DIFFERS,
    Announced,
    check_announced,
    unpack,
)
from tiling.codecs.segments import EOI, SOF0_BASELINE, parse_frame_header
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, TileEncoding

_SOF1_EXTENDED, _SOF3_LOSSLESS = 0xC1, 0xC3
_PROCESSES: Mapping[Codec, Mapping[int, Container[int]]] = {
    Codec.JPEG_EXTENDED: {SOF0_BASELINE: (8,), _SOF1_EXTENDED: (8, 12)},
    Codec.JPEG_LOSSLESS: {_SOF3_LOSSLESS: range(2, 17)},
}
"""Frame headers and bits of each codec; whoever reads processes 2 and 4 reads baseline too."""


def check_frame(frame: bytes, encoding: TileEncoding, tile: Size, pixel: PixelFormat) -> None:
    """Prove by header and end that a stream is what its level promises.

    What the colours are is for the level to say, as DICOM's streams seldom do. Raises
    DamagedSlideError.
    """
    header = parse_frame_header(frame)
    check_announced(Announced(header.size, len(header.components), header.bits), tile, pixel)
    lossless = encoding.codec is Codec.JPEG_LOSSLESS
    if (
        header.bits not in _PROCESSES[encoding.codec].get(header.marker, ())
        or encoding.colour in (Colour.ICT, Colour.RCT)
        or header.subsampling is None
        or header.subsampling
        != ((1, 1) if lossless else encoding.subsampling or header.subsampling)
    ):
        raise DamagedSlideError(DIFFERS)
    if not frame.rstrip(b"\0").endswith(bytes((0xFF, EOI))):
        raise DamagedSlideError(CUT_SHORT)


def unpack_frame(frame: bytes, encoding: TileEncoding) -> NDArray[np.generic]:
    """The samples of a frame that has passed `check_frame`; RGB where it was coded with loss."""
    if encoding.colour is Colour.GREY:
        return unpack(imagecodecs.jpeg8_decode, frame)
    # Lossless streams are not converted by libjpeg, nor should it guess what they are.
    lossless = encoding.codec is Codec.JPEG_LOSSLESS
    coded = "rgb" if lossless else encoding.colour.value
    return unpack(imagecodecs.jpeg8_decode, frame, colorspace=coded, outcolorspace="rgb")
