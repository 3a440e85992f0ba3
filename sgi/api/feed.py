"""What changed in the catalogue, told to everyone who listens: one connection, many browsers."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import psycopg

from sgi.access.sessions import Sessions
from sgi.catalogue.database import Database

_log = logging.getLogger(__name__)
_QUEUE = 1000
_RECONNECT_S = 1.0


class Feed:
    """Passes arrival notifications on to subscribers of the same establishment.

    A subscriber that falls behind by more than a thousand changes is told to start again
    (None), as it is after a lost database connection.
    """

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self._subscribers: dict[asyncio.Queue[UUID | None], UUID] = {}

    async def run(self) -> None:
        """Listen for ever; forget every remembered session when notifications may be lost."""
        while True:
            try:
                async for channel, payload in self._database.listen("sgi_arrival", "sgi_session"):
                    self._dispatch(channel, payload)
            except (psycopg.Error, OSError) as error:
                _log.warning("lost the catalogue's notifications: %s", type(error).__name__)
            self._sessions.forget_all()
            for queue in self._subscribers:
                _restart(queue)
            await asyncio.sleep(_RECONNECT_S)

    def _dispatch(self, channel: str, payload: str) -> None:
        if channel == "sgi_session":
            self._sessions.forget(UUID(payload))
            return
        establishment, arrival = (UUID(part) for part in payload.split())
        for queue, wanted in self._subscribers.items():
            if wanted == establishment:
                try:
                    queue.put_nowait(arrival)
                except asyncio.QueueFull:
                    _restart(queue)

    @contextlib.contextmanager
    def subscription(self, establishment_id: UUID) -> Iterator[AsyncIterator[UUID | None]]:
        """Ids of arrivals of one establishment as they change; None means "read all again"."""
        queue: asyncio.Queue[UUID | None] = asyncio.Queue(_QUEUE)
        self._subscribers[queue] = establishment_id

        async def changes() -> AsyncIterator[UUID | None]:
            while True:
                yield await queue.get()

        try:
            yield changes()
        finally:
            del self._subscribers[queue]


def _restart(queue: asyncio.Queue[UUID | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
