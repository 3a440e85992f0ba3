"""The process that works the queue off, and puts right what a death left behind."""

import asyncio
import contextlib
import logging
import threading
from uuid import UUID

import psycopg
import psycopg_pool
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from sgi.catalogue import accounts, arrivals
from sgi.catalogue.database import Database
from sgi.ingest.convert import clear_scratch
from sgi.ingest.process import Ingest
from sgi.jobs.queue import (
    HEARTBEAT_S,
    INGEST_QUEUE,
    PROCESS_ARRIVAL,
    STALLED_S,
    defer_processing,
    open_queue,
)
from sgi.settings import Settings
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_RECONCILE_S = 5.0


async def work(settings: Settings, url: str, store: ObjectStore) -> None:
    """Run until SIGTERM or SIGINT; a conversion that is cut short is taken up at the next start."""
    settings.work.mkdir(parents=True, exist_ok=True)
    await asyncio.to_thread(clear_scratch, settings.work)
    queue = open_queue(url)
    cancelled = threading.Event()
    async with Database(url) as database, queue.open_async():
        ingest = Ingest(settings, database, store, cancelled)

        @queue.task(name=PROCESS_ARRIVAL, queue=INGEST_QUEUE)
        async def process_arrival(arrival_id: str, establishment_id: str) -> None:
            await ingest.process(UUID(establishment_id), UUID(arrival_id))
            await asyncio.to_thread(ingest.children.prepare)

        await asyncio.to_thread(ingest.children.prepare)
        reconciling = asyncio.create_task(_reconcile_for_ever(ingest, queue.job_manager))
        try:
            await queue.run_worker_async(
                queues=[INGEST_QUEUE],
                concurrency=settings.ingest.concurrency,
                fetch_job_polling_interval=2.0,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=STALLED_S,
                shutdown_graceful_timeout=3.0,
                delete_jobs="successful",
            )
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
    for job in await jobs.get_stalled_jobs(queue=INGEST_QUEUE, seconds_since_heartbeat=STALLED_S):
        _log.warning("job %s of a dead worker is taken over", job.id)
        await jobs.retry_job(job)
    async with ingest.database.anonymous() as connection:
        establishments = await accounts.establishments(connection)
    for establishment_id, _ in establishments:
        async with ingest.database.transaction(establishment_id) as connection:
            for arrival in await arrivals.orphaned(connection):
                await defer_processing(connection, establishment_id, arrival.id)
            unreleased = await arrivals.unreleased(connection)
        for arrival in unreleased:
            await ingest.release(establishment_id, arrival.id)
