"""One MLLP connection: each message answered before the next is taken, everything bounded."""

import asyncio
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from sgi.errors import SgiError
from sgi.hl7.batches import split_messages
from sgi.hl7.errors import (
    BusyLinkError,
    MessageError,
    MessageTooLargeError,
    UnreadableMessageError,
)
from sgi.hl7.mllp import Event, Frame, Framer, Refusal, Trouble, encode_frame

_READ_BYTES = 1 << 16
_SETTLE_S = 0.5
"""After FS, the CR that must follow is waited for this long; then the message is whole anyway."""
_LINGER_S = 0.5
"""After our last byte: unread bytes would make the system throw the answer away."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the other sides may take of us."""

    message_bytes: int = 64 << 20
    held_bytes: int = 256 << 20
    """Of all messages that are on their way in or being handled."""
    connections: int = 100
    connections_per_peer: int = 25
    """Of one machine, by its address."""
    idle_s: float = 3600.0
    """Without a byte between two messages."""
    message_s: float = 30.0
    """From a message's first byte to its last."""
    handling_s: float = 120.0
    """For one message; one that takes longer is not applied, and may be sent again."""
    answer_s: float = 30.0
    """For an answer to be read."""


class Host(Protocol):
    """The listener, as its connections see it."""

    name: str
    limits: Limits
    stopping: bool

    async def handle(self, raw: bytes, peer: str) -> bytes:
        """The answer to a message; raises nothing but what cancels it."""
        ...

    async def refuse(self, head: bytes, error: SgiError) -> bytes:
        """The answer to a message of which only the beginning is there; raises as `handle`."""
        ...

    def answer(self, raw: bytes, error: Exception) -> bytes:
        """What is answered to a message that nobody handles."""
        ...

    def hold(self, more: int) -> bool:
        """Count bytes that are held; False when that is more than all may hold together."""
        ...

    def complain(self, what: str, peer: str) -> None:
        """Have what the other side does wrong in the log."""
        ...


class Connection:
    """One connection, from its first byte to its last."""

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._host = host
        self._limits = host.limits
        self._reader = reader
        self._writer = writer
        self._framer = Framer(self._limits.message_bytes)
        self._held = 0
        self.handling = False
        self.since = time.monotonic()
        """When it last did something."""
        address = writer.get_extra_info("peername")
        self.peer = str(address[0]) if isinstance(address, tuple) else "somebody"
        _keep_alive(writer.get_extra_info("socket"))

    @property
    def is_idle(self) -> bool:
        return not self.handling and not self._framer.is_within

    def abort(self) -> None:
        """Close it without waiting for the other side."""
        self._writer.transport.abort()

    def release(self) -> None:
        """Give back what was held."""
        self._host.hold(-self._held)
        self._held = 0

    async def serve(self) -> None:
        """Until one side has had enough."""
        began = 0.0
        while not self._framer.closed and not self._host.stopping:
            was_within = self._framer.is_within
            data = await self._read(began)
            if data is None:
                return
            events = self._framer.feed(data) if data else self._framer.settle()
            if not self._hold():
                self._complain("sent more than can be held now")
                self.abort()
                return
            self.since = time.monotonic()
            if not await self._take(events):
                return
            if self._framer.is_within and (events or not was_within):
                began = time.monotonic()  # what we took to answer is not the sender's time
        await self._linger()

    async def _read(self, began: float) -> bytes | None:
        """Some bytes; none when a message is only short of its CR; None when it is over."""
        try:
            async with asyncio.timeout(self._patience(began)):
                data = await self._reader.read(_READ_BYTES)
        except TimeoutError:
            if self._framer.awaits_return:
                return b""
            if self._framer.is_within:
                self._complain("stopped within a message")
            return None
        if not data:
            await self._take(self._framer.finish())
            return None
        return data

    def _patience(self, began: float) -> float:
        if self._framer.awaits_return:
            return _SETTLE_S
        if self._framer.is_within:
            return max(0.0, began + self._limits.message_s - time.monotonic())
        return self._limits.idle_s

    def _hold(self) -> bool:
        """Count what the framer holds; messages that it has handed on are counted while handled."""
        more = self._framer.held - self._held
        self._held += more
        return self._host.hold(more)

    async def _take(self, events: list[Event]) -> bool:
        """Answer in order; False when an answer is not read."""
        for event in events:
            if isinstance(event, Refusal):
                told = await self._refuse(event)
            elif self._host.stopping:
                return True  # it is not answered, and sent again
            else:
                told = await self._handle(event)
            if told and not await self._send(told):
                return False
        return True

    async def _handle(self, frame: Frame) -> bytes:
        self.handling = True
        size = len(frame.content)
        self._held += size
        try:
            if not self._host.hold(size):
                error = BusyLinkError("Too much comes in at once; send the message again.")
                return self._host.answer(frame.content, error)
            return await self._host.handle(frame.content, self.peer)
        finally:
            self._held -= size
            self._host.hold(-size)
            self.handling = False
            self.since = time.monotonic()

    async def _refuse(self, refusal: Refusal) -> bytes:
        self._complain(f"sent what is no message ({refusal.trouble})")
        error: MessageError
        if refusal.trouble is Trouble.TOO_LARGE:
            most = self._limits.message_bytes >> 20
            error = MessageTooLargeError(f"The message has more than {most} MiB; send less.")
        elif refusal.trouble is Trouble.END_INSIDE:
            error = UnreadableMessageError("The message holds FS, which ends messages in MLLP.")
        else:
            return b""  # what began anew is answered when it is whole
        self.handling = True
        try:
            return await self._host.refuse(refusal.head, error)
        finally:
            self.handling = False
            self.since = time.monotonic()

    def _complain(self, what: str) -> None:
        self._host.complain(what, self.peer)

    async def _send(self, told: bytes) -> bool:
        self._writer.write(b"".join(encode_frame(one) for one in split_messages(told)))
        try:
            async with asyncio.timeout(self._limits.answer_s):
                await self._writer.drain()
        except TimeoutError:
            self._complain("does not read its answers")
            self.abort()
            return False
        return True

    async def _linger(self) -> None:
        """Let the last answer be read before what has not been read here is thrown away."""
        with suppress(OSError, TimeoutError):
            if self._writer.can_write_eof():
                self._writer.write_eof()
                async with asyncio.timeout(_LINGER_S):
                    while await self._reader.read(_READ_BYTES):
                        pass


def _keep_alive(connected: socket.socket | None) -> None:
    """Have the system find out when the other machine is gone without a word."""
    if connected is None:
        return
    with suppress(OSError, AttributeError):
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 15)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
