"""DICOM's run lengths (PS3.5 annex G): each byte of a sample by itself, packed as PackBits."""

from contextlib import suppress
from itertools import pairwise

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs.announced import BROKEN, CORRUPT, DIFFERS
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Colour, PixelFormat, TileEncoding

_HEADER_BYTES = 64


def check_frame(frame: bytes, encoding: TileEncoding, tile: Size, pixel: PixelFormat) -> None:
    """Prove that the header (G.5) has a segment for each byte of a pixel, one after the other.

    Raises DamagedSlideError.
    """
    if encoding.colour in (Colour.ICT, Colour.RCT):
        raise DamagedSlideError(DIFFERS)
    segments = _segments(frame, pixel)
    # Two bytes of PackBits make 128 at most.
    if any(64 * (len(segment) + 1) < tile.area for segment in segments):
        raise DamagedSlideError(DIFFERS)


def unpack_frame(frame: bytes, tile: Size, pixel: PixelFormat) -> NDArray[np.generic]:
    """The samples `(rows, columns, samples)` of a frame that has passed `check_frame`."""
    planes = [_unpack_segment(segment, tile.area) for segment in _segments(frame, pixel)]
    # The most significant byte of a sample comes first (G.2).
    together = np.stack(planes, axis=-1).reshape(tile.rows, tile.columns, -1)
    return together.view(np.dtype(pixel.dtype).newbyteorder(">")).astype(pixel.dtype)


def _segments(frame: bytes, pixel: PixelFormat) -> list[bytes]:
    count, *offsets = (
        int.from_bytes(frame[at : at + 4], "little") for at in range(0, _HEADER_BYTES, 4)
    )
    if len(frame) < _HEADER_BYTES or count != pixel.bytes_per_pixel:
        raise DamagedSlideError(CORRUPT)
    bounds = [*offsets[:count], len(frame)]
    if bounds[0] != _HEADER_BYTES or any(here >= there for here, there in pairwise(bounds)):
        raise DamagedSlideError(CORRUPT)
    return [frame[here:there] for here, there in pairwise(bounds)]


def _unpack_segment(segment: bytes, length: int) -> NDArray[np.uint8]:
    """Just so many bytes; a byte that pads the segment to an even number may follow (G.3.1)."""
    for packed in (segment, segment[:-1]):
        with suppress(RuntimeError):
            data = imagecodecs.packbits_decode(packed, out=length)
            if len(data) == length:
                return np.frombuffer(data, np.uint8)
    raise DamagedSlideError(BROKEN)
