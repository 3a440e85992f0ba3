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
    SHORT = auto()
    """The answer has only `body_bytes` of its body, and says so."""
    FLIP_ANSWER = auto()
    """One bit of the answer's body is another, in its middle."""
    FLIP_REQUEST = auto()
    """One bit of the request's body is another, in its middle."""
    AFTER_EFFECT = auto()
    """The store does what it was asked, and its answer never comes: the connection ends."""
    TRICKLE = auto()
    """The answer's body comes at `bytes_per_s`."""
    ERROR_AS_OK = auto()
    """The answer is 200, and its body says that it failed: as S3 may end a long upload."""
    STALE = auto()
    """The answer is the one that the same request had when it came first."""
    MOVED = auto()
    """The answer's body begins with its second byte, and its first comes last."""


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
    bytes_per_s: int = 1024
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
    _serving: set[asyncio.Task[None] | None] = field(default_factory=set)
    """Held, since a loop holds its tasks but weakly."""
    _first_answers: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the one request of a connection."""
        task = asyncio.current_task()
        self._serving.add(task)
        # Cancelled at the end of the test, in the middle of whatever it was doing.
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
            body = await reader.readexactly(_content_length(head))
            self.requests.append(f"{method} {target}")
            fault = next((fault for fault in self.faults if fault.applies(method, target)), None)
            await self._answer(fault, head, body, writer)
        writer.close()
        self._serving.discard(task)

    async def _answer(
        self, fault: Fault | None, head: bytes, body: bytes, writer: asyncio.StreamWriter
    ) -> None:
        if fault is not None and fault.kind is Kind.STALL:
            await asyncio.sleep(3600)
        elif fault is not None and fault.kind in (Kind.STATUS, Kind.ERROR_AS_OK):
            status = 200 if fault.kind is Kind.ERROR_AS_OK else fault.status
            text = f"<Error><Code>{fault.code}</Code><Message>As told.</Message></Error>"
            writer.write(
                f"HTTP/1.1 {status} Fault\r\nContent-Length: {len(text)}\r\n"
                f"Connection: close\r\n\r\n{text}".encode()
            )
            await writer.drain()
        elif fault is None or fault.kind is not Kind.RESET:
            if fault is not None and fault.kind is Kind.FLIP_REQUEST:
                body = _flipped(body)
            await self._forward(head, body, writer, fault)

    async def _forward(
        self, head: bytes, body: bytes, writer: asyncio.StreamWriter, fault: Fault | None
    ) -> None:
        address = urlsplit(self.upstream)
        reader, upstream = await asyncio.open_connection(address.hostname, address.port)
        try:
            # The request goes on as it came, Host included, so that its signature stays true.
            line, rest = head.split(b"\r\n", 1)
            upstream.write(line + b"\r\nConnection: close\r\n" + rest + body)
            answer_head = await reader.readuntil(b"\r\n\r\n")
            if fault is None or fault.kind is Kind.FLIP_REQUEST:
                writer.write(answer_head)
                while piece := await reader.read(_PIECE_BYTES):
                    writer.write(piece)
                    await writer.drain()
            else:
                answer = answer_head, await reader.read()
                if fault.kind is Kind.STALE:
                    answer = self._first_answers.setdefault((line, _range(rest)), answer)
                await _harm(fault, *answer, writer)
        finally:
            upstream.close()


async def _harm(fault: Fault, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
    """An answer that came whole is handed on as the rule says."""
    if fault.kind is Kind.AFTER_EFFECT:
        return
    if fault.kind is Kind.SHORT:
        body = body[: fault.body_bytes]
        head = _with_length(head, len(body))
    writer.write(head)
    if fault.kind is Kind.TRICKLE:
        for at in range(0, len(body), max(fault.bytes_per_s // 10, 1)):
            writer.write(body[at : at + max(fault.bytes_per_s // 10, 1)])
            await writer.drain()
            await asyncio.sleep(0.1)
        return
    if fault.kind is Kind.TRUNCATE:
        body = body[: fault.body_bytes]
    elif fault.kind is Kind.MOVED:
        body = body[1:] + body[:1]
    writer.write(_flipped(body) if fault.kind is Kind.FLIP_ANSWER else body)
    await writer.drain()


def _flipped(body: bytes) -> bytes:
    if not body:
        return body
    middle = len(body) // 2
    return body[:middle] + bytes((body[middle] ^ 0x10,)) + body[middle + 1 :]


def _with_length(head: bytes, length: int) -> bytes:
    lines = [
        b"Content-Length: %d" % length if line.lower().startswith(b"content-length:") else line
        for line in head.split(b"\r\n")
    ]
    return b"\r\n".join(lines)


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
        loop.run_until_complete(_end_tasks())
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    await _end_tasks()


async def _end_tasks() -> None:
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


def _range(head: bytes) -> bytes:
    lines = head.lower().split(b"\r\n")
    return next((line for line in lines if line.startswith(b"range:")), b"")
