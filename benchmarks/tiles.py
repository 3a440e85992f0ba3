"""Tiles: the server under load beside its peers, and what it reads beside the bare client."""

import asyncio
import http.client
import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

from benchmarks.fields import fields
from benchmarks.figures import Figure, alone, beside
from benchmarks.large_image import find_large_image, tiles_per_s
from benchmarks.load import CONNECTIONS, Load, has_wrk, put_load
from benchmarks.nginx import find_nginx, nginx
from benchmarks.orthanc import find_orthanc, orthanc
from benchmarks.reads import reads, slide_of
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import Published, System, own_system, publish
from sgi.access.first_account import NAME
from sgi.errors import SgiError
from sgi.stored.keys import instance_key
from tiling.geometry import Size

ROUNDS = 3
SECONDS = 4
REGION = 45
"""Side of the square of base tiles under load, of which random ones are asked for; nginx serves
the same ones. It is what somebody looks at, and what a server's memory can hold."""
_NGINX = "nginx, files, 1 worker"
_ORTHANC = "Orthanc, WSI plugin"
_LARGE_IMAGE = "large_image, in its process"


def measure() -> list[Figure]:
    """Every measurement on one published slide."""
    slide_bytes, large_image = size_bytes(), find_large_image()
    with own_system(slide_bytes) as system:
        say(f"a slide of {slide_bytes >> 20} MiB is published")
        source = system.folder / "slide.svs"
        grid = write_slide(source, slide_bytes, "tiles")
        published = publish(system, source)
        session = _sign_in(system)
        return [
            *_under_load(system, published, grid, session),
            *_beside_large_image(large_image, system, published, source, grid, session),
            *reads(system, published),
            *fields(system.settings.port, published.slide_id, grid, session),
        ]


@dataclass(slots=True)
class _Peer:
    """Another server with the same tiles, at its own addresses."""

    name: str
    port: int
    paths: list[str]
    loads: list[Load] = field(default_factory=list)


def _region(grid: Size) -> Size:
    return Size(min(REGION, grid.columns), min(REGION, grid.rows))


def _under_load(
    system: System, published: Published, grid: Size, session: dict[str, str]
) -> list[Figure]:
    whole = _paths(published, grid, grid)
    paths = _paths(published, grid, _region(grid))
    root = system.folder / "files"
    _write_files(system, paths, session, root)
    if not has_wrk():
        say("wrk is not installed: the load comes from a loop in Python, which limits both sides")
    ours: list[Load] = []
    spread: list[Load] = []
    with ExitStack() as stack:
        peers = _peers(stack, system, published, paths, root)
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}, {CONNECTIONS} connections, {SECONDS} s each")
            ours.append(put_load(system.settings.port, paths, session, SECONDS, system.folder))
            for peer in peers:
                load = put_load(peer.port, peer.paths, session, SECONDS, system.folder)
                peer.loads.append(load)
            spread.append(put_load(system.settings.port, whole, session, SECONDS, system.folder))
    figures = []
    for name, unit, of in (
        ("tiles.requests", "1/s", attrgetter("requests_per_s")),
        ("tiles.p50", "ms", attrgetter("p50_ms")),
        ("tiles.p99", "ms", attrgetter("p99_ms")),
    ):
        values = [of(load) for load in ours]
        figures += [beside(name, values, unit, p.name, list(map(of, p.loads))) for p in peers]
        figures += [] if peers else [alone(name, values, unit)]
        figures.append(alone(f"{name}_whole_slide", [of(load) for load in spread], unit))
    return figures


def _peers(
    stack: ExitStack, system: System, published: Published, paths: list[str], root: Path
) -> list[_Peer]:
    """Those that this machine has; says which are missing."""
    found = []
    program = find_nginx()
    if program is None:
        say("nginx is not installed: there is no file server to compare with")
    else:
        port = stack.enter_context(nginx(program, root, system.folder / "nginx"))
        found.append(_Peer(_NGINX, port, paths))
    program = find_orthanc()
    if program is None:
        say("Orthanc's WSI plugin is not installed: there is no slide server to compare with")
    else:
        slide = asyncio.run(slide_of(system, published))
        server = stack.enter_context(orthanc(program, system.folder / "orthanc"))
        say("Orthanc takes the slide in")
        keys = [instance_key(slide.id, level.sop_uid) for level in slide.levels]
        place = server.store(system.bare_client(), keys)
        base = f"/tiles/{published.slide_id}/0"
        found.append(_Peer(_ORTHANC, server.port, [path.replace(base, place) for path in paths]))
    return found


def _beside_large_image(
    python: str | None,
    system: System,
    published: Published,
    source: Path,
    grid: Size,
    session: dict[str, str],
) -> list[Figure]:
    """One question after the other on both sides: it answers in the process that asks."""
    if python is None:
        say("SGI_BENCH_LARGE_IMAGE names no Python with large_image: it is left out")
        return []
    part = _region(grid)
    theirs, ours = [], []
    for _ in range(ROUNDS):
        theirs.append(tiles_per_s(python, source, grid, part, SECONDS))
        paths = _paths(published, grid, part)
        ours.append(put_load(system.settings.port, paths, session, SECONDS, system.folder, 1))
    values = [load.requests_per_s for load in ours]
    return [beside("tiles.requests_in_turn", values, "1/s", _LARGE_IMAGE, theirs)]


def _paths(published: Published, grid: Size, part: Size) -> list[str]:
    """The tiles of a rectangle in the middle of the base level."""
    left, top = (grid.columns - part.columns) // 2, (grid.rows - part.rows) // 2
    return [
        f"/tiles/{published.slide_id}/0/{column}/{row}"
        for row in range(top, top + part.rows)
        for column in range(left, left + part.columns)
    ]


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
