"""Sees that the bucket knows every establishment as it is called, whoever made or renamed it."""

import asyncio
import logging

import procrastinate

from sgi import recovery
from sgi.catalogue import accounts
from sgi.jobs.keeping import Keeping
from sgi.jobs.queue import KEEPING_QUEUE
from sgi.stored.establishment import StoredEstablishment, write_establishment
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_NAME = "sgi.keep_establishments"


def register(queue: procrastinate.App, keeping: Keeping) -> None:
    """Add the task to the keeping queue."""

    @queue.periodic(cron="*/10 * * * *")
    @queue.task(name=_NAME, queue=KEEPING_QUEUE, queueing_lock=_NAME)
    async def keep(timestamp: int) -> None:  # noqa: ARG001 - procrastinate hands it over
        try:
            await keep_establishments(keeping)
        except StorageError as error:  # at the next round
            _log.warning("establishments are not written: %s", type(error).__name__)


async def keep_establishments(keeping: Keeping) -> int:
    """How many were new, or have another name; none of a database that came back from earlier.

    Raises the store's errors when it does not answer.
    """
    async with keeping.database.anonymous() as connection:
        if await recovery.is_marked(connection):
            return 0
        known = await accounts.establishments(connection)
    written = 0
    for establishment_id, _ in known:
        async with keeping.database.transaction(establishment_id) as connection:
            cursor = await connection.execute(
                "select id, name, created_at from establishment where id = %s", [establishment_id]
            )
            row = await cursor.fetchone()
        if row is not None:
            stored = StoredEstablishment(
                establishment_id=row["id"],
                establishment_name=row["name"],
                created_at=row["created_at"],
            )
            written += await asyncio.to_thread(write_establishment, keeping.stores.warm, stored)
    return written
