"""A faulty HTTP proxy for tests: between a client and its store, it answers as told or cuts off."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import urlsplit

_PIECE_BYTES = 64 * 1024
_LAST_MOMENT_S = 0.05


class Kind(Enum):
    """What goes wrong."""

    STATUS = auto()
    """The proxy answers by itself, with `status` and `code`."""
    STALL = auto()
    """No answer comes."""
    RESET = auto()
    """The connection ends before the answer."""
    TRUNCATE = auto()
    """The answer ends after `body_bytes` of its body, fewer than it announced."""


@dataclass(slots=True)
class Fault:
    """One rule; the first that matches a request is applied to it."""

    kind: Kind
    method: str = ""
    """Only this one, such as `GET`; empty for any."""
    target_contains: str = ""
    """Only request targets with this text, query included."""
    status: int = 503
    code: str = "SlowDown"
    """The S3 error code in the body of a `STATUS` answer."""
    body_bytes: int = 0
    skip: int = 0
    """So many matching requests pass unharmed first."""
    times: int = 1_000_000
    """So many requests are harmed, then the store is well again."""

    def applies(self, method: str, target: str) -> bool:
        """Whether this request is harmed; counts it."""
        if self.method not in ("", method) or self.target_contains not in target:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        self.times -= 1
        return self.times >= 0


@dataclass(slots=True)
class FaultyProxy:
    """Where the proxy listens, what it does wrong, and what passed through it."""

    upstream: str
    endpoint: str = ""
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    """Method and target of every request, in order."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        # Cancelled at the end of the test, in the middle of whatever it was doing.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            body = await reader.readexactly(_content_length(head))
            self.requests.append(f"{method} {target}")
            fault = next((fault for fault in self.faults if fault.applies(method, target)), None)
            await self._answer(fault, head, body, writer)
        writer.close()

    async def _answer(
        self, fault: Fault | None, head: bytes, body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if fault is None:
            await self._forward(head, body, writer, None)
        elif fault.kind is Kind.STATUS:
            text = f"<Error><Code>{fault.code}</Code><Message>As told.</Message></Error>"
            writer.write(
                f"HTTP/1.1 {fault.status} Fault\r\nContent-Length: {len(text)}\r\n"
                f"Connection: close\r\n\r\n{text}".encode()
            )
            await writer.drain()
        elif fault.kind is Kind.STALL:
            await asyncio.sleep(3600)
        elif fault.kind is Kind.TRUNCATE:
            await self._forward(head, body, writer, fault.body_bytes)

    async def _forward(
        self, head: bytes, body: bytes, writer: asyncio.StreamWriter, limit: int | None
    ) -> None:
        address = urlsplit(self.upstream)
        reader, upstream = await asyncio.open_connection(address.hostname, address.port)
        try:
            # The request goes on as it came, Host included, so that its signature stays true.
            line, rest = head.split(b"\r\n", 1)
            upstream.write(line + b"\r\nConnection: close\r\n" + rest + body)
            answer_head = await reader.readuntil(b"\r\n\r\n")
            writer.write(answer_head)
            left = limit
            while left != 0 and (piece := await reader.read(_PIECE_BYTES)):
                piece = piece[:left]
                left = None if left is None else left - len(piece)
                writer.write(piece)
                await writer.drain()
        finally:
            upstream.close()


@contextmanager
def faulty_proxy(upstream: str) -> Iterator[FaultyProxy]:
    """A proxy on a free port of this machine, in a thread of its own, before an `http://` store."""
    proxy = FaultyProxy(upstream)
    loop = asyncio.new_event_loop()
    started = loop.run_until_complete(asyncio.start_server(proxy.serve, "127.0.0.1", 0))
    proxy.endpoint = f"http://127.0.0.1:{started.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever, name="faulty-proxy", daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(_end(started), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    # A connection accepted in the last moment becomes a task only after the others were ended.
    while ours := asyncio.all_tasks() - {asyncio.current_task()}:
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)
        await asyncio.sleep(_LAST_MOMENT_S)  # transports close in the loop's next turns


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.split(b":", 1)[1])
    return 0
