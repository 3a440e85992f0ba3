"""From a message's bytes to its answer: kept, applied, committed, and only then answered.

The message, what it changes and its answer are one transaction. One that cannot be applied is kept
too, with the reason. Nothing is kept while the database is away: the sender is asked to send again.
"""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg

from sgi.catalogue import kept_messages, messages
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.kept_messages import Kept
from sgi.catalogue.messages import Change, ToKeep
from sgi.domain.interface import Direction, Outcome
from sgi.errors import BusyError, ConflictError, IdentityConflictError, NotFoundError, SgiError
from sgi.hl7 import apply, locks
from sgi.hl7.acknowledge import Code, answer, verdict
from sgi.hl7.away import is_away
from sgi.hl7.errors import BusyLinkError, ContradictionError, DefectError
from sgi.hl7.interfaces import Interface
from sgi.hl7.mapping import Reading
from sgi.hl7.subjects import subjects_of
from sgi.hl7.taken import Taken, defect, keys_of_head, read
from sgi.hl7.traces import where

_log = logging.getLogger(__name__)
_TRIES = 6
_PAUSE_S = 0.02
_LARGE = 200_000
"""Bytes from which on a message is read beside the loop: others do not wait for it."""

_AGAIN = (
    psycopg.errors.SerializationFailure,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.UniqueViolation,  # two that make the same row: the second finds it next time
    psycopg.errors.ForeignKeyViolation,
)

_CUT = Change("message.cut", detail="Only the beginning of the message was kept.")
_JUST_BEFORE = timedelta(microseconds=1)
"""Of two messages that were true at one moment the later to come wins: a replay came first."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a message."""

    outcome: Outcome | None
    """None: nothing was kept, and the sender is to send it again."""
    answer: bytes
    message_id: UUID | None = None


