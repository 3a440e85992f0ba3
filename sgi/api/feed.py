"""What changed in the catalogue, told to everyone who listens: one connection, many browsers."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from uuid import UUID

import psycopg

from sgi.access.sessions import Sessions
from sgi.catalogue.database import Database
from sgi.domain.account import Session

_log = logging.getLogger(__name__)
_QUEUE = 1000
_RECONNECT_S = 1.0


class Feed:
    """Passes arrival notifications on to subscribers of the same establishment.

    A subscriber is told to start again (None) when it falls behind by more than a thousand
    changes, when notifications may have been lost, and when its session ended.
    """

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self._subscribers: dict[asyncio.Queue[UUID | None], Session] = {}

    async def run(self) -> None:
        """Listen for ever; forget every remembered session when notifications may be lost."""
        while True:
            try:
                async for channel, payload in self._database.listen("sgi_arrival", "sgi_session"):
                    self._dispatch(channel, payload)
            except (psycopg.Error, OSError) as error:
                _log.warning("lost the catalogue's notifications: %s", type(error).__name__)
            self._start_again()
            await asyncio.sleep(_RECONNECT_S)

    def _start_again(self) -> None:
        self._sessions.forget_all()
        for queue in self._subscribers:
            _restart(queue)

    def _dispatch(self, channel: str, payload: str) -> None:
        if channel == "sgi_arrival":
            establishment, arrival = (UUID(part) for part in payload.split())
            self._tell(establishment, arrival)
        elif channel == "sgi_session":
            self._end(UUID(payload))
        else:
            self._start_again()

    def _tell(self, establishment_id: UUID, arrival_id: UUID) -> None:
        for queue, session in self._subscribers.items():
            if session.establishment_id == establishment_id:
                try:
                    queue.put_nowait(arrival_id)
                except asyncio.QueueFull:
                    _restart(queue)

    def _end(self, session_id: UUID) -> None:
        self._sessions.forget(session_id)
        for queue, session in self._subscribers.items():
            if session.id == session_id:
                _restart(queue)

    @contextlib.contextmanager
    def subscription(self, session: Session) -> Iterator[asyncio.Queue[UUID | None]]:
        """Ids of arrivals of the session's establishment as they change; None: start again."""
        queue: asyncio.Queue[UUID | None] = asyncio.Queue(_QUEUE)
        self._subscribers[queue] = session
        try:
            yield queue
        finally:
            del self._subscribers[queue]


def _restart(queue: asyncio.Queue[UUID | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
