"""A slide as encoded levels, every one ready to be written frame by frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tiling.blank import background_of, blank_tile, is_blank
from tiling.codecs import frames
from tiling.codecs.jpeg import JpegOptions
from tiling.downsample import halve
from tiling.errors import DamagedSlideError
from tiling.geometry import Size, TileGrid
from tiling.parallel import map_in_order
from tiling.slide import RGB8, Level, PixelFormat, Samples, SlideReader, TileEncoding
from tiling.spool import Spool
from tiling.tile_order import TileOrder


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
    def pixel_format(self) -> PixelFormat: ...

    @property
    def origin(self) -> Origin: ...

    @property
    def lossy_before(self) -> bool:
        """Whether a re-encoded level had lost something already."""

    @property
    def order(self) -> TileOrder:
        """Which tile of which optical path and focal plane each frame is."""

    @property
    def frame_lengths(self) -> NDArray[np.int64]:
        """Bytes of each frame in the order of the frames, shape `(frames,)`, unpadded."""

    def frames(self) -> Iterator[bytes]:
        """Every frame in order; may be iterated more than once."""

    def frame(self, frame_index: int) -> bytes:
        """The frame of that index, from 0; safe from several threads at once."""

    def pixels(self, column: int, row: int, path: int = 0, plane: int = 0) -> Samples:
        """A whole tile unpacked, `(rows, columns, samples)`; IndexError outside the level."""


@dataclass(frozen=True, slots=True)
class PyramidOptions:
    """How the levels that cannot be passed through are made."""

    jpeg: JpegOptions = field(default_factory=JpegOptions)
    """Compression of 8-bit colour tiles that are made here; all others are kept without loss."""
    top_pixels: int = 512
    """Levels are built until the longer side of the coarsest is at most this, in pixels."""
    fill_gaps: bool = False
    """Whether levels are built between two of the file that lie further apart than a factor 2."""
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
    are made now, into nameless files in the folder `scratch`. The levels need `reader` to stay
    open.

    Raises DamagedSlideError when a tile cannot be decoded, OSError when `scratch` is full.
    """
    plan = _plan(reader, options)
    maker = _Maker(reader, scratch, options, _Tally(sum(map(_frames_to_make, plan)), progress))
    levels: list[EncodedLevel] = []
    for step in plan:
        if step.index is None:
            levels.append(maker.build(step.order, step.downsample, levels[-1]))
        elif step.encoding is None:
            levels.append(maker.re_encode(step.order, step.downsample, step.index))
        else:
            levels.append(
                _PassedThrough(reader, step.index, step.order, step.downsample, step.encoding)
            )
    return levels


@dataclass(frozen=True, slots=True)
class _Step:
    """A level of the pyramid to be."""

    order: TileOrder
    downsample: float
    index: int | None
    """Of the file's level that it is; None for one that is built."""
    encoding: TileEncoding | None = None
    """Set where it is passed through."""


def _plan(reader: SlideReader, options: PyramidOptions) -> list[_Step]:
    """The file's levels, those built between them if so wished, and those built above."""
    steps: list[_Step] = []

    def order(size: Size, tile: Size) -> TileOrder:
        planes = len(reader.focal_planes_um)
        return TileOrder(TileGrid(size, tile), len(reader.optical_paths), planes)

    def build_next() -> None:
        finer = steps[-1]
        grid = finer.order.grid
        steps.append(_Step(order(grid.image.halved(), grid.tile), finer.downsample * 2, None))

    for index, level in _distinct(reader):
        # Two built levels of a factor 2 lie within a gap of 4, with the second in the file.
        while options.fill_gaps and steps and level.downsample > 3 * steps[-1].downsample:
            build_next()
        found = order(level.size, level.tile)
        steps.append(_Step(found, level.downsample, index, level.encoding))
    while _has_next(steps[-1].order.grid.image, options):
        build_next()
    return steps


def _frames_to_make(step: _Step) -> int:
    return 0 if step.encoding is not None else step.order.frames


class _FrameLevel:
    """What passed-through and made levels share."""

    lossy_before = False

    def __init__(
        self,
        order: TileOrder,
        downsample: float,
        encoding: TileEncoding,
        pixel_format: PixelFormat,
    ) -> None:
        self.order = order
        self.size = order.grid.image
        self.tile = order.grid.tile
        self.downsample = downsample
        self.encoding = encoding
        self.pixel_format = pixel_format

    def frame(self, frame_index: int) -> bytes:
        raise NotImplementedError

    def frames(self) -> Iterator[bytes]:
        return map(self.frame, range(self.order.frames))

    def pixels(self, column: int, row: int, path: int = 0, plane: int = 0) -> Samples:
        frame = self.frame(self.order.frame_index(column, row, path, plane))
        return frames.decode(frame, self.encoding, self.tile, self.pixel_format)


