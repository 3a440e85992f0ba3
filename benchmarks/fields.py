"""A screen of tiles over a line that takes its time: one question, or as many as tiles."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from uuid import UUID

from benchmarks.figures import Figure, beside
from benchmarks.reads import VIEW
from benchmarks.run import say
from sgi.errors import SgiError
from tiling.geometry import Size

CONNECTIONS = 6
"""What a browser opens to one server over HTTP/1.1."""
ROUND_TRIPS_S = (0.0, 0.02)
"""On the machine itself, and between two sites of a hospital group."""
_TIMES = 15


def fields(port: int, slide_id: UUID, grid: Size, headers: Mapping[str, str]) -> list[Figure]:
    """Milliseconds until the last byte of a screen, its connections' opening included."""
    return asyncio.run(_fields(port, slide_id, grid, headers))


async def _fields(
    port: int, slide_id: UUID, grid: Size, headers: Mapping[str, str]
) -> list[Figure]:
    columns, rows = min(VIEW.columns, grid.columns), min(VIEW.rows, grid.rows)
    level = f"/tiles/{slide_id}/0"
    whole = f"{level}?columns=0-{columns - 1}&rows=0-{rows - 1}"
    paths = [f"{level}/{column}/{row}" for row in range(rows) for column in range(columns)]
    figures = []
    for round_trip_s in ROUND_TRIPS_S:
        say(f"a screen of {len(paths)} tiles, {round_trip_s * 1e3:.0f} ms away")
        one: list[float] = []
        many: list[float] = []
        async with slow_line(port, round_trip_s) as slow_port:
            for _ in range(_TIMES):
                began = time.perf_counter()
                await at_once(slow_port, whole, headers)
                one.append((time.perf_counter() - began) * 1e3)
                began = time.perf_counter()
                await one_by_one(slow_port, paths, headers)
                many.append((time.perf_counter() - began) * 1e3)
        name = f"tiles.field_{round_trip_s * 1e3:.0f}ms_away"
        figures.append(beside(name, one, "ms", f"{len(paths)} requests", many))
    return figures


async def one_by_one(port: int, paths: Sequence[str], headers: Mapping[str, str]) -> int:
    """Ask for each by itself over a browser's connections; bytes that came."""
    waiting = list(reversed(paths))

    async def one_connection() -> int:
        came = 0
        async with _opened(port) as (reader, writer):
            while waiting:
                came += await _ask(reader, writer, waiting.pop(), headers)
        return came

    return sum(await asyncio.gather(*(one_connection() for _ in range(CONNECTIONS))))


async def at_once(port: int, path: str, headers: Mapping[str, str]) -> int:
    """Ask for a whole field; bytes that came."""
    async with _opened(port) as (reader, writer):
        return await _ask(reader, writer, path, headers)


async def _ask(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    headers: Mapping[str, str],
) -> int:
    said = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{said}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if head.split(b" ", 2)[1] != b"200":
        raise SgiError("A field of view was refused; the figures mean nothing.")
    if b"content-length:" in head:
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        return length
    came = 0
    while size := int(await reader.readline(), 16):
        await reader.readexactly(size + 2)
        came += size
    await reader.readline()
    return came


@contextlib.asynccontextmanager
async def _opened(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def slow_line(port: int, round_trip_s: float) -> AsyncIterator[int]:
    """A port that leads to another, every byte half a round trip later."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            while data := await reader.read(1 << 16):
                loop.call_later(round_trip_s / 2, writer.write, data)
        loop.call_later(round_trip_s, writer.close)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(round_trip_s)  # the connection's own
        onward, back = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(asyncio.CancelledError):  # at the end of the measurement
            await asyncio.gather(relay(reader, back), relay(onward, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
