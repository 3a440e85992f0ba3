"""What a miss costs: frames that no memory holds, beside the bare client."""

import asyncio
import random
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import obstore
from obstore.store import S3Store

from benchmarks.figures import Figure, beside
from benchmarks.run import say
from benchmarks.system import Published, System
from sgi.api.frames import Frames, ServedInstance
from sgi.api.slide_store import ServedSlide
from sgi.app import database_url, open_store
from sgi.catalogue import slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide
from sgi.errors import SgiError
from storage.cache import DiskCache
from tiling.geometry import Size

READS = 600
"""Single frames read by each side."""
VIEWS = 30
VIEW = Size(8, 5)
"""Tiles of 256 pixels that fill a screen of 1920 x 1080."""
_CACHE_BYTES = 4 << 30
_Reader = Callable[[Sequence[int]], Awaitable[None]]


def reads(system: System, published: Published) -> list[Figure]:
    """Of the base, one frame and one view at a time."""
    say(f"{READS} frames and {VIEWS} views read by each side")
    slide = asyncio.run(slide_of(system, published))
    with tempfile.TemporaryDirectory(dir=system.folder) as folder:
        return asyncio.run(_read(system, slide, Path(folder)))


async def slide_of(system: System, published: Published) -> Slide:
    """The benchmark's slide, as the catalogue has it."""
    async with (
        Database(database_url(system.settings), size=1) as database,
        database.transaction(published.establishment_id) as connection,
    ):
        slide = await slides.by_id(connection, published.slide_id)
    if slide is None:
        raise SgiError("The benchmark's own slide is not in the catalogue.")
    return slide


async def _read(system: System, slide: Slide, folder: Path) -> list[Figure]:
    store = open_store(system.settings)
    cache = DiskCache(store, folder, _CACHE_BYTES)
    instance = await ServedSlide(slide, store, Frames(store)).level(0)
    bare = system.bare_client()

    async def read_ours(frames: Sequence[int]) -> None:
        memory = Frames(store, cache=cache)  # empty, so that nothing comes from there
        await asyncio.gather(*(memory.get(instance, frame) for frame in frames))

    async def read_bare(frames: Sequence[int]) -> None:
        await asyncio.gather(*(_get_range(bare, instance, frame) for frame in frames))

    rng, grid = random.Random(2), instance.order.grid.tiles
    # A row of runs apart: no frame comes with a neighbour that was asked for before.
    singles = [[frame] for frame in rng.sample(range(0, grid.area, 8), min(READS, grid.area // 8))]
    views = [_view(rng, grid) for _ in range(VIEWS)]
    one = await _in_turn(read_ours, read_bare, singles)
    again = await _in_turn(read_ours, read_bare, singles)
    view = await _in_turn(read_ours, read_bare, views)
    cache.close()
    return [
        beside("tiles.one_frame", one[0], "ms", "obstore get_range", one[1]),
        beside("tiles.one_frame_on_disk", again[0], "ms", "obstore get_range", again[1]),
        beside("tiles.one_view", view[0], "ms", "obstore get_range each", view[1]),
    ]


async def _get_range(client: S3Store, instance: ServedInstance, frame_index: int) -> None:
    offset, length = instance.index.offset(frame_index)
    await obstore.get_range_async(client, instance.key, start=offset, length=length)


def _view(rng: random.Random, grid: Size) -> list[int]:
    """The frames that fill a screen, somewhere."""
    columns, rows = min(VIEW.columns, grid.columns), min(VIEW.rows, grid.rows)
    left, top = rng.randint(0, grid.columns - columns), rng.randint(0, grid.rows - rows)
    return [
        row * grid.columns + column
        for row in range(top, top + rows)
        for column in range(left, left + columns)
    ]


async def _in_turn(
    ours: _Reader, peer: _Reader, jobs: Sequence[Sequence[int]]
) -> tuple[list[float], list[float]]:
    """Milliseconds of each job by both; which side goes first changes each time."""
    took: dict[_Reader, list[float]] = {ours: [], peer: []}
    for number, frames in enumerate(jobs):
        for read in (ours, peer) if number % 2 else (peer, ours):
            began = time.perf_counter()
            await read(frames)
            took[read].append((time.perf_counter() - began) * 1e3)
    return took[ours], took[peer]
