"""A stored frame for a client that does not take its transfer syntax."""

import numpy as np

from tiling.codecs import frames
from tiling.geometry import Size
from tiling.slide import PixelFormat, TileEncoding


def uncompressed(
    frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat
) -> bytes:
    """The samples of a frame, little-endian and pixel by pixel, colours as RGB (PS3.5 8.1).

    Raises DamagedSlideError and its kin.
    """
    samples = frames.decode(frame, encoding, tile, pixel_format)
    little_endian = samples.dtype.newbyteorder("<")
    return np.ascontiguousarray(samples, little_endian).tobytes()


def uncompressed_bytes(tile: Size, pixel_format: PixelFormat) -> int:
    """How many they are."""
    return tile.area * pixel_format.bytes_per_pixel
