"""The process that works the queues off, each with a concurrency of its own."""

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator

import procrastinate
import psycopg
import psycopg_pool
from procrastinate.exceptions import ConnectorException

from sgi.catalogue.database import Database
from sgi.identity.tasks import register as register_identities
from sgi.ingest.identify import register as register_identification
from sgi.ingest.worker import ingesting
from sgi.integrity.keeper import register as register_integrity
from sgi.jobs.keeping import Keeping, Register
from sgi.jobs.queue import (
    HEARTBEAT_S,
    INGEST_QUEUE,
    KEEPING_QUEUE,
    PROMPT_QUEUE,
    STALLED_S,
    open_queue,
    take_over_stalled,
)
from sgi.keeping.establishments import register as register_establishments
from sgi.keeping.record_tasks import register as register_records
from sgi.keeping.tiers_tasks import register as register_tiers
from sgi.proved_stores import wait_for_proved_stores
from sgi.retention.tasks import register as register_retention
from sgi.settings import Settings
from sgi.stores import Stores

_log = logging.getLogger(__name__)
_TAKE_OVER_S = 5.0

KEEPERS: tuple[Register, ...] = (
    register_tiers,
    register_retention,
    register_integrity,
    register_records,
    register_identification,
    register_identities,
    register_establishments,
)
"""Everything that works in the keeping queue."""


async def work(settings: Settings, url: str, stores: Stores) -> None:
    """Run until SIGTERM or SIGINT; what is cut short is taken up at the next start.

    Raises ConfigurationError for a store in which slides would not be safe.
    """
    await wait_for_proved_stores(settings, stores)
    queue = open_queue(url)
    async with Database(url) as database, queue.open_async():
        keeping = Keeping(settings, database, stores)
        async with (
            ingesting(settings, database, stores.warm, queue),
            _kept(queue, keeping),
        ):
            await _until_stopped(
                _run(queue, INGEST_QUEUE, settings.ingest.concurrency),
                _run(queue, KEEPING_QUEUE, settings.keeping.concurrency),
                _run(queue, PROMPT_QUEUE, settings.keeping.concurrency),
            )


def _run(queue: procrastinate.App, name: str, concurrency: int) -> asyncio.Task[None]:
    return asyncio.create_task(
        queue.run_worker_async(
            queues=[name],
            name=name,
            concurrency=concurrency,
            fetch_job_polling_interval=2.0,
            update_heartbeat_interval=HEARTBEAT_S,
            stalled_worker_timeout=STALLED_S,
            shutdown_graceful_timeout=3.0,
            delete_jobs="successful",
            install_signal_handlers=False,
        )
    )


async def _until_stopped(*workers: asyncio.Task[None]) -> None:
    """Until a signal comes, or one of them ends: then both do, and the process is started anew."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({*workers, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
        for task in (*workers, waiting):
            task.cancel()
        ended = await asyncio.gather(*workers, waiting, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error


@contextlib.asynccontextmanager
async def _kept(queue: procrastinate.App, keeping: Keeping) -> AsyncIterator[None]:
    """The keeping queue's tasks, and the jobs of dead workers taken over."""
    for register in KEEPERS:
        register(queue, keeping)
    taking_over = asyncio.create_task(_take_over_for_ever(queue))
    try:
        yield
    finally:
        keeping.cancelled.set()
        taking_over.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await taking_over


async def _take_over_for_ever(queue: procrastinate.App) -> None:
    while True:
        try:
            for name in (KEEPING_QUEUE, PROMPT_QUEUE):
                await take_over_stalled(queue.job_manager, name)
        except (psycopg.Error, psycopg_pool.PoolTimeout, ConnectorException) as error:
            _log.warning("jobs of dead workers not taken over: %s", type(error).__name__)
        await asyncio.sleep(_TAKE_OVER_S)
