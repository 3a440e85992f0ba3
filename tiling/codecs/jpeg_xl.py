"""JPEG XL tiles by their headers (ISO 18181-1 annexes D and E, 18181-2 for the boxes)."""

from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.announced import (
    CORRUPT,
    DIFFERS,
    Announced,
    check_announced,
    unpack,
)
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, TileEncoding

_SIGNATURE = b"\xff\x0a"
_BOX_SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n"
_MAX_BOXES = 64
_HEADER_BYTES = 64
"""More than the fields that are read here ever take."""
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_GREY = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What a JPEG XL stream says of itself."""

    announced: Announced
    xyb: bool
    """Whether it was turned into the colours of lossy compression."""


class _Bits:
    """Reads bits from the lowest of the first byte upwards (18181-1 B.2)."""

    def __init__(self, data: bytes) -> None:
        self._left = len(data) * 8
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise DamagedSlideError(CORRUPT)
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value

    def choose(self, *choices: tuple[int, int]) -> int:
        """One of four: a number to be added to that many bits."""
        base, count = choices[self.take(2)]
        return base + self.take(count)


def parse_header(frame: bytes) -> Header:
    """Read size and metadata of a still image without alpha; raises DamagedSlideError."""
    bits = _Bits(_codestream(frame)[2:_HEADER_BYTES])
    size = _read_size(bits)
    if bits.take(1):
        return Header(Announced(size, 3, 8), xyb=True)
    # Turned on its side, or with an intrinsic size, a preview or an animation: no tile.
    if bits.take(1) and bits.take(6):
        raise DamagedSlideError(CORRUPT)
    if bits.take(1):  # floating point
        raise DamagedSlideError(CORRUPT)
    depth = bits.choose((8, 0), (10, 0), (12, 0), (1, 6))
    bits.take(1)
    if bits.choose((0, 0), (1, 0), (2, 4), (1, 12)):
        raise DamagedSlideError(CORRUPT)
    xyb = bool(bits.take(1))
    grey = False
    if not bits.take(1):
        bits.take(1)  # whether a profile follows
        grey = bits.choose((0, 0), (1, 0), (2, 4), (18, 6)) == _GREY
    return Header(Announced(size, 1 if grey else 3, depth), xyb)


def _read_size(bits: _Bits) -> Size:
    """Sizes that are small multiples of 8 take fewer bits, as do columns in a ratio to the rows."""
    small = bits.take(1)
    steps = ((1, 9), (1, 13), (1, 18), (1, 30))

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else bits.choose(*steps)

    rows = side()
    ratio = bits.take(3)
    if not ratio:
        return Size(side(), rows)
    across, down = _RATIOS[ratio - 1]
    return Size(max(1, rows * across // down), rows)


def _codestream(frame: bytes) -> bytes:
    """The beginning of the codestream: bare, or in the first box that holds a part of it."""
    if frame.startswith(_SIGNATURE):
        return frame[:_HEADER_BYTES]
    at = 0
    for _ in range(_MAX_BOXES if frame.startswith(_BOX_SIGNATURE) else 0):
        length, kind = int.from_bytes(frame[at : at + 4], "big"), frame[at + 4 : at + 8]
        content = at + 8
        if length == 1:
            length, content = int.from_bytes(frame[at + 8 : at + 16], "big"), at + 16
        if kind in (b"jxlc", b"jxlp"):
            content += 4 if kind == b"jxlp" else 0
            if not frame.startswith(_SIGNATURE, content):
                break
            return frame[content : content + _HEADER_BYTES]
        if length < content - at:
            break
        at += length
    raise DamagedSlideError(CORRUPT)


def check_frame(frame: bytes, encoding: TileEncoding, tile: Size, pixel: PixelFormat) -> None:
    """Prove by its header that a stream is what its level promises; raises DamagedSlideError."""
    header = parse_header(frame)
    check_announced(header.announced, tile, pixel)
    if (encoding.codec is Codec.JPEG_XL_LOSSLESS and header.xyb) or encoding.colour in (
        Colour.ICT,
        Colour.RCT,
    ):
        raise DamagedSlideError(DIFFERS)


def unpack_frame(frame: bytes) -> NDArray[np.generic]:
    """The samples of a frame that has passed `check_frame`, RGB or grey."""
    return unpack(imagecodecs.jpegxl_decode, frame, index=0, numthreads=1)
