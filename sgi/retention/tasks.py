"""What the keeping queue does for retention: destroy, protect, and find what was left undone."""

import asyncio
import logging
from datetime import timedelta
from uuid import UUID

import procrastinate
from procrastinate.jobs import Job

from sgi import recovery
from sgi.catalogue import accounts, destructions, holds, retention, slides
from sgi.domain.retention import counted_from, kept_until
from sgi.errors import SgiError
from sgi.jobs.decisions import pause_before
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from sgi.jobs.retention import DESTROY_SLIDE, PROTECT_SLIDE, RETAIN_SLIDES, defer_destruction
from sgi.retention.destroy import Destroyer
from sgi.retention.protect import hold_objects, retain_objects
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_SWEPT_AFTER = timedelta(days=1)


class _Later(procrastinate.BaseRetryStrategy):
    """What a store refuses is tried until it takes it, some minutes apart at most."""

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> procrastinate.RetryDecision | None:
        if not isinstance(exception, StorageError | SgiError):
            return None
        seconds = int(pause_before(job.attempts + 1).total_seconds())
        return procrastinate.RetryDecision(retry_in={"seconds": seconds})


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
        slide = await slides.by_id(connection, slide_id)
        years = (await retention.rule(connection)).years
    if slide is None:
        return
    if keeping.stores.cold is not None:
        until = kept_until(counted_from(slide.published_at), years)
        await asyncio.to_thread(retain_objects, keeping.stores.cold, slide_id, until)
    for store in (keeping.stores.warm, keeping.stores.cold, keeping.stores.second):
        if store is not None:
            await asyncio.to_thread(hold_objects, store, slide_id, on=held)


async def retain_slides(keeping: Keeping, establishment_id: UUID) -> None:
    """Put the establishment's rule on the objects of every slide in the cold store."""
    cold = keeping.stores.cold
    if cold is None:
        return
    async with keeping.database.transaction(establishment_id) as connection:
        years = (await retention.rule(connection)).years
        slide_ids = await slides.ids(connection)
    for slide_id in slide_ids:
        async with keeping.database.transaction(establishment_id) as connection:
            slide = await slides.by_id(connection, slide_id)
        if slide is not None:
            until = kept_until(counted_from(slide.published_at), years)
            await asyncio.to_thread(retain_objects, cold, slide_id, until)
