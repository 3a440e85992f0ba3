"""Procrastinate, and the one way to hand it a job: inside the transaction that makes the work."""

import logging
from datetime import timedelta
from uuid import UUID

import procrastinate
from procrastinate.manager import JobManager

from sgi.catalogue.database import Connection

_log = logging.getLogger(__name__)

INGEST_QUEUE = "ingest"
KEEPING_QUEUE = "keeping"
"""Work on what is stored: tier moves, scrubs, destruction. It never holds up ingest."""
PROMPT_QUEUE = "prompt"
"""Work on what is stored that a person waits for, such as restores."""
PROCESS_ARRIVAL = "sgi.process_arrival"

HEARTBEAT_S = 2.0
"""How often a worker says that it lives, in seconds."""
STALLED_S = 10.0
"""A worker silent for this many seconds is dead, and its jobs are taken over."""

# Only the caller's connection is ever used to defer, so this one is never opened.
_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())


def open_queue(url: str) -> procrastinate.App:
    """The queue of the database at `url`; open it with `async with queue.open_async()`."""
    return procrastinate.App(
        connector=procrastinate.PsycopgConnector(
            conninfo=url, min_size=1, max_size=4, kwargs={"application_name": "sgi-queue"}
        )
    )


async def defer_processing(
    connection: Connection,
    establishment_id: UUID,
    arrival_id: UUID,
    delay: timedelta = timedelta(0),
) -> None:
    """Queue the job of an arrival: it exists exactly when the caller's transaction commits.

    Jobs of the same arrival never run at the same time.
    """
    deferrer = _deferring.configure_task(
        PROCESS_ARRIVAL,
        queue=INGEST_QUEUE,
        lock=str(arrival_id),
        schedule_in={"seconds": delay.total_seconds()} if delay else None,
        connection=connection,
    )
    await deferrer.defer_async(arrival_id=str(arrival_id), establishment_id=str(establishment_id))


async def take_over_stalled(jobs: JobManager, queue: str) -> None:
    """Queue the jobs of dead workers again."""
    for job in await jobs.get_stalled_jobs(queue=queue, seconds_since_heartbeat=STALLED_S):
        _log.warning("job %s of a dead worker is taken over", job.id)
        await jobs.retry_job(job)
