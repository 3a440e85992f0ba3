"""What waits in the outbox, sent in the order of each case until the other side has it.

Before anything goes out, its bytes and its control id are committed: whatever dies and whenever,
the same message is sent again until it is answered, and the other side sees by its control id that
it is the same. No transaction is open while bytes move.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from sgi.catalogue import interfaces, messages, outbox
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.messages import Said, ToKeep
from sgi.catalogue.outbox import Notice
from sgi.domain.interface import Direction, NoticeState, Outcome
from sgi.errors import SgiError
from sgi.hl7 import answers, notices
from sgi.hl7.answers import Answered, Reply
from sgi.hl7.away import AWAY, is_away
from sgi.hl7.errors import BadAnswerError, LinkError, LinkUnavailableError
from sgi.hl7.interfaces import Interface
from sgi.hl7.notices import NotYet
from sgi.hl7.traces import where

_log = logging.getLogger(__name__)
_BEAT_S = 20.0
"""Between two signs of life."""
_LOOK_S = 5.0
"""Longest time without looking whether something is due: a notification may be missed."""
_DEFECT = BadAnswerError("Something unexpected happened here; report it.")
_CONTROL_ID_BYTES = 10
"""20 characters of MSH-10, which is all that v2.5.1 has."""


class Transport(Protocol):
    """The way to the other side; see `client` and `files`."""

    async def send(self, raw: bytes) -> bytes:
        """Send one message and return its answer.

        Raises LinkUnavailableError where it did not get there, LinkTimeoutError or BadAnswerError
        where nobody knows.
        """
        ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the other side is waited for."""

    first_s: float = 5.0
    longest_s: float = 900.0
    tries: int = 100
    """Of a message that got there without a proper answer; then a person must look. One that could
    not be brought there at all is tried for ever: an outage is no matter of single messages."""
    outage_s: float = 60.0
    """Longest pause of the whole interface while nothing gets there."""

    def pause(self, attempts: int) -> timedelta:
        """Before the next try of one message."""
        return timedelta(seconds=min(self.longest_s, self.first_s * 2 ** min(attempts - 1, 20)))

    def outage(self, failures: int) -> float:
        """Before anything is sent again, in seconds."""
        return float(min(self.outage_s, 0.5 * 2 ** min(failures - 1, 20)))


@dataclass(frozen=True, slots=True)
class _Outgoing:
    notice: Notice
    message_id: UUID
    raw: bytes


