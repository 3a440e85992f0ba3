"""The MLLP client: one message out, and its own answer in.

After a timeout or anything odd the connection is dropped, so that a late answer is never taken for
that of another message.
"""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from sgi.hl7.batches import split_messages
from sgi.hl7.errors import (
    BadAnswerError,
    LinkTimeoutError,
    LinkUnavailableError,
    MessageError,
)
from sgi.hl7.header import header_of
from sgi.hl7.message import parse_message
from sgi.hl7.mllp import Event, Frame, Framer, encode_frame

_READ_BYTES = 1 << 16
_CONNECT_S = 10.0
_LARGEST_ANSWER = 1 << 20
_SETTLE_S = 0.5
"""For the CR after FS, which some leave out."""
_MOST_OTHERS = 16
"""Messages that are not the answer, before it."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the other side listens."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class MllpClient:
    """Sends to one address, one message at a time; used as `async with`, or closed."""

    def __init__(
        self, address: Address, *, answer_s: float = 30.0, connection_per_message: bool = False
    ) -> None:
        self._address = address
        self._answer_s = answer_s
        self._connection_per_message = connection_per_message
        self._one_at_a_time = asyncio.Lock()
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, raw: bytes) -> bytes:
        """Send one message; returns the acknowledgement that names it (MSA-2), or names none.

        Raises LinkUnavailableError where it did not get there; LinkTimeoutError or BadAnswerError
        where nobody knows whether it did.
        """
        control_id = header_of(raw).control_id
        async with self._one_at_a_time:
            # One that had been idle may have been closed while we wrote: then once more.
            tries = 1 if self._has_ended() else 2
            try:
                for left in reversed(range(tries)):
                    try:
                        told = await self._exchange(raw, control_id)
                        break
                    except _EndedError as error:
                        await self.close()
                        if not left:
                            raise BadAnswerError(
                                f"{self._address} closed the connection without an answer."
                            ) from error
            except BaseException:
                await self.close()
                raise
            if self._connection_per_message:
                await self.close()
            return told

    async def close(self) -> None:
        """Drop the connection; the next message opens another."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            with suppress(OSError, TimeoutError, ssl.SSLError):
                async with asyncio.timeout(1.0):
                    await streams[1].wait_closed()

    def _has_ended(self) -> bool:
        return self._streams is None or self._streams[0].at_eof() or self._streams[1].is_closing()

    async def _exchange(self, raw: bytes, control_id: str) -> bytes:
        if self._has_ended():
            await self.close()
            self._streams = await self._connect()
        assert self._streams is not None, "it was just opened"  # noqa: S101 - for the checker
        reader, writer = self._streams
        try:
            async with asyncio.timeout(self._answer_s):
                writer.write(encode_frame(raw))
                await writer.drain()
                told = await _answer(reader, control_id, str(self._address))
        except TimeoutError as error:
            raise LinkTimeoutError(
                f"{self._address} did not answer within {self._answer_s:.0f} s."
            ) from error
        except (OSError, ssl.SSLError) as error:
            raise _EndedError from error
        return told

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self._address
        try:
            async with asyncio.timeout(_CONNECT_S):
                return await asyncio.open_connection(
                    address.host, address.port, limit=_READ_BYTES, ssl=address.tls
                )
        except ssl.SSLError as error:
            raise LinkUnavailableError(
                f"{address} is not who it should be, or does not speak TLS; check its certificate."
            ) from error
        except TimeoutError as error:
            raise LinkUnavailableError(f"{address} cannot be reached: no answer.") from error
        except (OSError, UnicodeError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise LinkUnavailableError(
                f"{address} cannot be reached: {why or 'no such address'}."
            ) from error


class _EndedError(Exception):
    """The connection ended before the answer."""


async def _answer(reader: asyncio.StreamReader, control_id: str, address: str) -> bytes:
    """The first acknowledgement of our message; others are passed over, a few of them."""
    framer = Framer(_LARGEST_ANSWER)
    others = 0
    while True:
        data, events = await _more(reader, framer)
        for event in events:
            found = _acknowledges(event, control_id)
            if found is not None:
                return found
            others += 1
            if others > _MOST_OTHERS or framer.closed:
                raise BadAnswerError(f"{address} does not answer what was sent.")
        if data is None and others:
            raise BadAnswerError(f"{address} does not answer what was sent.")
        if data is None:
            raise _EndedError


async def _more(reader: asyncio.StreamReader, framer: Framer) -> tuple[bytes | None, list[Event]]:
    """What came, and the messages that it completes; None at the end."""
    try:
        async with asyncio.timeout(_SETTLE_S if framer.awaits_return else None):
            data = await reader.read(_READ_BYTES)
    except TimeoutError:
        if not framer.awaits_return:
            raise
        return b"", framer.settle()
    return (data, framer.feed(data)) if data else (None, framer.finish())


def _acknowledges(event: Event, control_id: str) -> bytes | None:
    if not isinstance(event, Frame):
        return None
    for raw in split_messages(event.content):
        try:
            named = parse_message(raw).segment("MSA")
        except MessageError:
            continue
        if named is not None and named.field(2).raw.strip() in {"", control_id}:
            return raw
    return None
