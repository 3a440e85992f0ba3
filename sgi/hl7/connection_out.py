"""One connection to another system: messages out, one at a time, and all that it says in return.

It is read all the time: in enhanced mode what became of a message may come long after its receipt.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from sgi.hl7.batches import split_messages
from sgi.hl7.errors import BadAnswerError, MessageError
from sgi.hl7.mllp import Event, Frame, Framer, encode_frame
from sgi.hl7.replies import parse_reply

READ_BYTES = 1 << 16
_LARGEST_ANSWER = 1 << 20
_SETTLE_S = 0.5
"""For the CR after FS, which some leave out."""
_MOST_OTHERS = 16
"""What is no acknowledgement of anything, before the one that is waited for."""


class EndedError(Exception):
    """The connection ended before the answer."""


@dataclass(frozen=True, slots=True)
class Late:
    """An acknowledgement that was not waited for any more, or not at all."""

    raw: bytes
    answer: Callable[[bytes], Awaitable[None]]
    """Say something in return, on the connection on which it came, if that is still there."""


class ConnectionOut:
    """Used by one sender; ends by itself when the other side leaves, or says what nobody can use.

    `later` takes acknowledgements of what was sent before, False where it has too many of them;
    without it they count as nonsense.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        name: str,
        later: Callable[[Late], bool] | None = None,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._name = name
        self._later = later
        self._framer = Framer(_LARGEST_ANSWER)
        self._control_id = ""
        self._answer: asyncio.Future[bytes] | None = None
        self._others = 0
        self._heard = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    @property
    def is_nonsense(self) -> bool:
        """Whether what came since the last message answers nothing."""
        return self._others > 0

    @property
    def has_ended(self) -> bool:
        return self._listening.done() or self._reader.at_eof() or self._writer.is_closing()

    async def exchange(self, raw: bytes, control_id: str) -> bytes:
        """Send a message; returns the first acknowledgement that names it (MSA-2), or names none.

        Raises EndedError, BadAnswerError or OSError; whoever waits no longer closes it.
        """
        if self._listening.done():
            raise EndedError
        self._control_id, self._others = control_id, 0
        self._heard.clear()
        self._answer = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(encode_frame(raw))
            await self._writer.drain()
            return await self._answer
        finally:
            self._answer = None

    async def linger(self, seconds: float) -> None:
        """Wait for a late acknowledgement, no longer than that, nor when it has ended."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()

    async def close(self) -> None:
        """Let go of it; what comes later is not heard."""
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        self._writer.close()
        with suppress(OSError, TimeoutError, ssl.SSLError):
            async with asyncio.timeout(1.0):
                await self._writer.wait_closed()

    async def _listen(self) -> None:
        error: Exception = EndedError()
        try:
            while True:
                data, events = await self._more()
                for event in events:
                    self._take(event)
                if data is None or self._framer.closed:
                    if self._others:
                        error = self.nonsense()
                    return
        except BadAnswerError as bad:
            error = bad
        except (OSError, ssl.SSLError):
            pass
        finally:
            self._heard.set()
            self._writer.close()
            if self._answer is not None and not self._answer.done():
                self._answer.set_exception(error)

    async def _more(self) -> tuple[bytes | None, list[Event]]:
        """What came, and the messages that it completes; None at the end."""
        try:
            async with asyncio.timeout(_SETTLE_S if self._framer.awaits_return else None):
                data = await self._reader.read(READ_BYTES)
        except TimeoutError:
            if not self._framer.awaits_return:
                raise
            return b"", self._framer.settle()
        return (data, self._framer.feed(data)) if data else (None, self._framer.finish())

    def _take(self, event: Event) -> None:
        raws = split_messages(event.content) if isinstance(event, Frame) else [b""]
        for raw in raws:
            if not self._acknowledges(raw):
                self._others += 1
        if self._others > _MOST_OTHERS:
            raise self.nonsense()

    def _acknowledges(self, raw: bytes) -> bool:
        """Whether it says anything to what we sent; then whoever waits for it has it."""
        try:
            named = parse_reply(raw).segment("MSA")
        except MessageError:
            return False
        if named is None:
            return False
        control_id = named.field(2).raw.strip()
        is_awaited = self._answer is not None and not self._answer.done()
        if self._answer is not None and is_awaited and control_id in {"", self._control_id}:
            self._answer.set_result(raw)
            return True
        if self._later is None or not control_id:
            return False
        if not self._later(Late(raw, self._say)):
            raise self.nonsense()
        self._heard.set()
        return True

    async def _say(self, raw: bytes) -> None:
        with suppress(OSError, ssl.SSLError):
            for one in split_messages(raw):
                self._writer.write(encode_frame(one))
            await self._writer.drain()

    def nonsense(self) -> BadAnswerError:
        return BadAnswerError(f"{self._name} does not answer what was sent.")
