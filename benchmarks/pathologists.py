"""Two hundred pathologists at once: recorded traces played back, while slides come in."""

import asyncio
import http.client
import json
import multiprocessing
import random
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.figures import Figure, alone, beside
from benchmarks.record_traces import FOLDER as TRACES
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import System, own_system, publish
from sgi.access.first_account import NAME
from sgi.errors import SgiError
from tiling.geometry import Size

PATHOLOGISTS = 200
SECONDS = 40
SLIDES = 4
"""Looked at by all of them."""
INGESTED = 2
"""Slides that come in meanwhile."""
_CONNECTIONS = 6
"""Of a browser to one server, over HTTP/1.1."""
_COARSEST = 16
"""Levels of these slides lie a factor 4 apart, three of them."""
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Wish:
    """One tile, and when it is wanted, in seconds after the beginning."""

    at_s: float
    path: str


@dataclass(slots=True)
class Told:
    """What the pathologists saw."""

    latencies_s: list[float] = field(default_factory=list)
    """From the moment that a tile is wanted, waiting for a free connection included."""
    failures: int = 0

    def percentile_ms(self, hundredths: int) -> float:
        return statistics.quantiles(self.latencies_s, n=100)[hundredths - 1] * 1e3


def measure() -> list[Figure]:
    """Alone, then while two slides are taken in."""
    slide_bytes = size_bytes()
    with own_system((SLIDES + INGESTED) * slide_bytes) as system:
        slides = []
        for number in range(SLIDES):
            source = system.folder / f"slide-{number}.svs"
            grid = write_slide(source, slide_bytes, f"pathologists {number}")
            slides.append(str(publish(system, source).slide_id))
            source.unlink()
        say(f"{SLIDES} slides of {slide_bytes >> 20} MiB are published")
        coming = [system.folder / f"coming-{number}.svs" for number in range(INGESTED)]
        for number, source in enumerate(coming):
            write_slide(source, slide_bytes, f"coming {number}")
        cookie = sign_in(system)
        say(f"{PATHOLOGISTS} pathologists, {SECONDS} s")
        quiet = play(system.settings.port, cookie, wishes_of_all(slides, grid))
        say(f"{PATHOLOGISTS} pathologists, {SECONDS} s, while {INGESTED} slides come in")
        busy = play(system.settings.port, cookie, wishes_of_all(slides, grid), system, coming)
    return [
        alone("pathologists.tiles", [len(quiet.latencies_s) / SECONDS], "1/s"),
        *_figures("pathologists", quiet),
        *_figures("pathologists.while_ingesting", busy),
        beside("pathologists.p99_while_ingesting", [busy.percentile_ms(99)], "ms",
               "without", [quiet.percentile_ms(99)]),
    ]  # fmt: skip


def _figures(name: str, told: Told) -> list[Figure]:
    return [
        alone(f"{name}.p50", [told.percentile_ms(50)], "ms"),
        alone(f"{name}.p99", [told.percentile_ms(99)], "ms"),
        alone(f"{name}.worst", [max(told.latencies_s) * 1e3], "ms"),
        alone(f"{name}.failures", [told.failures], ""),
    ]


def wishes_of_all(slides: Sequence[str], grid: Size) -> list[list[Wish]]:
    """A trace for each pathologist, of some slide, begun somewhere in it and elsewhere on it."""
    rng = random.Random(5)
    traces = [json.loads(path.read_text()) for path in sorted(TRACES.glob("*.json"))]
    return [_wishes(rng.choice(traces), rng.choice(slides), grid, rng) for _ in range(PATHOLOGISTS)]


def _wishes(
    trace: dict[str, list[list[int]]], slide: str, grid: Size, rng: random.Random
) -> list[Wish]:
    """The trace over and over, moved by whole tiles of the coarsest level; what falls off the
    slide comes in on the other side.
    """
    requests = trace["requests"]
    length_s = requests[-1][0] / 1000 + 1
    begin_s = rng.uniform(0, length_s)
    right, down = rng.randrange(grid.columns), rng.randrange(grid.rows)
    wishes = []
    for turn in range(-1, int(SECONDS / length_s) + 1):
        for ms, level, column, row in requests:
            at_s = ms / 1000 + turn * length_s + begin_s
            if not 0 <= at_s < SECONDS:
                continue
            factor = 4**level
            columns, rows = -(-grid.columns // factor), -(-grid.rows // factor)
            tile = f"{(column + right // _COARSEST * _COARSEST // factor) % columns}"
            tile += f"/{(row + down // _COARSEST * _COARSEST // factor) % rows}"
            wishes.append(Wish(at_s, f"/tiles/{slide}/{level}/{tile}"))
    return sorted(wishes, key=lambda wish: wish.at_s)


def sign_in(system: System) -> str:
    """The cookie of a session."""
    connection = http.client.HTTPConnection("127.0.0.1", system.settings.port, timeout=30)
    body = json.dumps({"name": NAME, "password": system.password})
    connection.request("POST", "/api/v1/sign-in", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    cookie = answer.getheader("set-cookie", "").partition(";")[0]
    connection.close()
    if answer.status != 200 or not cookie:
        raise SgiError(f"Signing in to the benchmark's own system failed ({answer.status}).")
    return cookie


def play(
    port: int,
    cookie: str,
    wishes: Sequence[Sequence[Wish]],
    system: System | None = None,
    coming: Sequence[Path] = (),
) -> Told:
    """All pathologists at once, from a process of their own; files come in from the start on."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_play_in_process, args=(theirs, port, cookie, wishes)
    )
    process.start()
    try:
        if ours.recv() != "ready":
            raise SgiError("The pathologists did not come.")
        for source in coming:
            if system is not None:
                publish(system, source)
        told: Told = ours.recv()
    finally:
        process.join(_PATIENCE_S)
        process.kill()
    return told


def _play_in_process(
    pipe: Connection, port: int, cookie: str, wishes: Sequence[Sequence[Wish]]
) -> None:
    pipe.send("ready")
    pipe.send(asyncio.run(_play(port, cookie, wishes)))


async def _play(port: int, cookie: str, wishes: Sequence[Sequence[Wish]]) -> Told:
    told = Told()
    began = time.monotonic() + 0.5
    async with asyncio.timeout(SECONDS + _PATIENCE_S), asyncio.TaskGroup() as tasks:
        for one in wishes:
            waiting: asyncio.Queue[Wish | None] = asyncio.Queue()
            tasks.create_task(_want(one, waiting, began))
            for _ in range(_CONNECTIONS):
                tasks.create_task(_connection(port, cookie, waiting, began, told))
    return told


async def _want(wishes: Sequence[Wish], waiting: asyncio.Queue[Wish | None], began: float) -> None:
    for wish in wishes:
        pause = began + wish.at_s - time.monotonic()
        if pause > 0:
            await asyncio.sleep(pause)
        waiting.put_nowait(wish)
    for _ in range(_CONNECTIONS):
        waiting.put_nowait(None)


async def _connection(
    port: int, cookie: str, waiting: asyncio.Queue[Wish | None], began: float, told: Told
) -> None:
    """One of a browser's: opened when it is needed first, and kept."""
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    tail = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
    while (wish := await waiting.get()) is not None:
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = streams
            writer.write(f"GET {wish.path}{tail}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
            if head.split(b" ", 2)[1] != b"200":
                told.failures += 1
        except (OSError, asyncio.IncompleteReadError, ValueError):
            told.failures += 1
            streams = None
        told.latencies_s.append(time.monotonic() - began - wish.at_s)
    if streams is not None:
        streams[1].close()
        with suppress(OSError):
            await streams[1].wait_closed()
