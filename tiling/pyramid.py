"""A slide as encoded levels, every one ready to be written frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiling.blank import is_white, white_tile
from tiling.codecs import jpeg
from tiling.codecs.jpeg import JpegOptions
from tiling.downsample import halve
from tiling.errors import DamagedSlideError
from tiling.geometry import Size, TileGrid
from tiling.parallel import map_in_order
from tiling.slide import Level, Pixels, SlideReader, TileEncoding
from tiling.spool import Spool


class Origin(StrEnum):
    """How the frames of a level came to be."""

    PASSED_THROUGH = "passed through"
    """The scanner's own compressed tiles."""
    RE_ENCODED = "re-encoded"
    """A level of the file, decoded and compressed again."""
    BUILT = "built"
    """A level that the file lacks, made from the next finer one."""


class EncodedLevel(Protocol):
    """One level whose frames' lengths are known before the first frame is read."""

    @property
    def size(self) -> Size: ...

    @property
    def tile(self) -> Size: ...

    @property
    def downsample(self) -> float: ...

    @property
    def encoding(self) -> TileEncoding: ...

    @property
    def origin(self) -> Origin: ...

    @property
    def frame_lengths(self) -> NDArray[np.int64]:
        """Bytes of each frame in row-major order, shape `(tiles,)`, unpadded."""

    def frames(self) -> Iterator[bytes]:
        """Every frame in row-major order; may be iterated more than once."""


@dataclass(frozen=True, slots=True)
class PyramidOptions:
    """How the levels that cannot be passed through are made."""

    jpeg: JpegOptions = field(default_factory=JpegOptions)
    """Compression of the tiles that are made here."""
    top_pixels: int = 512
    """Levels are built until the longer side of the coarsest is at most this, in pixels."""
    workers: int = 2
    """Threads that decode and encode; one per processor is best."""

    def __post_init__(self) -> None:
        if self.top_pixels < 1 or self.workers < 1:
            raise ValueError("a pyramid needs a top of at least one pixel, and one worker")


Progress = Callable[[int, int], None]
"""Called with the number of tiles made so far and the number to be made in all."""


def build_pyramid(
    reader: SlideReader,
    scratch: Path,
    options: PyramidOptions = PyramidOptions(),
    progress: Progress | None = None,
) -> list[EncodedLevel]:
    """Every level of the slide as frames, from the base upwards, and those that the file lacks.

    Levels with an encoding are passed through and are read only when their frames are; the others
    are made now, into nameless files in the folder `scratch`. A gap between two levels of the
    file is left as it is. The levels need `reader` to stay open.

    Raises DamagedSlideError when a tile cannot be decoded, OSError when `scratch` is full.
    """
    tiles = _Tally(_tiles_to_make(reader, options), progress)
    levels: list[_FrameLevel] = []
    for index, level in _distinct(reader):
        if level.encoding is not None:
            levels.append(_PassedThrough(reader, index, level, level.encoding))
        else:
            read = partial(_read_tile, reader, index, level.grid)
            levels.append(_make(level, Origin.RE_ENCODED, read, scratch, options, tiles))
    while _has_next(levels[-1].size, options):
        finer = levels[-1]
        level = Level(finer.size.halved(), finer.tile, finer.downsample * 2)
        read = partial(_halve_tile, finer, level.grid)
        levels.append(_make(level, Origin.BUILT, read, scratch, options, tiles))
    return list(levels)


class _FrameLevel(EncodedLevel, Protocol):
    """A level whose frames can also be read one by one, to build the next from it."""

    def frame(self, frame_index: int) -> bytes:
        """The frame of that index, from 0; safe from several threads at once."""


class _PassedThrough:
    """A level of the file whose compressed tiles are handed on."""

    def __init__(
        self, reader: SlideReader, index: int, level: Level, encoding: TileEncoding
    ) -> None:
        self._reader = reader
        self._index = index
        self._grid = level.grid
        self.size = level.size
        self.tile = level.tile
        self.downsample = level.downsample
        self.encoding = encoding
        self.origin = Origin.PASSED_THROUGH
        self.frame_lengths = reader.encoded_tile_lengths(index)

    def frame(self, frame_index: int) -> bytes:
        """The scanner's tile, once its header and its end have proved what it is."""
        column, row = self._grid.position(frame_index)
        frame = self._reader.read_encoded_tile(self._index, column, row)
        jpeg.check_frame(frame, self.tile, self.encoding)
        if len(frame) != self.frame_lengths[frame_index]:
            raise DamagedSlideError("The file changed while it was read; send it again.")
        return frame

    def frames(self) -> Iterator[bytes]:
        return map(self.frame, range(self._grid.tiles.area))


