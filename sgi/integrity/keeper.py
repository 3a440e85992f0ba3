"""The jobs that keep what is stored: scrub rounds, checks that were asked for, second copies.

A round ends after a while whatever is left, so that it holds up no other work of its queue; the
next one goes on with the slide that was verified longest ago. A round that is killed loses no
more than the slide it was reading.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from uuid import UUID

import procrastinate

from sgi.catalogue import accounts, integrity
from sgi.catalogue.database import Database
from sgi.errors import StoppedError
from sgi.integrity.jobs import CHECK_SLIDE, COPY, SCRUB, STRAYS
from sgi.integrity.pace import Pace
from sgi.integrity.second import copy_decisions, copy_slide
from sgi.integrity.strays import find_strays
from sgi.integrity.verify import Verifier
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_EVERY_MINUTE = "* * * * *"
_EVERY_NIGHT = "17 2 * * *"
ROUND_S = 45.0
_LAST = -10
"""Priority: whatever a person waits for comes first."""


class Keeper:
    """What the jobs do."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        pace = Pace(keeping.settings.scrub.mb_per_s, keeping.cancelled)
        self._verifier = Verifier(keeping.database, keeping.stores, pace)

    async def scrub(self, round_s: float = ROUND_S) -> int:
        """Verify slides whose turn it is; how many."""
        settings = self._keeping.settings.scrub
        if settings.mb_per_s == 0:
            return 0
        done = 0
        deadline = time.monotonic() + round_s
        age = timedelta(days=settings.period_days)
        seen: set[UUID] = set()
        async for establishment_id, slide_id in _in_turn(self._keeping.database, age):
            # One that cannot be verified now would come again and again.
            if slide_id in seen or (seen and time.monotonic() > deadline):
                break
            seen.add(slide_id)
            await self._verifier.verify(establishment_id, slide_id)
            done += 1
        return done

    async def copy(self, round_s: float = ROUND_S) -> int:
        """Bring slides that have no second copy over; how many."""
        warm, second = self._keeping.stores.warm, self._keeping.stores.second
        if second is None:
            return 0
        await asyncio.to_thread(copy_decisions, warm, second)
        done = 0
        deadline = time.monotonic() + round_s
        for establishment_id in await _establishments(self._keeping.database):
            skipped: list[UUID] = []
            while time.monotonic() < deadline and not self._keeping.cancelled.is_set():
                async with self._keeping.database.transaction(establishment_id) as connection:
                    slide_id = await integrity.next_uncopied(connection, skipped)
                if slide_id is None:
                    break
                if await copy_slide(self._verifier, establishment_id, slide_id):
                    done += 1
                else:
                    skipped.append(slide_id)
        return done

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


async def _in_turn(database: Database, age: timedelta) -> AsyncIterator[tuple[UUID, UUID]]:
    """Slides that are due, one of each establishment after the other."""
    waiting = await _establishments(database)
    while waiting:
        for establishment_id in tuple(waiting):
            async with database.transaction(establishment_id) as connection:
                slide_id = await integrity.next_due(connection, age)
            if slide_id is None:
                waiting.remove(establishment_id)
            else:
                yield establishment_id, slide_id
