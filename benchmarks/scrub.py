"""What somebody who looks at tiles notices of a scrub that reads the same store at its set pace."""

import asyncio
import http.client
import itertools
import multiprocessing
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event

from benchmarks.figures import Figure, beside
from benchmarks.pathologists import sign_in
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import Published, System, own_system, publish
from sgi.app import database_url
from sgi.catalogue.database import Database
from sgi.errors import SgiError
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.settings import ScrubSettings, Settings
from sgi.stores import open_stores
from tiling.geometry import Size

ROUNDS = 2
SECONDS = 5
_AGAIN = 200
"""Tiles that are asked for again and again: what somebody looks at."""
_PAUSE_S = 0.005
_WITHOUT = "no scrub"


@dataclass(slots=True)
class _Waits:
    """Seconds until a tile was there."""

    cached: list[float] = field(default_factory=list)
    uncached: list[float] = field(default_factory=list)


def measure() -> list[Figure]:
    """Without and with a scrub, in turn; the worker's own is off meanwhile."""
    pace = ScrubSettings().mb_per_s
    with own_system(size_bytes(), SGI_SCRUB__MB_PER_S="0") as system:
        source = system.folder / "slide.svs"
        grid = write_slide(source, size_bytes(), "scrub")
        published = publish(system, source)
        asker = _Asker(system.settings.port, sign_in(system), _paths(published, grid))
        quiet, scrubbed = _Waits(), _Waits()
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}, {SECONDS} s without and {SECONDS} s with a scrub")
            asker.ask(quiet)
            with _scrub(system, published, pace):
                asker.ask(scrubbed)
    return [
        beside(f"scrub.{name}_{part}", [_ms(ours, part)], "ms", _WITHOUT, [_ms(theirs, part)])
        for name, ours, theirs in (
            ("cached", scrubbed.cached, quiet.cached),
            ("uncached", scrubbed.uncached, quiet.uncached),
        )
        for part in ("p50", "p99")
    ]


def _paths(published: Published, grid: Size) -> list[str]:
    """Every tile of the base, in an order in which none is read ahead of the one before it."""
    places = [(column, row) for column in range(grid.columns) for row in range(grid.rows)]
    random.Random(11).shuffle(places)
    return [f"/tiles/{published.slide_id}/0/{column}/{row}" for column, row in places]


def _ms(seconds: Sequence[float], part: str) -> float:
    if len(seconds) < 100:
        raise SgiError("Too few tiles were given to tell a percentile: make SGI_BENCH_MB larger.")
    return statistics.quantiles(seconds, n=100)[{"p50": 49, "p99": 98}[part]] * 1e3


class _Asker:
    """One tile that was there before, then one that nobody has asked for, over one connection."""

    def __init__(self, port: int, cookie: str, paths: Sequence[str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Cookie": cookie}
        self._known = itertools.cycle(paths[:_AGAIN])
        self._new = iter(paths[_AGAIN:])
        for path in paths[:_AGAIN]:
            self._get(path)

    def ask(self, waits: _Waits) -> None:
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            waits.cached.append(self._get(next(self._known)))
            new = next(self._new, None)
            if new is not None:
                waits.uncached.append(self._get(new))
            time.sleep(_PAUSE_S)

    def _get(self, path: str) -> float:
        began = time.perf_counter()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise SgiError(f"A tile of the benchmark's own slide was refused ({answer.status}).")
        return time.perf_counter() - began


@contextmanager
def _scrub(system: System, published: Published, mb_per_s: float) -> Iterator[None]:
    """A process of its own reads the slide again and again, as a worker does."""
    spawn = multiprocessing.get_context("spawn")
    begun = spawn.Event()
    process = spawn.Process(
        target=_scrub_again_and_again, args=(system.settings, published, mb_per_s, begun)
    )
    process.start()
    try:
        if not begun.wait(30):
            raise SgiError("The scrub of the benchmark did not begin within 30 s.")
        yield
        if not process.is_alive():
            raise SgiError("The scrub of the benchmark ended before its time.")
    finally:
        process.terminate()
        process.join()


def _scrub_again_and_again(
    settings: Settings, published: Published, mb_per_s: float, begun: Event
) -> None:
    async def scrub() -> None:
        pace = Pace(mb_per_s, progress=lambda _: begun.set())
        async with Database(database_url(settings), size=1) as database:
            verifier = Verifier(database, open_stores(settings), pace, repair=False)
            while True:
                await verifier.verify(published.establishment_id, published.slide_id)

    asyncio.run(scrub())