class _Made:
    """A level whose frames were made here and wait in a spool."""

    def __init__(self, level: Level, encoding: TileEncoding, origin: Origin, spool: Spool) -> None:
        self._spool = spool
        self._frames = level.grid.tiles.area
        self.size = level.size
        self.tile = level.tile
        self.downsample = level.downsample
        self.encoding = encoding
        self.origin = origin
        self.frame_lengths = spool.lengths

    def frame(self, frame_index: int) -> bytes:
        return self._spool.read(frame_index)

    def frames(self) -> Iterator[bytes]:
        return map(self.frame, range(self._frames))


class _Tally:
    """How many tiles have been made, told to whoever asked."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def add_one(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def _make(
    level: Level,
    origin: Origin,
    read: Callable[[int], Pixels],
    scratch: Path,
    options: PyramidOptions,
    tiles: _Tally,
) -> _Made:
    """Compress the tiles that `read` gives by frame index, in a bounded number of threads."""
    encoding = options.jpeg.encoding
    blank = jpeg.encode(white_tile(level.tile), encoding, options.jpeg.quality)

    def encode_tile(frame_index: int) -> bytes:
        pixels = read(frame_index)
        return blank if is_white(pixels) else jpeg.encode(pixels, encoding, options.jpeg.quality)

    spool = Spool(scratch)
    for frame in map_in_order(encode_tile, range(level.grid.tiles.area), options.workers):
        spool.append(frame, repeats=frame is blank)
        tiles.add_one()
    spool.finish()
    return _Made(level, encoding, origin, spool)


def _read_tile(reader: SlideReader, index: int, grid: TileGrid, frame_index: int) -> Pixels:
    return reader.read_tile(index, *grid.position(frame_index))


def _halve_tile(finer: _FrameLevel, grid: TileGrid, frame_index: int) -> Pixels:
    """A tile `(rows, columns, 3)` from the (up to) four of the next finer level below it."""
    finer_grid = TileGrid(finer.size, finer.tile)
    column, row = grid.position(frame_index)
    below = [(2 * column + x, 2 * row + y) for y in (0, 1) for x in (0, 1)]
    columns, rows = finer.tile.columns, finer.tile.rows
    canvas = np.full((2 * rows, 2 * columns, 3), 255, np.uint8)
    used = Size(1, 1)
    for number, (c, r) in enumerate(below):
        if (c, r) not in finer_grid:
            continue
        pixels = jpeg.decode(finer.frame(finer_grid.frame_index(c, r)))
        visible = finer_grid.visible(c, r)
        top, left = rows * (number // 2), columns * (number % 2)
        canvas[top : top + visible.rows, left : left + visible.columns] = pixels[
            : visible.rows, : visible.columns
        ]
        used = Size(max(used.columns, left + visible.columns), max(used.rows, top + visible.rows))
    # Halving the visible part alone keeps what lies beyond the image out of its last pixels.
    halved = halve(canvas[: used.rows, : used.columns])
    tile = np.array(white_tile(grid.tile))
    tile[: halved.shape[0], : halved.shape[1]] = halved
    return tile


def _distinct(reader: SlideReader) -> Iterator[tuple[int, Level]]:
    """The levels that are coarser than the one before, with their index in the file."""
    previous: Size | None = None
    for index, level in enumerate(reader.levels):
        if previous is None or level.size.area < previous.area:
            yield index, level
            previous = level.size


def _has_next(size: Size, options: PyramidOptions) -> bool:
    """Whether a level of that size still needs a coarser one."""
    return max(size.columns, size.rows) > options.top_pixels


def _tiles_to_make(reader: SlideReader, options: PyramidOptions) -> int:
    kept = [level for _, level in _distinct(reader)]
    total = sum(level.grid.tiles.area for level in kept if level.encoding is None)
    size, tile = kept[-1].size, kept[-1].tile
    while _has_next(size, options):
        size = size.halved()
        total += TileGrid(size, tile).tiles.area
    return total
