"""What the keeping queue does for retention: destroy, protect, and find what was left undone."""

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job

from sgi import recovery
from sgi.catalogue import accounts, destructions, holds, retention, slides
from sgi.catalogue.retention import Moved
from sgi.errors import SgiError
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from sgi.jobs.retention import (
    DESTROY_SLIDE,
    PROLONG,
    PROTECT_SLIDE,
    RETAIN_SLIDES,
    defer_destruction,
)
from sgi.retention.destroy import Destroyer
from sgi.retention.protect import hold_objects, retain_objects
from storage.errors import StorageError, StoreUnavailableError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_SWEPT_AFTER = timedelta(days=1)
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 5, 3600
_AWAY_AFTER = 3
"""Slides in a row that cannot be had: then it is the store, and not they."""
_AT_ONCE = 200
"""Slides of an establishment whose dates one round prolongs."""
_AFTER_ALL = -20
"""Priority of what failed before: below scrubs and copies."""


class _Later(procrastinate.BaseRetryStrategy):
    """What a store refuses is tried until it takes it, an hour apart at most, when nothing else is
    to be done: a store that is away for long holds up no other work.
    """

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> procrastinate.RetryDecision | None:
        if not isinstance(exception, StorageError | SgiError):
            return None
        seconds = min(_FIRST_PAUSE_S * 2 ** min(job.attempts, 20), _LONGEST_PAUSE_S)
        return procrastinate.RetryDecision(retry_in={"seconds": seconds}, priority=_AFTER_ALL)


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the tasks of retention; a destruction that failed is found again every minute."""
    destroyer = Destroyer(keeping.settings, keeping.database, keeping.stores)

    @queue.task(name=DESTROY_SLIDE, queue=KEEPING_QUEUE)
    async def destroy(establishment_id: str, destruction_id: str) -> None:
        try:
            await destroyer.destroy(UUID(establishment_id), UUID(destruction_id))
        except (StorageError, SgiError) as error:  # taken up again by `find_undone`
            _log.warning("destruction %s: %s", destruction_id, type(error).__name__)

    @queue.task(name=PROTECT_SLIDE, queue=KEEPING_QUEUE, retry=_Later())
    async def protect(establishment_id: str, slide_id: str) -> None:
        await protect_slide(keeping, UUID(establishment_id), UUID(slide_id))

    @queue.task(name=RETAIN_SLIDES, queue=KEEPING_QUEUE, retry=_Later())
    async def retain(establishment_id: str) -> None:
        await retain_slides(keeping, UUID(establishment_id))

    @queue.periodic(cron="* * * * *")
    @queue.task(
        name="sgi.find_undone_destructions",
        queue=KEEPING_QUEUE,
        queueing_lock="sgi.find_undone_destructions",
    )
    async def find_undone(timestamp: int) -> None:
        del timestamp
        await resume(keeping)

    @queue.periodic(cron="* * * * *")
    @queue.task(
        name=PROLONG,
        queue=KEEPING_QUEUE,
        lock=PROLONG,
        queueing_lock=PROLONG,
        priority=_AFTER_ALL,
    )
    async def find_moved(timestamp: int) -> None:
        del timestamp
        try:
            await prolong(keeping)
        except StoreUnavailableError as error:
            _log.warning("dates of retention are prolonged later: %s", type(error).__name__)


async def resume(keeping: Keeping) -> None:
    """Queue every destruction that is to be carried out, or looked at once more, and that no
    living job owns; none in a database that came back from an earlier moment.
    """
    async with keeping.database.anonymous() as connection:
        if await recovery.is_marked(connection):
            _log.warning("destructions wait for `sgi rebuild --missing`: the database came back")
            return
        establishments = await accounts.establishments(connection)
    for establishment_id, _ in establishments:
        async with keeping.database.transaction(establishment_id) as connection:
            for left in await destructions.without_job(connection, _SWEPT_AFTER):
                await defer_destruction(connection, establishment_id, left.id, left.slide_id)


async def protect_slide(keeping: Keeping, establishment_id: UUID, slide_id: UUID) -> None:
    """Put the slide's hold, or its end, on its objects in every store that offers object lock, and
    its retention on those in the cold store.
    """
    async with keeping.database.transaction(establishment_id) as connection:
        held = await holds.open_hold(connection, slide_id) is not None
        until = await retention.end_of(connection, slide_id)
    if until is None:
        return
    stores = keeping.stores
    puts: list[Callable[[], int]] = [  # holds first: they are for today
        partial(hold_objects, store, slide_id, on=held)
        for store in (stores.warm, stores.cold, stores.second)
        if store is not None
    ]
    if stores.cold is not None:
        puts.append(partial(retain_objects, stores.cold, slide_id, until))
    failed: StorageError | None = None
    for put in puts:
        try:
            await asyncio.to_thread(put)
        except StorageError as error:  # one store that is away keeps the hold off no other
            failed = failed or error
    if failed is not None:
        raise failed


async def retain_slides(keeping: Keeping, establishment_id: UUID) -> None:
    """Put the establishment's rule on the objects of every slide in the cold store.

    What the store refuses of one slide is left to `prolong`. Raises StoreUnavailableError when
    several in a row cannot be had: one alone keeps no other from the rule.
    """
    in_a_row = 0
    cold = keeping.stores.cold
    if cold is None:
        return
    async with keeping.database.transaction(establishment_id) as connection:
        slide_ids = await slides.ids(connection)
    for slide_id in slide_ids:
        try:
            await _retain(keeping, cold, establishment_id, slide_id)
            in_a_row = 0
        except StorageError as error:
            in_a_row = in_a_row + 1 if isinstance(error, StoreUnavailableError) else 0
            await _tell_later(keeping, establishment_id, Moved((), slide_id), error)
            if in_a_row == _AWAY_AFTER:
                raise


async def prolong(keeping: Keeping) -> None:
    """Put on the objects of cold slides what was said of their patients since: a stay, a case.

    Raises StoreUnavailableError: what is left is taken up by the next round.
    """
    async with keeping.database.anonymous() as connection:
        establishments = await accounts.establishments(connection)
    away: StoreUnavailableError | None = None
    for establishment_id, _ in establishments:
        try:
            await _prolong_those_of(keeping, establishment_id)
        except StoreUnavailableError as error:  # it may be one object alone that cannot be had
            away = away or error
    if away is not None:
        raise away


async def _prolong_those_of(keeping: Keeping, establishment_id: UUID) -> None:
    """What is refused goes to the end of the queue, so that the others have their turn."""
    cold = keeping.stores.cold
    async with keeping.database.transaction(establishment_id) as connection:
        left = await retention.moved(connection, _AT_ONCE)
    for each in left:
        try:
            if cold is not None:
                await _retain(keeping, cold, establishment_id, each.slide_id)
        except StorageError as error:
            await _tell_later(keeping, establishment_id, each, error)
            if isinstance(error, StoreUnavailableError):
                raise
            continue
        async with keeping.database.transaction(establishment_id) as connection:
            await retention.was_told(connection, each)


async def _tell_later(
    keeping: Keeping, establishment_id: UUID, moved: Moved, error: StorageError
) -> None:
    _log.warning(
        "the lock of slide %s of %s is prolonged later: %s",
        moved.slide_id,
        establishment_id,
        type(error).__name__,
    )
    async with keeping.database.transaction(establishment_id) as connection:
        await retention.tell_later(connection, moved.slide_id, moved.ids)


async def _retain(
    keeping: Keeping, cold: ObjectStore, establishment_id: UUID, slide_id: UUID
) -> None:
    async with keeping.database.transaction(establishment_id) as connection:
        until = await retention.end_of(connection, slide_id)
    if until is not None:
        await asyncio.to_thread(retain_objects, cold, slide_id, until)
