"""ETS: the tiles of one image, in all of its resolutions, channels and planes.

    0   "SIS"  header length, version, coordinates of a tile, place and length of the second
               header, place of the directory and number of its tiles
        "ETS"  version, type of sample, samples, colour space, compression, quality, tile size,
               17 hints, background, order of colours, whether there are resolutions, ...,
               where the stored pixels begin, ..., extents
        tiles
        for each tile: a number, its coordinates, where it lies, its length, a number

The coordinates of a tile are its column, its row, one for each axis of the image, and its level.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.olympus.images import LARGEST_SIDE
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import PixelFormat
from tiling.source import CUT_SHORT, FileSource

MARK = b"SIS\0"
_HEADER = struct.Struct("<4s3IQIIQI")
_SECOND_MARK = b"ETS\0"
_SECOND = struct.Struct("<4sI8i68x40xiI")
_MOST_SECOND_BYTES = 4096
_ORIGIN_AT, _EXTENTS_AT = 172, 184
"""Where the stored pixels begin, two numbers; how many extents there are, and they."""
_BITS = {2: 8, 4: 16}
"""By type of sample: bytes and words without a sign, all that cameras of slides give."""
_BLUE_FIRST = 1
_MOST_COORDINATES = 12
_MOST_DIRECTORY_BYTES = 1 << 28
"""Some five million tiles."""


@dataclass(frozen=True, slots=True)
class Stack:
    """One ETS file: how its tiles are made, and where each of them lies."""

    source: FileSource
    compression: int
    pixel_format: PixelFormat
    is_blue_first: bool
    """Of tiles without compression."""
    tile: Size
    extent: Size | None
    """Of the image, where the file tells; the stored pixels may begin before it."""
    origin: tuple[int, int]
    """As `Image.origin`."""
    coordinates: NDArray[np.int32]
    """Shape `(tiles, coordinates)`."""
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Shape `(tiles,)`, in bytes."""

    def read(self, index: int) -> bytes:
        """The bytes of a tile, by its place in the directory."""
        return self.source.read(int(self.offsets[index]), int(self.lengths[index]))


def open_stack(path: Path, limits: Limits) -> Stack:
    """Read the headers and the directory of an ETS file.

    Raises DamagedSlideError when they contradict the file, UnsupportedSlideError for samples that
    are no grey or RGB of 8 or 16 bits, SlideTooLargeError beyond the limits.
    """
    source = FileSource(path)
    try:
        return _read_stack(source, limits)
    except BaseException:
        source.close()
        raise


def _read_stack(source: FileSource, limits: Limits) -> Stack:
    mark, _, _, count, second_at, second_bytes, _, directory_at, tiles = _HEADER.unpack(
        source.read(0, _HEADER.size)
    )
    second = source.read(second_at, min(second_bytes, _MOST_SECOND_BYTES))
    if mark != MARK or len(second) < _SECOND.size or not 3 <= count <= _MOST_COORDINATES:
        raise DamagedSlideError(_CORRUPT)
    second_mark, _, kind, samples, _, compression, _, *tile, order, _ = _SECOND.unpack_from(second)
    if second_mark != _SECOND_MARK or not all(0 < side < LARGEST_SIDE for side in tile):
        raise DamagedSlideError(_CORRUPT)
    if kind not in _BITS or samples not in (1, 3) or tile[2] != 1:
        raise UnsupportedSlideError(
            "The slide's pixels are of a rare kind; export it with 8 or 16 bits, grey or RGB."
        )
    size = Size(tile[0], tile[1])
    limits.check_level(size, size)
    extent, origin = _extent(second)
    return Stack(
        source,
        compression,
        PixelFormat(samples, _BITS[kind]),
        order == _BLUE_FIRST,
        size,
        extent,
        origin,
        *_read_directory(source, directory_at, tiles, count),
    )


def _extent(second: bytes) -> tuple[Size | None, tuple[int, int]]:
    """The image's size, and where its stored pixels begin, from the end of the second header."""
    count = int.from_bytes(second[_EXTENTS_AT : _EXTENTS_AT + 4], "little")
    if not 2 <= count <= _MOST_COORDINATES or len(second) < _EXTENTS_AT + 4 + 4 * count:
        return None, (0, 0)
    sides = struct.unpack_from("<2i", second, _EXTENTS_AT + 4)
    if not all(0 < side < LARGEST_SIDE for side in sides):
        return None, (0, 0)
    column, row = struct.unpack_from("<2i", second, _ORIGIN_AT)
    return Size(*sides), (column, row)


def _read_directory(
    source: FileSource, at: int, tiles: int, count: int
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """The coordinates, the offsets and the lengths of all tiles."""
    record = np.dtype(
        [
            ("before", "<u4"),
            ("coordinates", "<i4", (count,)),
            ("offset", "<u8"),
            ("length", "<u4"),
            ("after", "<u4"),
        ]
    )
    if tiles * record.itemsize > _MOST_DIRECTORY_BYTES:
        raise SlideTooLargeError("The slide announces more tiles than any scan; it is refused.")
    table = np.frombuffer(source.read(at, tiles * record.itemsize), record)
    if not tiles or table["coordinates"].min() < 0:
        raise DamagedSlideError(_CORRUPT)
    if table["offset"].max() > source.size:
        raise DamagedSlideError(CUT_SHORT)
    offsets, lengths = (table[name].astype(np.int64) for name in ("offset", "length"))
    if (offsets + lengths).max() > source.size:
        raise DamagedSlideError(CUT_SHORT)
    return np.ascontiguousarray(table["coordinates"]), offsets, lengths


_CORRUPT = "A stack of the slide's tiles is corrupt; copy the whole slide again from the scanner."