class Receiver:
    """Takes the messages of one interface.

    May be called many times at once; two messages about one patient or case take turns.
    """

    def __init__(
        self,
        database: Database,
        establishment_id: UUID,
        interface: Interface,
        clock: Clock = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._establishment_id = establishment_id
        self._interface = interface
        self._clock = clock

    async def __call__(self, raw: bytes, peer: str = "") -> bytes:  # noqa: ARG002 - of the server
        """The answer to one message, given once all that it says is durable."""
        return (await self.receive(raw)).answer

    async def receive(self, raw: bytes) -> Result:
        """As `__call__`, and what came of it."""
        return await self._settle(await self._read(raw), None)

    async def refuse(self, head: bytes, error: SgiError) -> bytes:
        """The answer to a message of which only the beginning came, which is kept to be seen."""
        return (await self.receive_head(head, error)).answer

    async def receive_head(self, head: bytes, error: SgiError) -> Result:
        """As `refuse`, and what came of it."""
        taken = Taken(head, self._clock(), error=error, is_whole=False)
        return await self._settle(replace(taken, said=keys_of_head(head)), None)

    async def replay(self, message_id: UUID) -> Result:
        """Read a kept message again, with the mapping of today: a new row, nothing else is new.

        Raises NotFoundError, or ConflictError for one that went out or is not there whole.
        """
        async with self._database.transaction(self._establishment_id) as connection:
            kept = await kept_messages.by_id(connection, message_id)
            content = await kept_messages.content(connection, message_id)
        if kept is None or content is None:
            raise NotFoundError("There is no such message.")
        if kept.direction is Direction.OUT or kept.interface != self._interface.name:
            raise ConflictError("Only messages that came in through it are read again.")
        if any(change["what"] == _CUT.what for change in kept.changes):
            raise ConflictError("Only the beginning of the message was kept; have it sent again.")
        taken = await self._read(content.raw, kept.received_at)
        return await self._settle(taken, kept)

    async def _read(self, raw: bytes, received_at: datetime | None = None) -> Taken:
        at = received_at or self._clock()
        if len(raw) < _LARGE:
            return read(raw, self._interface, at)
        return await asyncio.to_thread(read, raw, self._interface, at)

    async def _settle(self, taken: Taken, again: Kept | None) -> Result:
        """Try until the database lets us; then the answer says that it did, or to send again."""
        error: Exception | None = None
        for attempt in range(_TRIES):
            if attempt:
                await asyncio.sleep(random.uniform(0, _PAUSE_S * 2**attempt))  # noqa: S311
            try:
                return await self._once(taken, again)
            except _AGAIN as met:
                error = met
            except Exception as failure:  # noqa: BLE001 - not even the refusal could be kept
                error = failure
                break
        if isinstance(error, psycopg.IntegrityError) and taken.error is None:
            # It met nobody, or it would have found what they made: it cannot be applied.
            return await self._settle(replace(taken, error=defect(error)), again)
        _log.warning("%s: a message was not taken: %s", self._interface.name, where(error))
        refusal = BusyLinkError("The message could not be taken just now; send it again.")
        return Result(None, self._answer(taken, refusal))

    async def _once(self, taken: Taken, again: Kept | None) -> Result:
        if taken.error is not None:
            return await self._refuse(taken, taken.error, again)
        try:
            return await self._apply(taken, again)
        except (*_AGAIN, BusyError):
            raise
        except IdentityConflictError as error:
            return await self._refuse(taken, _placed(error, taken), again)
        except SgiError as error:
            return await self._refuse(taken, error, again)
        except Exception as error:
            if is_away(error):
                raise
            return await self._refuse(taken, defect(error), again)

    async def _apply(self, taken: Taken, again: Kept | None) -> Result:
        async with self._turn(taken) as connection:
            before = await self._before(connection, taken)
            replay_of = _root(again)
            if again is None and before.same is not None:
                if before.same.outcome is not Outcome.REFUSED:
                    return await self._repeat(connection, before.same)
                # What was refused then may be right by now: another row says so.
                replay_of = before.same.root
            if taken.reading is None:
                raise DefectError("There is nothing to apply.")
            counts_from = taken.reading.source.said_at
            if again is not None and await messages.overtaken(connection, again, taken.said):
                counts_from -= _JUST_BEFORE
            applied = await apply.apply(
                connection, self._establishment_id, taken.reading, taken.raw, counts_from
            )
            outcome = Outcome.APPLIED if applied.changes else Outcome.UNCHANGED
            said = replace(taken.said, patient_id=applied.patient_id)
            told = self._answer(taken, None)
            kept = ToKeep(
                self._interface.name,
                Direction.IN,
                taken.raw,
                said,
                outcome,
                told,
                changes=(*applied.changes, *applied.notes, *_ignored(taken.reading)),
                replay_of=replay_of,
                reuses_control_id=before.reuses_control_id,
            )
            message_id = await messages.keep(connection, self._establishment_id, kept)
        return Result(outcome, told, message_id)

    async def _refuse(self, taken: Taken, error: SgiError, again: Kept | None) -> Result:
        told = self._answer(taken, error)
        if verdict(error).code is Code.AR:
            return Result(None, told)
        async with self._turn(taken) as connection:
            before = await self._before(connection, taken)
            replay_of = _root(again)
            if again is None and before.same is not None:
                same = before.same
                if same.outcome is not Outcome.REFUSED or same.error == str(error):
                    return await self._repeat(connection, same)
                # What was wrong then may be mended by now, and something else be wrong.
                replay_of = same.root
            kept = ToKeep(
                self._interface.name,
                Direction.IN,
                taken.raw,
                taken.said,
                Outcome.REFUSED,
                told,
                error=str(error),
                changes=() if taken.is_whole else (_CUT,),
                replay_of=replay_of,
                reuses_control_id=before.reuses_control_id,
            )
            message_id = await messages.keep(connection, self._establishment_id, kept)
        _log.warning("%s: a message was refused: %s", self._interface.name, type(error).__name__)
        return Result(Outcome.REFUSED, told, message_id)

    @asynccontextmanager
    async def _turn(self, taken: Taken) -> AsyncIterator[Connection]:
        """A transaction that takes turns with all that concerns the same."""
        home = self._establishment_id
        statements = () if taken.reading is None else taken.reading.statements
        keys = [locks.key_of_name(home, each) for each in subjects_of(statements).names()]
        keys.append(locks.key_of_message(home, self._interface.name, taken.raw))
        async with self._database.turn(home, keys) as connection:
            yield connection

    async def _before(self, connection: Connection, taken: Taken) -> messages.Before:
        return await messages.find_same(connection, self._interface.name, taken.raw, taken.said)

    async def _repeat(self, connection: Connection, same: messages.Same) -> Result:
        """It came before: the same answer, and nothing else."""
        await messages.count_repeat(connection, same.id)
        return Result(same.outcome, same.answer or b"", same.id)

    def _answer(self, taken: Taken, error: SgiError | None) -> bytes:
        return answer(
            taken.message or taken.raw,
            error,
            self._clock(),
            application=self._interface.application_acknowledgement,
        )


def _placed(error: SgiError, taken: Taken) -> ContradictionError:
    """Where the message names whom the catalogue does not take for what it says: MRG-1, PID-3."""
    places = [] if taken.reading is None else taken.reading.places
    found = (each.get(what) for what in ("gone", "identifiers") for each in places)
    return ContradictionError(str(error), next((place for place in found if place), None))


def _root(again: Kept | None) -> UUID | None:
    """The message as it first came."""
    return None if again is None else again.replay_of or again.id


def _ignored(reading: Reading) -> list[Change]:
    return [Change("ignored", detail=words) for words in reading.ignored]
