"""The ingest queue's task, and what puts right what a death left behind."""

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from uuid import UUID

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from sgi.catalogue import accounts, arrivals
from sgi.catalogue.database import Database
from sgi.ingest.convert import clear_scratch
from sgi.ingest.process import Ingest
from sgi.jobs.queue import INGEST_QUEUE, PROCESS_ARRIVAL, defer_processing, take_over_stalled
from sgi.settings import Settings
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_RECONCILE_S = 5.0


@contextlib.asynccontextmanager
async def ingesting(
    settings: Settings, database: Database, store: ObjectStore, queue: procrastinate.App
) -> AsyncIterator[None]:
    """The task is there; a conversion that is cut short is taken up at the next start."""
    settings.work.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(clear_scratch, settings.work)
    cancelled = threading.Event()
    ingest = Ingest(settings, database, store, cancelled)

    @queue.task(name=PROCESS_ARRIVAL, queue=INGEST_QUEUE)
    async def process_arrival(arrival_id: str, establishment_id: str) -> None:
        await ingest.process(UUID(establishment_id), UUID(arrival_id))
        await asyncio.to_thread(ingest.children.prepare)

    await asyncio.to_thread(ingest.children.prepare)
    reconciling = asyncio.create_task(_reconcile_for_ever(ingest, queue.job_manager))
    try:
        yield
    finally:
        cancelled.set()
        ingest.children.close()
        reconciling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reconciling


async def _reconcile_for_ever(ingest: Ingest, jobs: JobManager) -> None:
    while True:
        try:
            await reconcile(ingest, jobs)
        except (psycopg.Error, psycopg_pool.PoolTimeout, ConnectorException) as error:
            _log.warning("reconciling failed: %s", type(error).__name__)
        await asyncio.sleep(_RECONCILE_S)


async def reconcile(ingest: Ingest, jobs: JobManager) -> None:
    """Take over the jobs of dead workers, find arrivals without a job, release originals."""
    await take_over_stalled(jobs, INGEST_QUEUE)
    async with ingest.database.anonymous() as connection:
        establishments = await accounts.establishments(connection)
    for establishment_id, _ in establishments:
        async with ingest.database.transaction(establishment_id) as connection:
            for arrival in await arrivals.orphaned(connection):
                await defer_processing(connection, establishment_id, arrival.id)
            unreleased = await arrivals.unreleased(connection)
        for arrival in unreleased:
            await ingest.release(establishment_id, arrival.id)
