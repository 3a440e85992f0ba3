"""What reading ahead saves one pathologist: recorded traces, with and without, from a store that is
some milliseconds away.
"""

import asyncio
import json
import time
from typing import Any

from benchmarks.figures import Figure, beside
from benchmarks.reads import slide_of
from benchmarks.record_traces import FOLDER as TRACES
from benchmarks.record_traces import SLIDE_BYTES
from benchmarks.run import say
from benchmarks.slides import write_slide
from benchmarks.system import own_system, publish
from sgi.api.ahead import Ahead
from sgi.api.frames import Frames
from sgi.api.layer import FIRST
from sgi.api.slide_store import ServedSlide
from sgi.app import open_store
from sgi.domain.slide import Slide
from storage.store import ObjectStore

DISTANCES_S = (0.0, 0.03)
"""The embedded store, and one of a data centre."""


class _Distant:
    """A store that is so far away, and counts what is asked of it."""

    def __init__(self, store: ObjectStore, distance_s: float) -> None:
        self._store = store
        self._distance_s = distance_s
        self.reads = 0

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        self.reads += 1
        await asyncio.sleep(self._distance_s)
        return await self._store.read_range_async(key, offset, length)


def measure() -> list[Figure]:
    """Every trace at its own pace, each by itself, all at the same time."""
    with own_system(SLIDE_BYTES) as system:
        source = system.folder / "slide.svs"
        write_slide(source, SLIDE_BYTES, "ahead")
        published = publish(system, source)
        slide = asyncio.run(slide_of(system, published))
        store = open_store(system.settings)
        figures = []
        for distance_s in DISTANCES_S:
            say(f"traces are played, the store {distance_s * 1e3:.0f} ms away")
            figures += asyncio.run(_play_all(slide, store, distance_s))
        return figures


async def _play_all(slide: Slide, store: ObjectStore, distance_s: float) -> list[Figure]:
    paths = sorted(TRACES.glob("*.json"))
    traces = [json.loads(path.read_text())["requests"] for path in paths]
    plays = [
        _play(slide, store, distance_s, trace, ahead=ahead)
        for trace in traces
        for ahead in (True, False)
    ]
    told = await asyncio.gather(*plays)
    figures = []
    for path, (waits, reads), (waits_without, reads_without) in zip(
        paths, told[::2], told[1::2], strict=True
    ):
        name = f"ahead.{path.stem}_{distance_s * 1e3:.0f}ms"
        mean, mean_without = (1e3 * sum(each) / len(each) for each in (waits, waits_without))
        figures += [
            beside(f"{name}.mean_wait", [mean], "ms", "without", [mean_without]),
            beside(f"{name}.reads", [reads], "", "without", [reads_without]),
        ]
    return figures


async def _play(
    slide: Slide, store: ObjectStore, distance_s: float, trace: Any, *, ahead: bool
) -> tuple[list[float], int]:
    """Seconds that each tile was waited for, and the reads of the store."""
    distant = _Distant(store, distance_s)
    frames = Frames(distant)
    served, reading = ServedSlide(slide, store, frames), Ahead(frames)
    for level in range(len(slide.levels)):
        await served.level(level)
    waits: list[float] = []

    async def look(level: int, column: int, row: int) -> None:
        began = time.perf_counter()
        instance = await served.level(level)
        await frames.get(instance, instance.order.frame_index(column, row))
        waits.append(time.perf_counter() - began)
        if ahead:
            reading.under(served, level, column, row, FIRST)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as looks:
        for ms, *place in trace:
            await asyncio.sleep(max(0.0, ms / 1e3 - (time.perf_counter() - began)))
            looks.create_task(look(*place))
    return waits, distant.reads
