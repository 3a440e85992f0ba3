"""The jobs that keep what is stored: scrub rounds, checks that were asked for, second copies.

A round ends after a while whatever is left, between two objects of a slide, so that it holds up no
other work of its queue for longer; the next one goes on where it was. A round that is killed loses
no more than the slide it was reading. What cannot be examined or copied is left for a while, and
others have their turn.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import procrastinate
import psycopg

from sgi.catalogue import accounts, integrity
from sgi.catalogue.database import Connection, Database
from sgi.errors import StoppedError
from sgi.integrity.decision_copies import DecisionCopies
from sgi.integrity.jobs import COPY, SCRUB, STRAYS
from sgi.integrity.look import answers
from sgi.integrity.pace import Pace
from sgi.integrity.progress import Progress, RoundOverError
from sgi.integrity.second import copy_slide
from sgi.integrity.strays import find_strays
from sgi.integrity.verify import Verifier
from sgi.jobs.checks import CHECK_SLIDE
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from storage.errors import StorageError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_EVERY_MINUTE = "* * * * *"
_EVERY_NIGHT = "17 2 * * *"
ROUND_S = 45.0
_PAUSE = timedelta(hours=1)
"""After which a slide that could not be examined, or copied, is tried again."""
_OF_DECISIONS = 0.5
"""Of a round's time, at the most."""
_LAST = -10
"""Priority: whatever a person waits for comes first."""


