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
from tiling.errors import DamagedSlideError
from tiling.geometry import Size, TileGrid
from tiling.parallel import map_in_order
from tiling.slide import RGB8, Level, PixelFormat, Samples, SlideReader, TileEncoding
from tiling.spool import Spool
from tiling.tile_order import TileOrder, TilePosition
from tiling.tower import Read, Tower, fits_above, height


class Origin(StrEnum):
    """How the frames of a level came to be."""

    PASSED_THROUGH = "passed through"
    """The scanner's own compressed tiles."""
    RE_ENCODED = "re-encoded"
    """A level of the file, decoded and compressed again."""
    BUILT = "built"
    """Made from the next finer level, which was being unpacked: the file lacks it, or has it only
    in a form that would be unpacked and compressed as well."""


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
    def from_pixels(self) -> bool:
        """Whether a built level is the half of pixels that the next finer level was made of,
        before they were compressed; else it was made from that level's frames.
        """

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
    """Compression of 8-bit colour tiles that are made here, the least that pixels get which had
    lost nothing (`JpegOptions.for_lossless`); all others are kept without loss."""
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
    while len(levels) < len(plan):
        step, *above = plan[len(levels) :]
        if step.index is None:
            steps = [step, *_built_with(step, above, lossy=maker.lossy)]
            levels.extend(maker.build(levels[-1], steps))
        elif step.encoding is None:
            steps = [step, *_built_with(step, above, lossy=maker.lossy)]
            levels.extend(maker.re_encode(step.index, steps))
        else:
            levels.append(
                _PassedThrough(reader, step.index, step.order, step.downsample, step.encoding)
            )
    return levels


def _built_with(step: "_Step", above: list["_Step"], *, lossy: bool) -> list["_Step"]:
    """Those levels right above another that are made of its pixels.

    A level of the file is among them when it would be decoded only to lose something again; where
    `lossy` is False it is kept as it is instead.
    """
    found: list[_Step] = []
    for upper in above:
        kept = upper.encoding is not None or (upper.index is not None and not lossy)
        if kept or not fits_above(upper.order.grid, step.order.grid):
            break
        found.append(upper)
        step = upper
    return found


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
        # DICOM keeps 8 or 16 bits of a sample, and a stream has to say as many (PS3.5 8.2).
        kept = level.encoding if reader.pixel_format.fills_its_type else None
        steps.append(_Step(found, level.downsample, index, kept))
    while _has_next(steps[-1].order.grid.image, options):
        build_next()
    return steps


def _frames_to_make(step: _Step) -> int:
    return 0 if step.encoding is not None else step.order.frames


class _FrameLevel:
    """What passed-through and made levels share."""

    lossy_before = False
    from_pixels = False

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
        spool: Spool,
        places: NDArray[np.int64],
    ) -> None:
        """`places` `(frames,)` are those of the frames in the spool, which has another order."""
        super().__init__(order, downsample, encoding, pixel_format)
        self._spool = spool
        self._places = places
        self.origin = Origin.BUILT
        self.frame_lengths = spool.lengths[places]

    def frame(self, frame_index: int) -> bytes:
        return self._spool.read(int(self._places[frame_index]))


class _Tally:
    """How many tiles have been made, told to whoever asked."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    def add(self, tiles: int) -> None:
        for _ in range(tiles):
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
        self.lossy = self._format == RGB8
        self._jpeg = options.jpeg.for_lossless if _is_lossless(reader.levels[0]) else options.jpeg
        self._encoding = (
            self._jpeg.encoding if self.lossy else frames.lossless_encoding(self._format)
        )

    def re_encode(self, index: int, steps: list[_Step]) -> "list[_Made]":
        """A level of the file, decoded and compressed again, and some of those above it."""

        def read(place: TilePosition) -> Samples:
            return self._reader.read_tile(index, *place)

        steps = steps[: height(steps[0].order.grid, len(steps))]
        lossy = self._reader.levels[index].lossy
        levels = self._make(read, [step.order for step in steps], steps)
        for level in levels:
            level.lossy_before = lossy
        levels[0].origin = Origin.RE_ENCODED
        return levels

    def build(self, finer: EncodedLevel, steps: list[_Step]) -> "list[_Made]":
        """Some levels above one that has frames."""

        def read(place: TilePosition) -> Samples:
            return finer.pixels(*place)

        steps = steps[: height(finer.order.grid, len(steps) + 1) - 1]
        return self._make(read, [finer.order, *(step.order for step in steps)], steps)

    def _make(self, read: Read, orders: list[TileOrder], steps: list[_Step]) -> "list[_Made]":
        """Compress the highest levels of a tower, one for each step, in a bounded number of
        threads; `read` gives the tiles of its lowest level.
        """
        first = len(orders) - len(steps)
        tower = Tower([order.grid for order in orders], self._format, self._backgrounds)
        blanks = [
            blank_tile(orders[0].grid.tile, self._format, value) for value in self._backgrounds
        ]
        encoded_blanks = [self._encode(blank) for blank in blanks]

        def climb(block: TilePosition) -> list[tuple[int, int, bytes]]:
            made: list[tuple[int, int, bytes]] = []

            def take(rung: int, place: TilePosition, samples: Samples) -> None:
                if rung >= first:
                    blank = is_blank(samples, blanks[place.path])
                    frame = encoded_blanks[place.path] if blank else self._encode(samples)
                    made.append((rung - first, orders[rung].frame_index(*place), frame))

            tower.climb(block, read, take)
            return made

        spools = [Spool(self._scratch) for _ in steps]
        places = [np.zeros(step.order.frames, np.int64) for step in steps]
        blocks = (block for layer in orders[0].layers() for block in tower.blocks(*layer))
        for made in map_in_order(climb, blocks, self._options.workers):
            for number, frame_index, frame in made:
                blank = any(frame is other for other in encoded_blanks)
                places[number][frame_index] = spools[number].frames
                spools[number].append(frame, repeats=blank)
            self._tiles.add(len(made))
        levels: list[_Made] = []
        for step, spool, place in zip(steps, spools, places, strict=True):
            spool.finish()
            level = _Made(step.order, step.downsample, self._encoding, self._format, spool, place)
            level.from_pixels = len(levels) > 0
            levels.append(level)
        return levels

    def _encode(self, samples: Samples) -> bytes:
        return frames.encode(samples, self._encoding, self._format, self._jpeg.quality)


def _is_lossless(level: Level) -> bool:
    """Whether the file has a level's pixels as they were before any compression."""
    return not level.lossy if level.encoding is None else level.encoding.codec.is_lossless


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
