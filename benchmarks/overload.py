"""Four times as many tiles as can be given: what is still given, and who else waits for it.

No tile is asked for again once it was given: what is ready costs so little that no client here
could ask for too much of it.
"""

import asyncio
import http.client
import itertools
import multiprocessing
import random
import statistics
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

from benchmarks.figures import Figure, alone, beside
from benchmarks.pathologists import sign_in
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import own_system, publish
from tiling.geometry import Size

SECONDS = 8
TIMES = 4
SESSIONS = 8
_CONNECTIONS = 2000
"""Of three hundred browsers: more than may wait for their turn."""
_RAMP = (8, 16, 32, 64, 128, 256)
"""Connections that ask as fast as they can, one step after the other."""
_STEP_S = 1.5
_SHARES = (0.35, 0.55)
"""Of the tiles: for what the machine can give, and for more than that; the rest is others'."""
_PATIENCE_S = 30.0
_PAUSE_S = 0.05
_RECOVERED = 5
"""So many tiles in a row, each as quick as before."""


@dataclass(slots=True)
class Given:
    """What came back."""

    good: int = 0
    busy: int = 0
    """503, with Retry-After."""
    failed: int = 0
    unsent: int = 0
    """No connection was free for them."""
    latencies_s: list[float] = field(default_factory=list)
    """Of the good ones."""
    seconds: float = SECONDS
    """How long it took: less where no tile was left that nobody had."""
    connections: int = 0

    def per_s(self, count: int) -> float:
        return count / self.seconds


def measure() -> list[Figure]:
    """Alone, at capacity, beyond it, and afterwards."""
    slide_bytes = size_bytes()
    with own_system(2 * slide_bytes) as system:
        source = system.folder / "slide.svs"
        grid = write_slide(source, slide_bytes, "overload")
        slide = str(publish(system, source).slide_id)
        source.unlink()
        port = system.settings.port
        cookies = [sign_in(system) for _ in range(SESSIONS)]
        first, second, rest = _shared_out(_paths(slide, grid))
        idle = _Others(port, sign_in(system), rest[::2])
        idle.ask_for(3)
        say("as many tiles as come, over more and more connections")
        able = _best(_load(port, cookies, first, None))
        rate = able.per_s(able.good)
        say(f"{TIMES} x {rate:.0f} tiles/s (found with {able.connections} connections)")
        others = _Others(port, sign_in(system), rest[1::2])
        (over,) = _load(port, cookies, second, TIMES * rate, others)
        recovery_s = others.recovered_after(2 * idle.tile_p99_s())
    wanted = over.good + over.busy + over.failed + over.unsent
    return [
        beside("overload.wanted", [over.per_s(wanted)], "1/s", "as many as it can", [rate]),
        beside("overload.given", [over.per_s(over.good)], "1/s", "as many as it can", [rate]),
        alone("overload.told_to_come_again", [over.per_s(over.busy)], "1/s"),
        alone("overload.unsent", [over.per_s(over.unsent)], "1/s"),
        alone("overload.failures", [over.failed + others.failures], ""),
        beside("overload.tile_p99", [_p99_ms(over.latencies_s)], "ms",
               "at capacity", [_p99_ms(able.latencies_s)]),
        beside("overload.rest_p99", [_p99_ms(others.rest_s)], "ms", "idle", [_p99_ms(idle.rest_s)]),
        beside("overload.rest_p50", [statistics.median(others.rest_s) * 1e3], "ms",
               "idle", [statistics.median(idle.rest_s) * 1e3]),
        beside("overload.health_p99", [_p99_ms(others.health_s)], "ms",
               "idle", [_p99_ms(idle.health_s)]),
        alone("overload.recovery", [recovery_s], "s"),
    ]  # fmt: skip


def _best(steps: Sequence[Given]) -> Given:
    return max(steps, key=lambda step: step.per_s(step.good))


def _shared_out(paths: list[str]) -> tuple[list[str], list[str], list[str]]:
    one = int(len(paths) * _SHARES[0])
    two = one + int(len(paths) * _SHARES[1])
    return paths[:one], paths[one:two], paths[two:]


def _paths(slide: str, grid: Size) -> list[str]:
    places = [(column, row) for column in range(grid.columns) for row in range(grid.rows)]
    random.Random(7).shuffle(places)
    return [f"/tiles/{slide}/0/{column}/{row}" for column, row in places]