class Sender:
    """Sends what one interface is to tell, one message after the other."""

    def __init__(
        self,
        database: Database,
        establishment_id: UUID,
        interface: Interface,
        transport: Transport | None,
        port: int | None = None,
        patience: Patience | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`transport` is None where the interface has no address; `port` is where it listens."""
        self._database = database
        self._establishment_id = establishment_id
        self._interface = interface
        self._transport = transport
        self._port = port
        self._patience = patience or Patience()
        self._clock = clock
        self._failures = 0
        self._woken = asyncio.Event()

    async def run(self) -> None:
        """Until it is cancelled: signs of life, and every notice that is due."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._beat())
            if self._transport is not None:
                group.create_task(self._listen())
                group.create_task(self._send_all())

    async def register(self) -> None:
        """A sign of life, which also says what the interface sends."""
        async with self._database.transaction(self._establishment_id) as connection:
            await interfaces.register(
                connection,
                self._establishment_id,
                self._interface.name,
                self._interface.kind,
                self._port,
                self._interface.out.send if self._transport is not None else (),
            )

    async def _beat(self) -> None:
        while True:
            with suppress(*AWAY):
                await self.register()
            await asyncio.sleep(_BEAT_S)

    async def _listen(self) -> None:
        while True:
            try:
                async for _ in self._database.listen("sgi_outbox"):
                    self._woken.set()
            except AWAY:
                pass
            await asyncio.sleep(_LOOK_S)

    async def _send_all(self) -> None:
        while True:
            self._woken.clear()
            try:
                if await self.send_next():
                    if self._failures:
                        await asyncio.sleep(self._patience.outage(self._failures))
                    continue
            except AWAY as error:
                _log.warning("%s: nothing is sent: %s", self._interface.name, type(error).__name__)
                await asyncio.sleep(_LOOK_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_S)

    async def send_next(self) -> bool:
        """Send what is due first; False when nothing is."""
        outgoing = await self._claim()
        if outgoing is None:
            return False
        if isinstance(outgoing, Notice):  # there was nothing to say of it, or not yet
            return True
        if self._transport is None:
            raise RuntimeError("an interface without an address claims nothing")
        try:
            raw = await self._transport.send(outgoing.raw)
            await self._answered(outgoing, answers.read(raw))
        except LinkError as error:
            self._failures += 1
            await self._not_answered(outgoing, error)
        except Exception as error:  # a defect of ours must not hold up the others
            if is_away(error):
                raise
            _log.error("%s: a notice could not be sent: %s", self._interface.name, where(error))
            await self._not_answered(outgoing, _DEFECT)
        else:
            self._failures = 0
        return True

    async def _claim(self) -> _Outgoing | Notice | None:
        within = timedelta(seconds=self._interface.out.answer_s + 30)
        async with self._database.transaction(self._establishment_id) as connection:
            notice = await outbox.claim(connection, self._interface.name, within)
            if notice is None:
                return None
            if notice.message_id is not None:
                content = await messages.content(connection, notice.message_id)
                if content is not None:
                    return _Outgoing(notice, notice.message_id, content.raw)
            return await self._write(connection, notice)

    async def _write(self, connection: Connection, notice: Notice) -> _Outgoing | Notice:
        """The message of a notice, kept before it goes out for the first time."""
        control_id = secrets.token_hex(_CONTROL_ID_BYTES)
        now = self._clock()
        try:
            async with connection.transaction():
                written = await notices.write(connection, notice, self._interface, control_id, now)
        except SgiError as error:
            await outbox.end(connection, notice.id, NoticeState.DEAD, str(error))
            return notice
        except Exception as error:  # as above
            if is_away(error):
                raise
            _log.error("%s: a notice could not be written: %s", self._interface.name, where(error))
            await outbox.end(connection, notice.id, NoticeState.DEAD, str(_DEFECT))
            return notice
        if isinstance(written, NotYet):
            pause = timedelta(seconds=self._patience.longest_s)
            await outbox.try_later(connection, notice.id, pause, written.words, counts=False)
            return notice
        if written is None:
            words = "It is not true any more."
            await outbox.end(connection, notice.id, NoticeState.GIVEN_UP, words)
            return notice
        said = Said(
            control_id,
            self._interface.out.sender.application + "|" + self._interface.out.sender.facility,
            written.type,
            now,
            written.accession_number,
            written.patient_id,
        )
        kept = ToKeep(self._interface.name, Direction.OUT, written.raw, said, Outcome.SENT)
        message_id = await messages.keep(connection, self._establishment_id, kept)
        await outbox.set_message(connection, notice.id, control_id, message_id)
        return _Outgoing(replace(notice, control_id=control_id), message_id, written.raw)

    async def _not_answered(self, outgoing: _Outgoing, error: LinkError) -> None:
        notice = outgoing.notice
        got_there = not isinstance(error, LinkUnavailableError)
        async with self._database.transaction(self._establishment_id) as connection:
            if got_there:
                await self._later_or_dead(connection, notice, str(error))
            else:
                pause = self._patience.pause(1)
                await outbox.try_later(connection, notice.id, pause, str(error), counts=False)

    async def _answered(self, outgoing: _Outgoing, reply: Reply) -> None:
        notice = outgoing.notice
        async with self._database.transaction(self._establishment_id) as connection:
            if reply.answered is Answered.LATER:
                words = answers.words_of(reply.said)
                await messages.set_answer(
                    connection, outgoing.message_id, Outcome.SENT, reply.raw, words
                )
                await self._later_or_dead(connection, notice, words)
                return
            source = f"{self._interface.name} {notice.control_id}"
            settled = replace(notice, message_id=outgoing.message_id)
            await answers.settle(connection, settled, reply, self._clock(), source)

    async def _later_or_dead(self, connection: Connection, notice: Notice, words: str) -> None:
        if notice.attempts >= self._patience.tries:
            await outbox.end(connection, notice.id, NoticeState.DEAD, words)
        else:
            pause = self._patience.pause(notice.attempts)
            await outbox.try_later(connection, notice.id, pause, words)