class Keeper:
    """What the jobs do."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        scrub = keeping.settings.scrub
        pace = Pace(scrub.mb_per_s, keeping.cancelled)
        self._verifier = Verifier(
            keeping.database, keeping.stores, pace, keeping=keeping.settings.keeping
        )
        self._copier = replace(self._verifier, pace=Pace(scrub.copy_mb_per_s, keeping.cancelled))
        self._verifying, self._copying = Progress(), Progress()
        second = keeping.stores.second
        self._decisions = None if second is None else DecisionCopies(keeping.stores.warm, second)

    async def scrub(self, round_s: float = ROUND_S) -> int:
        """Verify slides whose turn it is; how many."""
        settings = self._keeping.settings.scrub
        if settings.mb_per_s == 0:
            return 0
        done = 0
        deadline = time.monotonic() + round_s
        self._verifying.begin_round(deadline)
        age = timedelta(days=settings.period_days)
        async for establishment_id, slide_id in self._due(age):
            try:
                is_done = await self._verify(establishment_id, slide_id)
            except RoundOverError:
                break
            self._verifying.forget()
            done += is_done
            if not is_done:
                async with self._keeping.database.transaction(establishment_id) as connection:
                    await integrity.mark_attempted(connection, slide_id)
            if time.monotonic() > deadline:
                break
        return done

    async def _verify(self, establishment_id: UUID, slide_id: UUID) -> bool:
        """False when it could not be done; raises the store's error when the first one is away."""
        try:
            verified = await self._verifier.verify(establishment_id, slide_id, self._verifying)
        except (StoppedError, RoundOverError, psycopg.OperationalError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one slide does, others have their turn
            await self._require_answers(error, self._keeping.stores.warm)
            _told(slide_id, "verified", error)
            return False
        return verified is not None

    async def copy(self, round_s: float = ROUND_S) -> int:
        """Bring slides that have no second copy over; how many."""
        if self._decisions is None:
            return 0
        begun = time.monotonic()
        await asyncio.to_thread(self._decisions.bring_over, begun + round_s * _OF_DECISIONS)
        done = 0
        deadline = begun + round_s
        self._copying.begin_round(deadline)
        async for establishment_id, slide_id in self._uncopied():
            try:
                is_done = await self._copy(establishment_id, slide_id)
            except RoundOverError:
                break
            self._copying.forget()
            done += is_done
            if not is_done:
                async with self._keeping.database.transaction(establishment_id) as connection:
                    await integrity.mark_copy_attempted(connection, slide_id)
            if time.monotonic() > deadline or self._keeping.cancelled.is_set():
                break
        return done

    async def _copy(self, establishment_id: UUID, slide_id: UUID) -> bool:
        """False when it could not be done; raises the store's error when one is away."""
        stores = self._keeping.stores
        try:
            return await copy_slide(self._copier, establishment_id, slide_id, self._copying)
        except (StoppedError, RoundOverError, psycopg.OperationalError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever one slide does, others have their turn
            await self._require_answers(error, stores.warm, stores.second)
            _told(slide_id, "copied", error)
            return False

    def _due(self, age: timedelta) -> AsyncIterator[tuple[UUID, UUID]]:
        return _each(
            self._keeping.database,
            lambda connection: integrity.next_due(connection, age, _PAUSE),
            self._verifying,
        )

    def _uncopied(self) -> AsyncIterator[tuple[UUID, UUID]]:
        return _each(
            self._keeping.database,
            lambda connection: integrity.next_uncopied(connection, _PAUSE),
            self._copying,
        )

    async def _require_answers(self, error: Exception, *stores: ObjectStore | None) -> None:
        """Raise the error again where it says no more than that a store is away."""
        if isinstance(error, StorageError):
            for store in stores:
                if store is not None and not await asyncio.to_thread(answers, store):
                    raise error

    async def check(self, establishment_id: UUID, slide_id: UUID) -> None:
        """Verify one slide that a reader or a person asked for."""
        await self._verifier.verify(establishment_id, slide_id)

    async def find_strays(self) -> None:
        """Look for objects that belong to no slide."""
        await find_strays(self._keeping.database, self._keeping.stores)


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the tasks to the keeping queue; two of a kind never run at the same time."""
    keeper = Keeper(keeping)

    @queue.periodic(cron=_EVERY_MINUTE)
    @queue.task(name=SCRUB, queue=KEEPING_QUEUE, lock=SCRUB, queueing_lock=SCRUB, priority=_LAST)
    async def scrub(timestamp: int) -> None:  # noqa: ARG001 - procrastinate gives it
        await _calmly(keeper.scrub())

    @queue.periodic(cron=_EVERY_MINUTE)
    @queue.task(name=COPY, queue=KEEPING_QUEUE, lock=COPY, queueing_lock=COPY, priority=_LAST)
    async def copy(timestamp: int) -> None:  # noqa: ARG001
        await _calmly(keeper.copy())

    @queue.periodic(cron=_EVERY_NIGHT)
    @queue.task(name=STRAYS, queue=KEEPING_QUEUE, lock=STRAYS, queueing_lock=STRAYS, priority=_LAST)
    async def strays(timestamp: int) -> None:  # noqa: ARG001
        await _calmly(keeper.find_strays())

    # A store that is away for a night is asked again all night.
    again = procrastinate.RetryStrategy(
        max_attempts=30, linear_wait=60, retry_exceptions=[StorageError, StoppedError]
    )

    @queue.task(name=CHECK_SLIDE, queue=KEEPING_QUEUE, retry=again)
    async def check(slide_id: str, establishment_id: str) -> None:
        await keeper.check(UUID(establishment_id), UUID(slide_id))


async def _calmly(work: Awaitable[object]) -> None:
    """A store that does not answer is nobody's damage: the next round tries again."""
    try:
        await work
    except StorageError as error:
        _log.warning("a round was given up: %s", type(error).__name__)
    except StoppedError:
        _log.info("a round was cut short")


async def _establishments(database: Database) -> list[UUID]:
    async with database.anonymous() as connection:
        return [each for each, _ in await accounts.establishments(connection)]


def _told(slide_id: UUID, what: str, error: Exception) -> None:
    cause = None if isinstance(error, StorageError) else error
    _log.warning("slide %s is not %s: %s", slide_id, what, type(error).__name__, exc_info=cause)


async def _each(
    database: Database,
    find: Callable[[Connection], Awaitable[UUID | None]],
    progress: Progress,
) -> AsyncIterator[tuple[UUID, UUID]]:
    """Slides, one of each establishment after the other, from where the last round was."""
    waiting = progress.in_turn(await _establishments(database))
    while waiting:
        for establishment_id in tuple(waiting):
            async with database.transaction(establishment_id) as connection:
                slide_id = await find(connection)
            if slide_id is None:
                waiting.remove(establishment_id)
            else:
                progress.turn = establishment_id
                yield establishment_id, slide_id
