"""Tiles without compression: samples interleaved by pixel, little-endian."""

import numpy as np

from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import PixelFormat, Samples


def encode(samples: Samples) -> bytes:
    """The bytes of `(rows, columns, samples)`."""
    return np.ascontiguousarray(samples, samples.dtype.newbyteorder("<")).tobytes()


def check_frame(frame: bytes, tile: Size, pixel_format: PixelFormat) -> None:
    """Raises DamagedSlideError unless the frame has the bytes that its pixels take."""
    if len(frame) != tile.area * pixel_format.bytes_per_pixel:
        raise DamagedSlideError("A tile is cut short; copy the file again from the scanner.")


def decode(frame: bytes, tile: Size, pixel_format: PixelFormat) -> Samples:
    """The samples `(rows, columns, samples)`; raises DamagedSlideError like `check_frame`."""
    check_frame(frame, tile, pixel_format)
    little_endian = np.dtype(pixel_format.dtype).newbyteorder("<")
    samples: Samples = np.frombuffer(frame, little_endian).astype(pixel_format.dtype, copy=False)
    return samples.reshape(tile.rows, tile.columns, pixel_format.samples)
