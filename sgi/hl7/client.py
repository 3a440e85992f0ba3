"""The MLLP client: one message out, and its own answer in.

After a timeout or anything odd the connection is dropped, so that a late answer is never taken for
that of another message.
"""

import asyncio
import os
import socket
import ssl
from dataclasses import dataclass
from typing import Self

from sgi.hl7.connection_out import READ_BYTES, ConnectionOut, EndedError, Late
from sgi.hl7.errors import LinkTimeoutError, LinkUnavailableError, NoAnswerError
from sgi.hl7.header import header_of
from sgi.hl7.replies import parse_reply

_CONNECT_S = 10.0
_LINGER_S = 2.0
"""With a connection for each message, after a commit: what became of it may come on the same."""
_MOST_LATE = 200
"""Late acknowledgements that nobody has looked at."""


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
        self,
        address: Address,
        *,
        answer_s: float = 30.0,
        connection_per_message: bool = False,
        hears_late: bool = False,
    ) -> None:
        """`hears_late` where somebody calls `late`: acknowledgements of earlier messages are kept
        for that.
        """
        self._address = address
        self._answer_s = answer_s
        self._connection_per_message = connection_per_message
        self._one_at_a_time = asyncio.Lock()
        self._connection: ConnectionOut | None = None
        self._hears_late = hears_late
        self._late = asyncio.Queue[Late](_MOST_LATE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def send(self, raw: bytes) -> bytes:
        """Send one message; returns the acknowledgement that names it (MSA-2), or names none.

        Raises LinkUnavailableError where it did not get there; NoAnswerError or BadAnswerError
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
                    except EndedError as error:
                        await self.close()
                        if not left:
                            raise NoAnswerError(
                                f"{self._address} closed the connection without an answer."
                            ) from error
            except BaseException:
                await self.close()
                raise
            if self._connection_per_message:
                if self._connection is not None and self._hears_late and _is_receipt(told):
                    await self._connection.linger(min(_LINGER_S, self._answer_s))
                await self.close()
            return told

    async def late(self) -> Late:
        """The next acknowledgement of an earlier message, when there is one."""
        return await self._late.get()

    async def close(self) -> None:
        """Drop the connection; the next message opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _has_ended(self) -> bool:
        return self._connection is None or self._connection.has_ended

    async def _exchange(self, raw: bytes, control_id: str) -> bytes:
        connection = self._connection
        if connection is None or connection.has_ended:
            await self.close()
            connection = self._connection = await self._connect()
        try:
            async with asyncio.timeout(self._answer_s):
                return await connection.exchange(raw, control_id)
        except TimeoutError as error:
            if connection.is_nonsense:
                raise connection.nonsense() from error
            raise LinkTimeoutError(
                f"{self._address} did not answer within {self._answer_s:.0f} s."
            ) from error
        except (OSError, ssl.SSLError) as error:
            raise EndedError from error

    async def _connect(self) -> ConnectionOut:
        address = self._address
        try:
            async with asyncio.timeout(_CONNECT_S):
                streams = await asyncio.open_connection(
                    address.host, address.port, limit=READ_BYTES, ssl=address.tls
                )
        except ssl.SSLError as error:
            raise LinkUnavailableError(
                f"{address} is not who it should be, or does not speak TLS; check its certificate."
            ) from error
        except TimeoutError as error:
            raise LinkUnavailableError(f"{address} cannot be reached: no answer.") from error
        except (OSError, UnicodeError) as error:
            raise LinkUnavailableError(f"{address} cannot be reached: {_why(error)}.") from error
        return ConnectionOut(*streams, str(address), self._keep if self._hears_late else None)

    def _keep(self, late: Late) -> bool:
        if self._late.full():
            return False
        self._late.put_nowait(late)
        return True


def _is_receipt(raw: bytes) -> bool:
    """Whether an acknowledgement says only that the message was received."""
    return parse_reply(raw).value("MSA-1") == "CA"


def _why(error: OSError | UnicodeError) -> str:
    """In the system's own words; those of asyncio hold addresses as programs write them."""
    if isinstance(error, socket.gaierror | UnicodeError):
        return "no such address"
    return os.strerror(error.errno) if error.errno else "no connection"
