"""Damage that somebody came across: on record, and the slide's verification asked for at once.

The job exists when the transaction commits.
"""

import logging
from uuid import UUID

import procrastinate

from sgi.catalogue import audit, incidents
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection
from sgi.domain.integrity import Finding, FoundBy
from sgi.jobs.queue import KEEPING_QUEUE

CHECK_SLIDE = "sgi.check_slide"

_log = logging.getLogger(__name__)
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


async def is_to_be_checked(connection: Connection, slide_id: UUID) -> bool:
    """Whether a check of the slide waits, or is at work."""
    cursor = await connection.execute(
        """select 1 from procrastinate_jobs where task_name = %s and status in ('todo', 'doing')
           and args ->> 'slide_id' = %s limit 1""",
        [CHECK_SLIDE, str(slide_id)],
    )
    return await cursor.fetchone() is not None


async def report_damage(
    connection: Connection, establishment_id: UUID, slide_id: UUID, finding: Finding
) -> None:
    """An incident, and a check of the slide; nothing where somebody has told of it before."""
    reported = await incidents.report(connection, establishment_id, slide_id, finding, FoundBy.READ)
    if not reported.is_new:
        return
    _log.error("INTEGRITY incident %s: read damaged, %s", reported.id, finding.key)
    await audit.record(connection, establishment_id, SYSTEM, Action.FIND_DAMAGE, slide_id)
    await defer_check(connection, establishment_id, slide_id)
