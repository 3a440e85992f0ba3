"""One subblock's pixels, whatever they are compressed with."""

import mmap
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import imagecodecs
import numpy as np

from tiling.codecs import jpeg
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.zeiss import jpegxr
from tiling.formats.zeiss.cache import SampleCache
from tiling.formats.zeiss.container import SUBBLOCK, Container
from tiling.formats.zeiss.rectangles import Rectangle
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import RGB8, PixelFormat, Samples

PIXEL_FORMATS: Mapping[int, PixelFormat] = {
    0: PixelFormat(samples=1, bits=8),
    1: PixelFormat(samples=1, bits=16),
    3: RGB8,
    4: PixelFormat(samples=3, bits=16),
}
"""By pixel type: Gray8, Gray16, Bgr24, Bgr48. What a camera's 12 or 14 bits are stored in counts:
nothing in the file proves that its samples keep to fewer."""

UNCOMPRESSED = 0
_JPEG, _JPEG_XR, _ZSTD, _ZSTD_WITH_HEADER = 1, 4, 5, 6
COMPRESSIONS = frozenset({UNCOMPRESSED, _JPEG, _JPEG_XR, _ZSTD, _ZSTD_WITH_HEADER})
LOSSLESS = frozenset({UNCOMPRESSED, _ZSTD, _ZSTD_WITH_HEADER})

_SIZES_BYTES = 16
"""Lengths of metadata, attachment and pixels, which a subblock begins with."""
_ENTRY_BYTES, _AXIS_BYTES = 32, 20
_SHORTEST_HEADER = 256
_CACHE_BYTES = 1 << 27
"""About what a pyramid reads at a time: 4096 x 4096 pixels in colours, by each of two threads, of
which either is done with some of a camera's images before it comes to the others.
"""
_MOST_BYTES_AT_ONCE = 1 << 25
_BROKEN = "An image of the slide cannot be decoded; copy the file again from the scanner."


@dataclass(frozen=True, slots=True)
class Stored:
    """What the directory says of a subblock's pixels."""

    position: int
    size: Size
    pixel_type: int
    compression: int
    axes: int
    """Its dimensions, by which the length of its header is known."""

    @property
    def pixel_format(self) -> PixelFormat:
        return PIXEL_FORMATS[self.pixel_type]

    @property
    def row_bytes(self) -> int:
        return self.size.columns * self.pixel_format.bytes_per_pixel


class SubblockPixels:
    """Reads subblocks; those that have to be unpacked are kept for the next tile."""

    def __init__(
        self, container: Container, limits: Limits, kept_bytes: int = _CACHE_BYTES
    ) -> None:
        self._container = container
        self._most_pixels = 4 * limits.tile_pixels
        self._cache = SampleCache(kept_bytes)

    def read(self, stored: Stored, part: Rectangle) -> Samples:
        """A part of it as `(rows, columns, samples)`, colours as red, green and blue.

        There may be a row or a column less than was asked for, where the writer rounded otherwise.
        Raises DamagedSlideError when the bytes contradict the directory, SlideTooLargeError for a
        compressed image larger than any camera's.
        """
        if stored.compression == UNCOMPRESSED:
            return self._read_plain(stored, part)
        whole = self._cache.get(stored, lambda: self._unpack(stored))
        return whole[part.top : part.bottom, part.left : part.right]

    def _read_plain(self, stored: Stored, part: Rectangle) -> Samples:
        """Little more than is asked for: such an image may be the whole slide."""
        position, length = self._find_pixels(stored)
        rows, columns, samples = _shape_of(length, stored)
        pixel = stored.pixel_format.bytes_per_pixel
        right, bottom = min(part.right, columns), min(part.bottom, rows)
        if right <= part.left or bottom <= part.top:
            return np.empty((0, 0, samples), stored.pixel_format.dtype)
        row_bytes = columns * pixel
        if row_bytes * (bottom - part.top) <= _MOST_BYTES_AT_ONCE:
            start = position + part.top * row_bytes
            raw = self._container.read(start, row_bytes * (bottom - part.top))
            whole = _arrange(raw, (bottom - part.top, columns, samples), stored.pixel_format)
            return whole[:, part.left : right]
        starts = (position + row * row_bytes + part.left * pixel for row in range(part.top, bottom))
        raw = b"".join(self._container.read(at, (right - part.left) * pixel) for at in starts)
        shape = (bottom - part.top, right - part.left, samples)
        return _arrange(raw, shape, stored.pixel_format)

    def _unpack(self, stored: Stored) -> Samples:
        if stored.size.area > self._most_pixels:
            raise SlideTooLargeError(
                "The file holds a compressed image larger than any camera makes; it is refused."
            )
        position, length = self._find_pixels(stored)
        # Compressed bytes outnumber the pixels' own only by a header.
        if length > 2 * stored.size.rows * stored.row_bytes + (1 << 16):
            raise DamagedSlideError(_BROKEN)
        samples = _UNPACKERS[stored.compression](self._container.read(position, length), stored)
        return samples[: stored.size.rows, : stored.size.columns]

    def _find_pixels(self, stored: Stored) -> tuple[int, int]:
        """Where a subblock's pixels begin, and how many bytes they are."""
        sizes = self._container.payload(stored.position, SUBBLOCK, _SIZES_BYTES)
        metadata = int.from_bytes(sizes[:4], "little", signed=True)
        length = int.from_bytes(sizes[8:16], "little", signed=True)
        header = max(_SHORTEST_HEADER, _SIZES_BYTES + _ENTRY_BYTES + stored.axes * _AXIS_BYTES)
        if metadata < 0 or length < 0:
            raise DamagedSlideError(_BROKEN)
        return stored.position + 32 + header + metadata, length


