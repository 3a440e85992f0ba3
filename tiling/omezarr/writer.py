"""An open slide written as a stored OME-Zarr 0.5: lossless chunks, many of them to an object.

A chunk is a tile of its level as the reader gives it, so that none has to be put together; a shard
has as many as make about `shard_pixels` a side. Levels that the file lacks above its coarsest are
halved from it. In memory are one shard, and a few tiles for each worker.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from tiling.geometry import Size, TileGrid
from tiling.omezarr.documents import (
    DOCUMENT_NAME,
    array_document,
    fill_value,
    group_document,
    to_json,
)
from tiling.omezarr.keys import ChunkPlace, chunk_key
from tiling.omezarr.levels import FileLevel, HalvedLevel, StoredLevel, order_of
from tiling.omezarr.multiscale import Multiscale
from tiling.omezarr.packing import Packing
from tiling.omezarr.shards import build_shard, sharding_codec
from tiling.parallel import map_in_order
from tiling.slide import Level, OpticalPath, SlideReader

Write = Callable[[str, bytes], None]
"""Keeps the bytes of an object under its key, such as "0/c/0/1/2", below the slide's own place."""
Progress = Callable[[int, int], None]
"""Called with the number of tiles written so far and the number to be written in all."""

_MOST_TILES = 64
"""Tiles along each side of a shard, at most: its index stays below 64 KiB."""


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a pyramid is stored."""

    shard_pixels: int = 4096
    """What a side of a shard measures at most, in pixels; one tile where that is larger."""
    zstd_level: int = 3
    """1 (fastest) to 22 (smallest)."""
    top_pixels: int = 512
    """Levels are halved until the longer side of the coarsest is at most this, in pixels."""
    workers: int = 2
    """Threads that decode and compress; one per processor is best."""
    withholds: Callable[[str], bool] = lambda _: False
    """Says of an optical path's name whether it is left out."""


def write_omezarr(
    reader: SlideReader,
    name: str,
    write: Write,
    scratch: Path,
    options: WriteOptions = WriteOptions(),
    progress: Progress | None = None,
) -> None:
    """Every level of the slide and those above it, the group's document last.

    `name` is told in it. Halved levels wait in nameless files in the folder `scratch`. Labels and
    other images of the glass are not written: the format has no place for them.

    Raises DamagedSlideError when a tile cannot be decoded, and what `write` raises.
    """
    file_levels = [FileLevel(reader, index) for index in _distinct(reader.levels)]
    top = file_levels[-1].level
    halvings = _halvings(top, options.top_pixels)
    described = [stored.level for stored in file_levels]
    for _ in range(halvings):
        top = Level(top.size.halved(), top.tile, top.downsample * 2)
        described.append(top)
    image = Multiscale.of(reader, described, name)
    paths = image.optical_paths
    named = [path if _is_told(path, options) else replace(path, name=None) for path in paths]
    image = replace(image, optical_paths=named)
    packing = Packing(reader.pixel_format, fill_value(image), options.zstd_level)
    writer = _Writer(reader, image, packing, write, options, progress)
    stored: StoredLevel
    for number, stored in enumerate(file_levels):
        writer.write_level(number, stored)
    stored = file_levels[-1]
    for number in range(len(file_levels), len(described)):
        stored = HalvedLevel(reader, stored, packing, scratch)
        writer.write_level(number, stored)
    write(DOCUMENT_NAME, to_json(group_document(image)))


def _is_told(path: OpticalPath, options: WriteOptions) -> bool:
    return path.name is None or not options.withholds(path.name)


class _Writer:
    """Writes the levels of one image, one after the other."""

    def __init__(
        self,
        reader: SlideReader,
        image: Multiscale,
        packing: Packing,
        write: Write,
        options: WriteOptions,
        progress: Progress | None,
    ) -> None:
        self._reader = reader
        self._image = image
        self._packing = packing
        self._write = write
        self._options = options
        self._progress = progress
        self._total = sum(order_of(reader, level).frames for level in image.levels)
        self._done = 0

    def write_level(self, number: int, stored: StoredLevel) -> None:
        """All shards of a level, layer by layer, then its document."""
        level = stored.level
        order = order_of(self._reader, level)
        tiles = tiles_of_shard(level, self._options.shard_pixels)
        shards = TileGrid(level.grid.tiles, tiles)
        frames = (
            order.frame_index(*place, path, plane) if place in order.grid else None
            for path, plane in order.layers()
            for shard in shards.positions()
            for place in tiles_in_shard(shard, tiles)
        )

        def pack(frame: int | None) -> tuple[int | None, bytes | None]:
            return frame, None if frame is None else self._packing.pack(stored.make(frame))

        packed = map_in_order(pack, frames, self._options.workers)
        objects = 0
        for path, plane in order.layers():
            for column, row in shards.positions():
                chunks: list[bytes | None] = []
                for frame, chunk in islice(packed, tiles.area):
                    chunks.append(chunk)
                    if frame is not None:
                        stored.keep(frame, chunk)
                        self._tell()
                shard = build_shard(chunks)
                if shard is not None:
                    objects += 1
                    place = ChunkPlace(number, column, row, path, plane)
                    self._write(chunk_key(self._image, place), shard)
        stored.finish()
        sharding = sharding_codec(self._image.chunk_shape(number), self._packing.codecs)
        document = array_document(self._image, number, [sharding], tiles, objects)
        self._write(f"{number}/{DOCUMENT_NAME}", to_json(document))

    def _tell(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._total)


def tiles_of_shard(level: Level, shard_pixels: int) -> Size:
    """How many tiles a shard of the level has across and down."""
    across, down = (
        min(max(shard_pixels // side, 1), _MOST_TILES)
        for side in (level.tile.columns, level.tile.rows)
    )
    return Size(across, down)


def tiles_in_shard(shard: tuple[int, int], tiles: Size) -> Iterator[tuple[int, int]]:
    """Column and row of each tile of a shard, row by row; some may lie beyond the grid."""
    column, row = shard
    for y in range(tiles.rows):
        for x in range(tiles.columns):
            yield column * tiles.columns + x, row * tiles.rows + y


def _distinct(levels: Sequence[Level]) -> list[int]:
    """The levels that are coarser than all before them."""
    return [
        index
        for index, level in enumerate(levels)
        if all(level.size.area < finer.size.area for finer in levels[:index])
    ]


def _halvings(top: Level, top_pixels: int) -> int:
    """How often a level has to be halved until its longer side is short enough."""
    size, times = top.size, 0
    while max(size.columns, size.rows) > top_pixels:
        size, times = size.halved(), times + 1
    return times
