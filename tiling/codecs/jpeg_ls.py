"""JPEG-LS tiles by their headers (ISO 14495-1 annex C)."""

from dataclasses import dataclass

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.announced import (
    CORRUPT,
    CUT_SHORT,
    DIFFERS,
    Announced,
    check_announced,
    unpack,
)
from tiling.codecs.segments import EOI, SOS, iter_segments
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, PixelFormat, Samples, TileEncoding

_SOF55, _LSE = 0xF7, 0xF8
_CODING_PARAMETERS = 1
"""The kind of LSE that says how, and not what else, is coded: no palette, no larger size."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a JPEG-LS stream says of itself."""

    announced: Announced
    near: int
    """The largest error of a sample; 0 where nothing is lost."""


def parse_header(frame: bytes) -> Header:
    """Read the frame header and the header of each scan; raises DamagedSlideError."""
    sof = b""
    end = 0
    for segment in iter_segments(frame):
        payload = segment.payload(frame)
        if segment.marker == _SOF55:
            if sof:
                raise DamagedSlideError(CORRUPT)
            sof = payload
        elif segment.marker == _LSE and payload[:1] != bytes((_CODING_PARAMETERS,)):
            raise DamagedSlideError(CORRUPT)
        elif segment.marker == SOS:
            end = segment.start
    if len(sof) < 6 or sof[5] not in (1, 3) or len(sof) != 6 + 3 * sof[5] or not end:
        raise DamagedSlideError(CORRUPT)
    rows, columns = (int.from_bytes(sof[at : at + 2], "big") for at in (1, 3))
    factors = {sof[at] for at in range(7, len(sof), 3)}
    if not rows or not columns or not 2 <= sof[0] <= 16 or factors != {0x11}:
        raise DamagedSlideError(CORRUPT)
    return Header(
        Announced(Size(columns, rows), sof[5], sof[0]), _largest_error(frame, end, sof[5])
    )


def _largest_error(frame: bytes, at: int, components: int) -> int:
    """NEAR of all scans (C.2.3), which hold all components, or one each.

    In entropy-coded data a byte below 0x80 follows each 0xFF, so that no scan is found there.
    """
    largest = coded = 0
    for _ in range(components):
        if at < 0:
            break
        count = frame[at + 4] if at + 4 < len(frame) else 0
        scan = frame[at + 5 : at + 8 + 2 * count]
        if count not in (1, components) or len(scan) != 3 + 2 * count:
            break
        largest = max(largest, scan[-3])
        coded += count
        at = frame.find(bytes((0xFF, SOS)), at + 2)
    if coded != components or at >= 0:
        raise DamagedSlideError(CORRUPT)
    return largest


def check_frame(frame: bytes, encoding: TileEncoding, tile: Size, pixel: PixelFormat) -> None:
    """Prove by headers and end that a stream is what its level promises.

    Raises DamagedSlideError.
    """
    header = parse_header(frame)
    check_announced(header.announced, tile, pixel)
    if (encoding.codec is Codec.JPEG_LS_LOSSLESS and header.near) or encoding.colour in (
        Colour.ICT,
        Colour.RCT,
    ):
        raise DamagedSlideError(DIFFERS)
    if not frame.rstrip(b"\0").endswith(bytes((0xFF, EOI))):
        raise DamagedSlideError(CUT_SHORT)


def encode(samples: Samples) -> bytes:
    """`(rows, columns, 1)` without loss, in all the bits of their type."""
    flat = np.ascontiguousarray(samples[:, :, 0])
    # Noise becomes larger when it is coded, beyond the room that the codec takes by itself.
    return bytes(imagecodecs.jpegls_encode(flat, out=2 * flat.nbytes + 1024))


def unpack_frame(frame: bytes) -> NDArray[np.generic]:
    """The samples of a frame that has passed `check_frame`, as they were coded."""
    return unpack(imagecodecs.jpegls_decode, frame)
