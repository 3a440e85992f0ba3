"""The bytes of a chunk: one channel after the other, where a tile has them side by side."""

import numpy as np

from tiling.codecs import frames
from tiling.geometry import Size
from tiling.slide import PixelFormat, Samples, TileEncoding


def planar(samples: Samples) -> bytes:
    """A tile `(rows, columns, samples)` as little-endian `(samples, rows, columns)`."""
    little_endian = samples.dtype.newbyteorder("<")
    return np.ascontiguousarray(samples.transpose(2, 0, 1), little_endian).tobytes()


def from_planar(data: bytes, tile: Size, pixel_format: PixelFormat) -> Samples:
    """The tile `(rows, columns, samples)` that `planar` made the bytes of."""
    little_endian = np.dtype(pixel_format.dtype).newbyteorder("<")
    samples: Samples = np.frombuffer(data, little_endian).astype(pixel_format.dtype, copy=False)
    return samples.reshape(pixel_format.samples, tile.rows, tile.columns).transpose(1, 2, 0)


def unpack_chunk(
    frame: bytes, encoding: TileEncoding, tile: Size, pixel_format: PixelFormat
) -> bytes:
    """The chunk of a stored frame; raises a TilingError for one that is broken."""
    return planar(frames.decode(frame, encoding, tile, pixel_format))


def chunk_bytes(tile: Size, pixel_format: PixelFormat) -> int:
    """How many bytes `planar` gives."""
    return tile.area * pixel_format.bytes_per_pixel
