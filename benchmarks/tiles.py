"""Tiles: the server under load beside nginx, and what it reads beside the bare client."""

import asyncio
import http.client
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import obstore
from obstore.store import S3Store

from benchmarks.figures import Figure, alone, beside
from benchmarks.load import CONNECTIONS, Load, has_wrk, put_load
from benchmarks.nginx import find_nginx, nginx
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import Published, System, own_system, publish
from sgi.access.first_account import NAME
from sgi.api.slide_store import Frames, ServedInstance, ServedSlide
from sgi.app import database_url, open_store
from sgi.catalogue import slides
from sgi.catalogue.database import Database
from sgi.errors import SgiError
from tiling.geometry import Size

ROUNDS = 3
SECONDS = 4
REGION = 45
"""Side of the square of base tiles under load, of which random ones are asked for; nginx serves
the same ones. It is what somebody looks at, and what a server's memory can hold."""
READS = 600
"""Single frames read by each side."""
VIEWS = 30
VIEW = Size(8, 5)
"""Tiles of 256 pixels that fill a screen of 1920 x 1080."""
_NGINX = "nginx, files, 1 worker"
_Reader = Callable[[Sequence[int]], Awaitable[None]]


def measure() -> list[Figure]:
    """Both measurements on one published slide."""
    slide_bytes = size_bytes()
    with own_system(slide_bytes) as system:
        say(f"a slide of {slide_bytes >> 20} MiB is published")
        source = system.folder / "slide.svs"
        grid = write_slide(source, slide_bytes, "tiles")
        published = publish(system, source)
        return _under_load(system, published, grid) + _range_reads(system, published)


def _under_load(system: System, published: Published, grid: Size) -> list[Figure]:
    whole = _paths(published, grid, grid)
    paths = _paths(published, grid, Size(min(REGION, grid.columns), min(REGION, grid.rows)))
    session = _sign_in(system)
    root = system.folder / "files"
    _write_files(system, paths, session, root)
    if not has_wrk():
        say("wrk is not installed: the load comes from a loop in Python, which limits both sides")
    program = find_nginx()
    if program is None:
        say("nginx is not installed: there is no peer to compare the server with")
    ours: list[Load] = []
    peers: list[Load] = []
    spread: list[Load] = []
    with ExitStack() as stack:
        peer_port = None
        if program is not None:
            peer_port = stack.enter_context(nginx(program, root, system.folder / "nginx"))
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}, {CONNECTIONS} connections, {SECONDS} s each")
            ours.append(put_load(system.settings.port, paths, session, SECONDS, system.folder))
            if peer_port is not None:
                peers.append(put_load(peer_port, paths, session, SECONDS, system.folder))
            spread.append(put_load(system.settings.port, whole, session, SECONDS, system.folder))
    return [
        _compared("tiles.requests", "1/s", [load.requests_per_s for load in ours],
                  [load.requests_per_s for load in peers]),
        _compared("tiles.p50", "ms", [load.p50_ms for load in ours],
                  [load.p50_ms for load in peers]),
        _compared("tiles.p99", "ms", [load.p99_ms for load in ours],
                  [load.p99_ms for load in peers]),
        alone("tiles.requests_whole_slide", [load.requests_per_s for load in spread], "1/s"),
        alone("tiles.p50_whole_slide", [load.p50_ms for load in spread], "ms"),
        alone("tiles.p99_whole_slide", [load.p99_ms for load in spread], "ms"),
    ]  # fmt: skip


def _paths(published: Published, grid: Size, part: Size) -> list[str]:
    """The tiles of a rectangle in the middle of the base level."""
    left, top = (grid.columns - part.columns) // 2, (grid.rows - part.rows) // 2
    return [
        f"/tiles/{published.slide_id}/0/{column}/{row}"
        for row in range(top, top + part.rows)
        for column in range(left, left + part.columns)
    ]


def _compared(name: str, unit: str, ours: list[float], peers: list[float]) -> Figure:
    return beside(name, ours, unit, _NGINX, peers) if peers else alone(name, ours, unit)


def _sign_in(system: System) -> dict[str, str]:
    """The header that makes a request one of a session."""
    connection = http.client.HTTPConnection("127.0.0.1", system.settings.port, timeout=30)
    body = json.dumps({"name": NAME, "password": system.password})
    connection.request("POST", "/api/v1/sign-in", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    cookie = answer.getheader("set-cookie", "").partition(";")[0]
    connection.close()
    if answer.status != 200 or not cookie:
        raise SgiError(f"Signing in to the benchmark's own system failed ({answer.status}).")
    return {"Cookie": cookie}


def _write_files(system: System, paths: list[str], session: Mapping[str, str], root: Path) -> None:
    """What the server answers, as files of the same names for nginx; it also warms the server."""
    connection = http.client.HTTPConnection("127.0.0.1", system.settings.port, timeout=30)
    for path in paths:
        connection.request("GET", path, headers=dict(session))
        answer = connection.getresponse()
        frame = answer.read()
        if answer.status != 200:
            raise SgiError(f"A tile of the benchmark's own slide was refused ({answer.status}).")
        file = root / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(frame)
    connection.close()


def _range_reads(system: System, published: Published) -> list[Figure]:
    say(f"{READS} frames and {VIEWS} views read by each side")
    return asyncio.run(_read(system, published.establishment_id, published.slide_id))


async def _read(system: System, establishment_id: UUID, slide_id: UUID) -> list[Figure]:
    """Frames that no memory holds, one after the other, and whole views at once."""
    async with (
        Database(database_url(system.settings), size=1) as database,
        database.transaction(establishment_id) as connection,
    ):
        slide = await slides.by_id(connection, slide_id)
    if slide is None:
        raise SgiError("The benchmark's own slide is not in the catalogue.")
    store = open_store(system.settings)
    instance = await ServedSlide(slide, store, Frames(store)).level(0)
    bare = system.bare_client()

    async def read_ours(frames: Sequence[int]) -> None:
        memory = Frames(store)  # empty, so that every frame comes from the store
        await asyncio.gather(*(memory.get(instance, frame) for frame in frames))

    async def read_bare(frames: Sequence[int]) -> None:
        await asyncio.gather(*(_get_range(bare, instance, frame) for frame in frames))

    rng, grid = random.Random(2), instance.grid.tiles
    singles = [[rng.randrange(grid.area)] for _ in range(READS)]
    views = [_view(rng, grid) for _ in range(VIEWS)]
    one = await _in_turn(read_ours, read_bare, singles)
    view = await _in_turn(read_ours, read_bare, views)
    return [
        beside("tiles.one_frame", one[0], "ms", "obstore get_range", one[1]),
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