class _PassedThrough(_FrameLevel):
    """A level of the file whose compressed tiles are handed on."""

    origin = Origin.PASSED_THROUGH

    def __init__(
        self,
        reader: SlideReader,
        index: int,
        order: TileOrder,
        downsample: float,
        encoding: TileEncoding,
    ) -> None:
        super().__init__(order, downsample, encoding, reader.pixel_format)
        self._reader = reader
        self._index = index
        self.frame_lengths = np.concatenate(
            [reader.encoded_tile_lengths(index, path, plane) for path, plane in order.layers()]
        )

    def frame(self, frame_index: int) -> bytes:
        """The scanner's tile, once its header and its end have proved what it is."""
        frame = self._reader.read_encoded_tile(self._index, *self.order.position(frame_index))
        frames.check(frame, self.encoding, self.tile, self.pixel_format)
        if len(frame) != self.frame_lengths[frame_index]:
            raise DamagedSlideError("The file changed while it was read; send it again.")
        return frame


class _Made(_FrameLevel):
    """A level whose frames were made here and wait in a spool."""

    def __init__(
        self,
        order: TileOrder,
        downsample: float,
        encoding: TileEncoding,
        pixel_format: PixelFormat,
        origin: Origin,
        spool: Spool,
    ) -> None:
        super().__init__(order, downsample, encoding, pixel_format)
        self._spool = spool
        self.origin = origin
        self.frame_lengths = spool.lengths

    def frame(self, frame_index: int) -> bytes:
        return self._spool.read(frame_index)


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


class _Maker:
    """Makes the levels of one slide that cannot be passed through."""

    def __init__(
        self, reader: SlideReader, scratch: Path, options: PyramidOptions, tiles: _Tally
    ) -> None:
        self._reader = reader
        self._scratch = scratch
        self._options = options
        self._tiles = tiles
        self._format = reader.pixel_format
        self._backgrounds = [background_of(self._format, path) for path in reader.optical_paths]
        lossy = self._format == RGB8
        self._encoding = options.jpeg.encoding if lossy else frames.lossless_encoding(self._format)

    def re_encode(self, order: TileOrder, downsample: float, index: int) -> "_Made":
        """A level of the file, decoded and compressed again."""

        def read(frame_index: int) -> Samples:
            return self._reader.read_tile(index, *order.position(frame_index))

        level = self._make(order, downsample, Origin.RE_ENCODED, read)
        level.lossy_before = self._reader.levels[index].lossy
        return level

    def build(self, order: TileOrder, downsample: float, finer: EncodedLevel) -> "_Made":
        """A level from the next finer one."""

        def read(frame_index: int) -> Samples:
            return self._halve_tile(finer, order, frame_index)

        return self._make(order, downsample, Origin.BUILT, read)

    def _make(
        self,
        order: TileOrder,
        downsample: float,
        origin: Origin,
        read: Callable[[int], Samples],
    ) -> "_Made":
        """Compress the tiles that `read` gives by frame index, in a bounded number of threads."""
        blanks = [blank_tile(order.grid.tile, self._format, value) for value in self._backgrounds]
        encoded_blanks = [self._encode(blank) for blank in blanks]

        def encode_tile(frame_index: int) -> bytes:
            samples = read(frame_index)
            path = order.position(frame_index).path
            blank = is_blank(samples, blanks[path])
            return encoded_blanks[path] if blank else self._encode(samples)

        spool = Spool(self._scratch)
        for frame in map_in_order(encode_tile, range(order.frames), self._options.workers):
            spool.append(frame, repeats=any(frame is blank for blank in encoded_blanks))
            self._tiles.add_one()
        spool.finish()
        return _Made(order, downsample, self._encoding, self._format, origin, spool)

    def _encode(self, samples: Samples) -> bytes:
        return frames.encode(samples, self._encoding, self._format, self._options.jpeg.quality)

    def _halve_tile(self, finer: EncodedLevel, order: TileOrder, frame_index: int) -> Samples:
        """A tile from the (up to) four of the next finer level below it."""
        column, row, path, plane = order.position(frame_index)
        below = [(2 * column + x, 2 * row + y) for y in (0, 1) for x in (0, 1)]
        columns, rows = finer.tile.columns, finer.tile.rows
        background = self._backgrounds[path]
        shape = (2 * rows, 2 * columns, self._format.samples)
        canvas = np.full(shape, background, self._format.dtype)
        used = Size(1, 1)
        for number, (c, r) in enumerate(below):
            if (c, r) not in finer.order.grid:
                continue
            samples = finer.pixels(c, r, path, plane)
            visible = finer.order.grid.visible(c, r)
            top, left = rows * (number // 2), columns * (number % 2)
            right, bottom = left + visible.columns, top + visible.rows
            canvas[top:bottom, left:right] = samples[: visible.rows, : visible.columns]
            used = Size(max(used.columns, right), max(used.rows, bottom))
        # Halving the visible part alone keeps what lies beyond the image out of its last pixels.
        halved = halve(canvas[: used.rows, : used.columns])
        tile = np.array(blank_tile(order.grid.tile, self._format, background))
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