def _p99_ms(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1e3


class _Others:
    """Somebody who works beside the flood, one question after the other."""

    def __init__(self, port: int, cookie: str, paths: Sequence[str]) -> None:
        self._port = port
        self._headers = {"Cookie": cookie}
        self._paths = itertools.cycle(paths)
        self.rest_s: list[float] = []
        self.health_s: list[float] = []
        self.tiles_s: list[float] = []
        self.failures = 0

    def ask_for(self, seconds: float) -> None:
        """Ask the REST interface, for its health, and for a tile, until the time is over."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.rest_s.append(self._ask("/api/v1/slides?limit=50"))
            self.health_s.append(self._ask("/readyz"))
            self.tiles_s.append(self._ask(next(self._paths)))
            time.sleep(_PAUSE_S)

    def recovered_after(self, usual_s: float) -> float:
        """Seconds from now until tiles come as usual again."""
        began, quick = time.monotonic(), 0
        while quick < _RECOVERED:
            quick = quick + 1 if self._ask(next(self._paths)) <= usual_s else 0
        return time.monotonic() - began

    def tile_p99_s(self) -> float:
        return statistics.quantiles(self.tiles_s, n=100)[98]

    def _ask(self, path: str) -> float:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_PATIENCE_S)
        began = time.monotonic()
        try:
            connection.request("GET", path, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
            self.failures += answer.status not in (200, 503)
        except OSError:
            self.failures += 1
        finally:
            connection.close()
        return time.monotonic() - began


def _load(
    port: int,
    cookies: Sequence[str],
    paths: Sequence[str],
    per_s: float | None,
    others: _Others | None = None,
) -> list[Given]:
    """From a process of its own: `per_s` tiles wanted a second, or the steps of the ramp."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    arguments = (theirs, port, cookies, paths, per_s)
    process = multiprocessing.get_context("spawn").Process(target=_in_process, args=arguments)
    process.start()
    try:
        ours.recv()
        if others is not None:
            others.ask_for(SECONDS)
        given: list[Given] = ours.recv()
    finally:
        process.join(_PATIENCE_S)
        process.kill()
    return given


def _in_process(
    pipe: Connection, port: int, cookies: Sequence[str], paths: Sequence[str], per_s: float | None
) -> None:
    pipe.send("ready")
    left = deque(paths)
    if per_s is not None:
        pipe.send([asyncio.run(_flood(port, cookies, left, _CONNECTIONS, SECONDS, per_s))])
        return
    steps: list[Given] = []
    for connections in _RAMP:
        steps.append(asyncio.run(_flood(port, cookies, left, connections, _STEP_S, None)))
        if not left:
            break
    pipe.send(steps)


async def _flood(
    port: int,
    cookies: Sequence[str],
    left: deque[str],
    connections: int,
    seconds: float,
    per_s: float | None,
) -> Given:
    """Tiles of `left`, each until it is given once; `per_s` of them, or as many as come."""
    given = Given(connections=connections)
    wanted: asyncio.Queue[str | None] = asyncio.Queue()
    began = time.monotonic()
    until = began + seconds
    async with asyncio.timeout(seconds + _PATIENCE_S), asyncio.TaskGroup() as tasks:
        for number in range(connections):
            cookie = cookies[number % len(cookies)]
            tasks.create_task(_connection(port, cookie, wanted, left, given, until))
        asked = 0
        while left and (now := time.monotonic()) < until:
            due = int((now - began) * per_s) if per_s else asked + connections - wanted.qsize()
            for _ in range(due - asked):
                if not left or wanted.qsize() > connections:
                    given.unsent += per_s is not None  # all wait: the browser's own queue
                else:
                    wanted.put_nowait(left.popleft())
            asked = due
            await asyncio.sleep(0.002)
        given.seconds = min(seconds, time.monotonic() - began)
        while not wanted.empty():
            path = wanted.get_nowait()
            if path is not None:
                left.append(path)
            given.unsent += per_s is not None
        for _ in range(connections):
            wanted.put_nowait(None)
    return given


async def _connection(
    port: int,
    cookie: str,
    wanted: asyncio.Queue[str | None],
    left: deque[str],
    given: Given,
    until: float,
) -> None:
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    tail = f" HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n"
    while (path := await wanted.get()) is not None:
        began = time.monotonic()
        try:
            if streams is None:
                streams = await asyncio.open_connection("127.0.0.1", port)
            reader, writer = streams
            writer.write(f"GET {path}{tail}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            _, _, rest = head.partition(b"content-length:")
            await reader.readexactly(int(rest.split(b"\r\n", 1)[0]))
        except (OSError, asyncio.IncompleteReadError, ValueError):
            given.failed += 1
            streams = None
            continue
        status, now = head.split(b" ", 2)[1], time.monotonic()
        if status == b"200":
            given.good += now <= until
            given.latencies_s.append(now - began)
        elif status == b"503" and b"retry-after:" in head:
            given.busy += now <= until
            left.append(path)
        else:
            given.failed += 1
    if streams is not None:
        streams[1].close()
        with suppress(OSError):
            await streams[1].wait_closed()
