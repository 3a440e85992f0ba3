"""The MLLP listener: many connections, bounded together, and a stop that cuts no message in two.

A message counts as taken only by its answer: what was not answered is sent again.
"""

import asyncio
import ipaddress
import logging
import ssl
import time
from collections.abc import Awaitable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol

from sgi.errors import SgiError
from sgi.hl7.acknowledge import answer, verdict
from sgi.hl7.connection import Connection, Limits
from sgi.hl7.errors import BusyLinkError

__all__ = ["Handler", "Limits", "MllpServer", "Refuser"]

_log = logging.getLogger(__name__)
_READ_BYTES = 1 << 16
_IDLE_TO_GIVE_WAY_S = 10.0
_HANDSHAKE_S = 10.0
_COMPLAINT_S = 1.0
"""Between two lines of the log about what others do wrong."""


class Handler(Protocol):
    """What is done with a message."""

    async def __call__(self, raw: bytes, peer: str) -> bytes:
        """The answer, given only once what the message says is durable; empty for none."""
        ...


class Refuser(Protocol):
    """What is done with a message of which there is only the beginning."""

    async def __call__(self, head: bytes, error: SgiError) -> bytes:
        """The answer; the message is kept as refused by then."""
        ...


def sender_of(peer: str) -> str:
    """Whose a connection is: the address, or the network of 64 bits that an IPv6 machine has."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class MllpServer:
    """Listens on one port, for one interface."""

    def __init__(
        self,
        name: str,
        handler: Handler,
        limits: Limits | None = None,
        tls: ssl.SSLContext | None = None,
        refuser: Refuser | None = None,
        *,
        application: bool = True,
    ) -> None:
        """`refuser` keeps what is refused before it is whole; without one it is only answered.

        `application` is as in `acknowledge.answer`, for what the handler does not answer itself.
        """
        self.name = name
        self._refuser = refuser
        self._application = application
        self._handler = handler
        self.limits = limits or Limits()
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}
        self.stopping = False
        self._held = 0
        self._complained_at = -_COMPLAINT_S
        self._complaints = 0

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, which for 0 is a free one. Raises OSError."""
        self._server = await asyncio.start_server(
            self._accept,
            host,
            port,
            limit=_READ_BYTES,
            ssl=self._tls,
            ssl_handshake_timeout=_HANDSHAKE_S if self._tls else None,
        )
        found: int = self._server.sockets[0].getsockname()[1]
        return found

    async def stop(self, grace_s: float = 10.0) -> None:
        """Take nothing more; messages that are being handled have `grace_s` to be answered."""
        self.stopping = True
        if self._server is not None:
            self._server.close()
        for task, connection in self._connections.items():
            if not connection.handling:
                task.cancel()
        tasks = list(self._connections)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace_s)
            for task in late:  # what they have not committed is undone, and sent again
                task.cancel()
            if late:
                await asyncio.wait(late, timeout=grace_s)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "streams call back in a task"  # noqa: S101 - for the checker
        connection = Connection(self, reader, writer)
        if self.stopping or not self._make_room(connection):
            self.complain("a connection too many", connection.peer)
            writer.transport.abort()
            return
        self._connections[task] = connection
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass
        except (OSError, ssl.SSLError) as error:
            _log.info("%s: %s went away: %s", self.name, connection.peer, type(error).__name__)
        finally:
            self._connections.pop(task, None)
            connection.release()
            with suppress(OSError, ssl.SSLError):
                writer.close()

    def _make_room(self, newcomer: Connection) -> bool:
        """Whether one more fits, both of its sender and of all; one that has been idle for a while
        gives way, where its sender has too many one of its own.
        """
        sender = sender_of(newcomer.peer)
        own = {
            task: connection
            for task, connection in self._connections.items()
            if sender_of(connection.peer) == sender
        }
        if len(own) >= self.limits.connections_per_peer and not self._give_way(own):
            return False
        return len(self._connections) < self.limits.connections or self._give_way(self._connections)

    def _give_way(self, connections: Mapping[asyncio.Task[None], Connection]) -> bool:
        now = time.monotonic()
        idle = [
            (connection.since, task)
            for task, connection in connections.items()
            if connection.is_idle and now - connection.since > _IDLE_TO_GIVE_WAY_S
        ]
        if not idle:
            return False
        task = min(idle, key=lambda pair: pair[0])[1]
        # At once: many newcomers may come before it has ended, and each needs a place of its own.
        self._connections.pop(task).abort()
        task.cancel()
        return True

    async def handle(self, raw: bytes, peer: str) -> bytes:
        """The handler's answer, or the one that is due when it fails."""
        return await self._answered(raw, self._handler(raw, peer))

    async def refuse(self, head: bytes, error: SgiError) -> bytes:
        """The answer to what is refused for what it is on the wire, kept where that is wanted."""
        if self._refuser is None:
            return self.answer(head, error)
        return await self._answered(head, self._refuser(head, error))

    async def _answered(self, raw: bytes, answering: Awaitable[bytes]) -> bytes:
        error: Exception
        try:
            async with asyncio.timeout(self.limits.handling_s):
                return await answering
        except TimeoutError:
            _log.error("%s: a message took too long", self.name)
            error = BusyLinkError("The message could not be taken in time; send it again.")
        except Exception as failure:  # noqa: BLE001 - the sender has to be told in any case
            # Never its words: they may hold what the message holds.
            _log.error("%s: %s answered %s", self.name, type(failure).__name__, verdict(failure))
            error = failure
        return self.answer(raw, error)

    def answer(self, raw: bytes, error: Exception) -> bytes:
        """What is answered where no handler does."""
        return answer(raw, error, datetime.now(UTC), application=self._application)

    def complain(self, what: str, peer: str) -> None:
        """Log it, but not as often as somebody can make us: others than people write there."""
        now = time.monotonic()
        self._complaints += 1
        if now - self._complained_at >= _COMPLAINT_S:
            more = f", and {self._complaints - 1} more" if self._complaints > 1 else ""
            _log.warning("%s: %s: %s%s", self.name, peer, what, more)
            self._complained_at, self._complaints = now, 0

    def hold(self, more: int) -> bool:
        """Count bytes that are held; False when that is more than all may hold together."""
        self._held += more
        return self._held <= self.limits.held_bytes
