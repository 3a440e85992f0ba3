"""What waits in the outbox, sent in the order of each case until the other side has it.

Before anything goes out, its bytes and its control id are committed: whatever dies and whenever,
the same message is sent again until it is answered, and the other side sees by its control id that
it is the same. No transaction is open while bytes move.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol
from uuid import UUID

from sgi.catalogue import interfaces, outbox_turns
from sgi.catalogue.database import Database
from sgi.hl7 import answers, notices
from sgi.hl7.acknowledge import answer
from sgi.hl7.away import AWAY, is_away
from sgi.hl7.connection_out import Late
from sgi.hl7.errors import LinkError, MessageError
from sgi.hl7.header import header_of
from sgi.hl7.interfaces import Interface
from sgi.hl7.notices import Gathered
from sgi.hl7.outgoing import DEFECT, Outgoing, outgoing
from sgi.hl7.replies import parse_reply, read_reply
from sgi.hl7.settling import Patience, Sent, settle
from sgi.hl7.traces import where

_log = logging.getLogger(__name__)
_BEAT_S = 20.0
"""Between two signs of life."""
_LOOK_S = 5.0
"""Longest time without looking whether something is due: a notification may be missed."""
_AT_ONCE = 32
"""Notices that are made into messages, and settled, together: a few statements for all of them."""


class Transport(Protocol):
    """The way to the other side; see `client` and `files`."""

    async def send(self, raw: bytes) -> bytes:
        """Send one message and return its answer.

        Raises LinkUnavailableError where it did not get there, NoAnswerError or BadAnswerError
        where nobody knows.
        """
        ...

    async def late(self) -> Late:
        """The next acknowledgement of a message that was answered before, when there is one."""
        ...


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
                group.create_task(self._hear())

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
                if await self.send_due():
                    if self._failures:
                        await asyncio.sleep(self._patience.outage(self._failures))
                    continue
            except AWAY as error:
                _log.warning("%s: nothing is sent: %s", self._interface.name, type(error).__name__)
                await asyncio.sleep(_LOOK_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_S)

    async def send_due(self, most: int = _AT_ONCE) -> int:
        """Send what is due, oldest first; how many notices were looked at."""
        claimed, batch = await self._claim(1 if self._failures else most)
        if batch:
            sent: list[Sent] = []
            try:
                await self._send(batch, sent)
            finally:  # what was answered is settled, whatever ended it
                await self._settle(sent, batch[len(sent) :])
        return claimed

    async def _claim(self, most: int) -> tuple[int, list[Outgoing]]:
        """How many were due, and those of which there is something to say; all is kept by now."""
        # As long as a batch may take, and the last of it where that is sent twice.
        within = timedelta(seconds=3 * self._interface.out.answer_s + 30)
        pause = timedelta(seconds=self._patience.longest_s)
        now = self._clock()
        async with self._database.transaction(self._establishment_id) as connection:
            claimed = await outbox_turns.claim(connection, self._interface.name, within, most)
            gathered = Gathered(connection)
            batch = [
                await outgoing(gathered, notice, self._interface, now, pause) for notice in claimed
            ]
        return len(claimed), [each for each in batch if each is not None]

    async def _send(self, batch: Sequence[Outgoing], sent: list[Sent]) -> None:
        """One after the other; what comes after one of the same case or glass that was not
        answered for good, or after trouble with the link, is for another time.
        """
        if self._transport is None:
            raise RuntimeError("an interface without an address claims nothing")
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + self._interface.out.answer_s
        held: set[UUID] = set()
        for each in batch:
            turns = each.notice.turns
            is_over = bool(sent) and loop.time() > ends_at
            if is_over or not held.isdisjoint(turns) or not await self._may_go(each):
                sent.append(Sent(each))
                held |= turns
                continue
            try:
                told = await self._transport.send(each.raw)
                # In enhanced mode several come, and of one without a name nobody knows whose it is.
                asked = "" if self._interface.out.enhanced else each.notice.control_id or ""
                reply = answers.read(told, self._interface, asked)
            except LinkError as error:
                sent.append(Sent(each, error=error, failures=self._failures))
                self._failures += 1
                return
            except Exception as error:  # noqa: BLE001 - a defect of ours must not hold up others
                name = self._interface.name
                _log.error("%s: a notice could not be sent: %s", name, where(error))
                sent.append(Sent(each, error=DEFECT))
            else:
                self._failures = 0
                sent.append(Sent(each, reply))
            if not sent[-1].is_answered:
                held |= turns

    async def _may_go(self, outgoing: Outgoing) -> bool:
        """A work order may have been withdrawn while it waited here for those before it."""
        if outgoing.notice.work_order_id is None:
            return True
        async with self._database.transaction(self._establishment_id) as connection:
            return await notices.may_go(connection, outgoing.notice)

    async def _settle(self, sent: Sequence[Sent], unsent: Sequence[Outgoing]) -> None:
        """All in one transaction; where one cannot be, each in its own."""
        everything = [*sent, *map(Sent, unsent)]
        try:
            await self._settle_together(everything)
        except Exception as error:
            if is_away(error):
                raise
            for each in everything:
                await self._settle_alone(each)

    async def _settle_alone(self, sent: Sent) -> None:
        try:
            await self._settle_together([sent])
        except Exception as error:  # as above
            if is_away(error):
                raise
            name = self._interface.name
            _log.error("%s: an answer could not be settled: %s", name, where(error))
            await self._settle_together([Sent(sent.outgoing, error=DEFECT)])

    async def _settle_together(self, sent: Sequence[Sent]) -> None:
        name, now = self._interface.name, self._clock()
        async with self._database.transaction(self._establishment_id) as connection:
            await settle(connection, name, sent, self._patience, now)

    async def _hear(self) -> None:
        """What became of messages of which only the receipt was answered."""
        if self._transport is None:
            return
        while True:
            late = await self._transport.late()
            while True:
                try:
                    await self._heard(late)
                except Exception as error:  # noqa: BLE001 - as above
                    if is_away(error):  # nobody says it again
                        await asyncio.sleep(_LOOK_S)
                        continue
                    name = self._interface.name
                    _log.error("%s: an answer could not be settled: %s", name, where(error))
                break

    async def _heard(self, late: Late) -> None:
        try:
            said, _ = read_reply(parse_reply(late.raw, self._interface))
        except MessageError:
            return
        source = f"{self._interface.name} {said.control_id}"
        async with self._database.transaction(self._establishment_id) as connection:
            await answers.settle_later(connection, said, late.raw, self._clock(), source)
        if header_of(late.raw).enhanced:  # it asks for a receipt itself
            told = answer(late.raw, None, self._clock())
            if told:
                await late.answer(told)