def _unpack_jpeg(data: bytes, stored: Stored) -> Samples:
    if stored.pixel_format.dtype != np.uint8:
        raise UnsupportedSlideError(
            "The slide has JPEG images of more than 8 bits; export it with another compression."
        )
    pixels = jpeg.decode(data)
    if any(
        abs(ours - told) > 1
        for ours, told in zip(pixels.shape, (stored.size.rows, stored.size.columns), strict=False)
    ):
        raise DamagedSlideError(_BROKEN)
    return pixels[:, :, : stored.pixel_format.samples]


def _unpack_jpeg_xr(data: bytes, stored: Stored) -> Samples:
    return jpegxr.decode(data, stored.size, stored.pixel_format)


def _unpack_zstd(data: bytes, stored: Stored) -> Samples:
    raw = _decompress(data, stored)
    return _arrange(raw, _shape_of(len(raw), stored), stored.pixel_format)


def _unpack_zstd_with_header(data: bytes, stored: Stored) -> Samples:
    """A header of one byte, or of three that tell whether low and high bytes stand apart."""
    length = data[0] if data else 0
    if length not in (1, 3) or (length == 3 and data[1:2] != b"\1"):
        raise DamagedSlideError(_BROKEN)
    apart = length == 3 and bool(data[2] & 1)
    raw = _decompress(data[length:], stored)
    if apart:
        if len(raw) % 2:
            raise DamagedSlideError(_BROKEN)
        raw = np.frombuffer(raw, np.uint8).reshape(2, -1).T.tobytes()
    return _arrange(raw, _shape_of(len(raw), stored), stored.pixel_format)


def _decompress(data: bytes, stored: Stored) -> bytes | memoryview:
    """Never more bytes than the pixels are.

    They lie in memory of their own: blocks of this size leave holes in a heap, which grew by as
    much again as the images that are kept.
    """
    try:
        room = mmap.mmap(-1, stored.size.rows * stored.row_bytes)
        return memoryview(imagecodecs.zstd_decode(data, out=memoryview(room)))
    except Exception as error:
        raise DamagedSlideError(_BROKEN) from error


def _shape_of(length: int, stored: Stored) -> tuple[int, int, int]:
    """Rows, columns and samples that so many bytes are: as told, or a row or column less."""
    rows, columns = stored.size.rows, stored.size.columns
    samples, pixel = stored.pixel_format.samples, stored.pixel_format.bytes_per_pixel
    if length >= rows * columns * pixel:
        return rows, columns, samples
    if length == (rows - 1) * columns * pixel:
        return rows - 1, columns, samples
    if length == rows * (columns - 1) * pixel:
        return rows, columns - 1, samples
    raise DamagedSlideError(_BROKEN)


def _arrange(
    raw: bytes | memoryview, shape: tuple[int, int, int], pixel_format: PixelFormat
) -> Samples:
    """Little-endian samples as an image; a file has blue first."""
    count = shape[0] * shape[1] * shape[2]
    flat = np.frombuffer(raw, np.dtype(pixel_format.dtype).newbyteorder("<"), count)
    samples: Samples = flat.reshape(shape)
    return samples[:, :, ::-1] if pixel_format.samples == 3 else samples


_UNPACKERS: Mapping[int, Callable[[bytes, Stored], Samples]] = {
    _JPEG: _unpack_jpeg,
    _JPEG_XR: _unpack_jpeg_xr,
    _ZSTD: _unpack_zstd,
    _ZSTD_WITH_HEADER: _unpack_zstd_with_header,
}
