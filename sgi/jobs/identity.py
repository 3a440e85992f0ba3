"""The job that tells slides' instances anew, handed over in the transaction that makes it due."""

import procrastinate

from sgi.catalogue.database import Connection
from sgi.jobs.queue import PROMPT_QUEUE

TELL_IDENTITIES = "sgi.tell_identities"
IDENTIFY = "sgi.identify"

# Only the caller's connection is ever used to defer, so this one is never opened.
_deferring = procrastinate.App(connector=procrastinate.PsycopgConnector())


async def defer_telling(connection: Connection) -> None:
    """Have it done at once where any slide of the establishment is due; else within a minute.

    To be called at the end of a transaction that attached slides, or changed what is known of a
    patient, a case or an asset. One job that waits is enough for all.
    """
    cursor = await connection.execute("select from identity_due limit 1")
    if await cursor.fetchone() is None:
        return
    cursor = await connection.execute(
        "select from procrastinate_jobs where task_name = %s and status = 'todo' limit 1",
        [TELL_IDENTITIES],
    )
    if await cursor.fetchone() is not None:
        return
    deferrer = _deferring.configure_task(
        TELL_IDENTITIES, queue=PROMPT_QUEUE, lock=TELL_IDENTITIES, connection=connection
    )
    await deferrer.defer_async(timestamp=0)
