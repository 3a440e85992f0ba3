"""The jobs of retention, handed over inside the transaction that makes the work.

None is handed over before it is due: a job that waits keeps every later one of its lock waiting.
"""

from uuid import UUID

import procrastinate

from sgi.catalogue import holds
from sgi.catalogue.database import Connection
from sgi.jobs.queue import KEEPING_QUEUE

DESTROY_SLIDE = "sgi.destroy_slide"
PROTECT_SLIDE = "sgi.protect_slide"
RETAIN_SLIDES = "sgi.retain_slides"
PROLONG = "sgi.prolong_retention"

# Only the caller's connection is ever used to defer, so this one is never opened.
_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer_destruction(
    connection: Connection, establishment_id: UUID, destruction_id: UUID, slide_id: UUID
) -> None:
    """Of one whose time has come; jobs of the same slide never run at the same time."""
    deferrer = _deferring.configure_task(
        DESTROY_SLIDE, queue=KEEPING_QUEUE, lock=str(slide_id), connection=connection
    )
    await deferrer.defer_async(
        establishment_id=str(establishment_id), destruction_id=str(destruction_id)
    )


async def defer_protection(connection: Connection, establishment_id: UUID, slide_id: UUID) -> None:
    """Put on the slide's objects what the catalogue says of its legal hold.

    It is tried for as long as it takes, and so has a lock of its own: nothing else of the slide
    waits for it. One that waits for its next try does so no longer, and is the one for this too.
    """
    lock = f"protect {slide_id}"
    # Nobody takes it up before this transaction ends: its row is locked.
    cursor = await connection.execute(
        """update procrastinate_jobs set scheduled_at = null, priority = 0
           where lock = %s and status = 'todo'""",
        [lock],
    )
    if cursor.rowcount:
        return
    deferrer = _deferring.configure_task(
        PROTECT_SLIDE, queue=KEEPING_QUEUE, lock=lock, connection=connection
    )
    await deferrer.defer_async(establishment_id=str(establishment_id), slide_id=str(slide_id))


async def protect_again(connection: Connection, establishment_id: UUID, slide_id: UUID) -> None:
    """For objects that have just appeared: a hold that was placed before is put on them too."""
    if await holds.open_hold(connection, slide_id) is not None:
        await defer_protection(connection, establishment_id, slide_id)


async def defer_retention(connection: Connection, establishment_id: UUID) -> None:
    """Put a changed rule on the objects of every slide in its final place."""
    deferrer = _deferring.configure_task(
        RETAIN_SLIDES,
        queue=KEEPING_QUEUE,
        lock=f"retain {establishment_id}",
        connection=connection,
    )
    await deferrer.defer_async(establishment_id=str(establishment_id))
