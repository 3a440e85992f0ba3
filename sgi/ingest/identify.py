"""A published slide finds its glass by what its label reads; what is on record is looked at again.

Never before a slide is safe: identification waits for slides, slides do not wait for it.
"""

import logging
import time
from uuid import UUID

import procrastinate
import psycopg

from sgi.catalogue import (
    accounts,
    identification,
    identities,
    recalled,
    self_attaching,
    slides,
    turns,
)
from sgi.catalogue.database import Connection, Database
from sgi.domain.identification import (
    Reader,
    Unidentified,
    codes_of,
    contradicts,
    name_of_code,
)
from sgi.domain.patient import Identifier
from sgi.domain.slide import Slide
from sgi.errors import ConfigurationError, SgiError
from sgi.hl7 import locks
from sgi.hl7.interfaces import interfaces_of
from sgi.hl7.subjects import Subjects
from sgi.jobs.identity import IDENTIFY, defer_telling
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from sgi.settings import Settings
from sgi.stored.identity import Known, StoredIdentity

_log = logging.getLogger(__name__)
_AT_ONCE = 100
_ROUND_S = 30.0
_EVERYBODYS = (
    psycopg.OperationalError,
    psycopg.ProgrammingError,
    psycopg.InternalError,
    psycopg.InterfaceError,
)
"""What no slide is to blame for: the database is away, or not yet migrated."""


def readers_of(settings: Settings, slide: Slide) -> list[Reader]:
    """How the interfaces of the slide's establishment find a glass's identifier in a code."""
    try:
        interfaces = interfaces_of(settings)
    except ConfigurationError as error:
        _log.warning("codes are compared as they are printed: %s", error)
        return []
    theirs = {"", slide.establishment_name}
    return [each.slide_identifier for each in interfaces if each.establishment in theirs]


async def identify(database: Database, slide: Slide, readers: list[Reader]) -> bool:
    """Put on record what the label reads, and attach the slide to the one glass that it names.

    True where there is one; else the slide says why not, and waits for a word of the laboratory
    or for a person.
    """

    async def compare(connection: Connection) -> bool:
        codes = codes_of(slide.facts, readers)
        told = await identities.current(connection, slide.id)
        if told is not None and told.known is not None:  # of a catalogue that was lost
            codes = (*codes, told.known.glass)
        await _take_turns(connection, slide.establishment_id, codes, told)
        await _recall(connection, slide, told)
        await identification.set_codes(connection, slide.establishment_id, slide.id, codes)
        if await recalled.was_taken_away(connection, slide.id, told):
            await identification.set_reason(connection, slide.id, Unidentified.UNDONE)
            return False
        attached = await self_attaching.attach_by_label(
            connection,
            slide.establishment_id,
            slide.id,
            is_contradicted=contradicts(slide.facts, readers),
        )
        await defer_telling(connection)
        return attached

    return await turns.transacted(database, slide.establishment_id, compare)


async def _take_turns(
    connection: Connection,
    establishment_id: UUID,
    codes: tuple[str, ...],
    told: StoredIdentity | None,
) -> None:
    """With messages that name what the label reads, or what the slide was told of.

    Without it a scan and its glass that come at the same moment would each not see the other. To
    be called before any row is locked; messages take the same locks before they are applied.
    """
    known = None if told is None else told.known
    names = {name_of_code(code) for code in codes}
    if known is not None:
        names.update(_subjects(known).names())
    await turns.take(connection, [locks.key_of_name(establishment_id, each) for each in names])


def _subjects(known: Known) -> Subjects:
    bearers = () if known.patient is None else known.patient.identifiers
    return Subjects(
        {Identifier(each.value, each.assigner, each.kind) for each in bearers},
        set() if known.accession_number is None else {known.accession_number},
        {each for each in (known.glass, known.block, known.specimen) if each is not None},
    )


async def _recall(connection: Connection, slide: Slide, told: StoredIdentity | None) -> None:
    """The case of a catalogue that was lost; what cannot be taken waits for the laboratory."""
    if told is None or not await recalled.is_lost(connection, told):
        return
    try:
        async with connection.transaction():
            await recalled.recall(connection, slide.establishment_id, told)
    except (SgiError, psycopg.DataError, psycopg.IntegrityError) as error:
        _log.warning("the case of slide %s is not recalled: %s", slide.id, type(error).__name__)


class Looks:
    """Slides whose labels were not compared yet: of before, of a rebuild, of a job that died."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping

    async def round(self, round_s: float = _ROUND_S) -> int:
        """Some of each establishment in turn; how many were looked at."""
        deadline = time.monotonic() + round_s
        database = self._keeping.database
        async with database.anonymous() as connection:
            waiting = [each for each, _ in await accounts.establishments(connection)]
        done = 0
        while waiting:
            for establishment_id in tuple(waiting):
                found = await self._some(establishment_id)
                if len(found) < _AT_ONCE:
                    waiting.remove(establishment_id)
                for slide in found:
                    if time.monotonic() > deadline or self._keeping.cancelled.is_set():
                        return done
                    await self._look(slide)
                    done += 1
        return done

    async def _look(self, slide: Slide) -> None:
        """One that cannot be looked at waits for a person, and keeps no other from its turn."""
        database = self._keeping.database
        try:
            await identify(database, slide, readers_of(self._keeping.settings, slide))
        except _EVERYBODYS:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one slide does, others have their turn
            _log.warning("slide %s is not looked at: %s", slide.id, type(error).__name__)
            async with database.transaction(slide.establishment_id) as connection:
                await identification.set_reason(connection, slide.id, Unidentified.UNKNOWN)

    async def _some(self, establishment_id: UUID) -> list[Slide]:
        async with self._keeping.database.transaction(establishment_id) as connection:
            ids = await identification.waiting_for_a_look(connection, _AT_ONCE)
            found = [await slides.by_id(connection, each) for each in ids]
        return [slide for slide in found if slide is not None]


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the task to the queue; two never run at the same time."""
    looks = Looks(keeping)

    @queue.periodic(cron="* * * * *")
    @queue.task(name=IDENTIFY, queue=KEEPING_QUEUE, lock=IDENTIFY, queueing_lock=IDENTIFY)
    async def look_at_labels(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        await looks.round()
