"""How a slide's verification is asked for: a job that exists when the transaction commits."""

from uuid import UUID

import procrastinate

from sgi.catalogue.database import Connection
from sgi.jobs.queue import KEEPING_QUEUE

CHECK_SLIDE = "sgi.check_slide"
SCRUB = "sgi.scrub"
COPY = "sgi.copy_to_second"
STRAYS = "sgi.find_strays"

_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())
_URGENT = 10


async def defer_check(connection: Connection, establishment_id: UUID, slide_id: UUID) -> None:
    """Verify, and where it can be repair, one slide as soon as a worker is free.

    Raises psycopg errors, and for a slide whose check waits already does nothing.
    """
    cursor = await connection.execute(
        """select 1 from procrastinate_jobs where task_name = %s and status = 'todo'
           and args ->> 'slide_id' = %s limit 1""",
        [CHECK_SLIDE, str(slide_id)],
    )
    if await cursor.fetchone() is not None:
        return
    deferrer = _deferring.configure_task(
        CHECK_SLIDE, queue=KEEPING_QUEUE, priority=_URGENT, connection=connection
    )
    await deferrer.defer_async(slide_id=str(slide_id), establishment_id=str(establishment_id))
