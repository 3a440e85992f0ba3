"""What changed in the catalogue, told to everyone who listens: one connection, many browsers."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

import psycopg

from sgi.access.sessions import Sessions
from sgi.catalogue.database import Database
from sgi.domain.account import Session

_log = logging.getLogger(__name__)
_QUEUE = 1000
_RECONNECT_S = 1.0
_CHANNELS = ("sgi_arrival", "sgi_session", "sgi_slide_gone", "sgi_tier", "sgi_move", "sgi_case")


@dataclass(frozen=True, slots=True)
class Moved:
    """A slide lies elsewhere, or its way there has come further."""

    slide_id: UUID


@dataclass(frozen=True, slots=True)
class CaseChanged:
    """Something of a case is not as it was."""

    case_id: UUID


Change = UUID | Moved | CaseChanged
"""An arrival's id, a slide on its way between tiers, or a case."""


class Feed:
    """Passes arrival notifications on to subscribers of the same establishment.

    A subscriber is told to start again (None) when it falls behind by more than a thousand
    changes, when notifications may have been lost, and when its session ended.
    """

    def __init__(self, database: Database, sessions: Sessions) -> None:
        self._database = database
        self._sessions = sessions
        self._subscribers: dict[asyncio.Queue[Change | None], Session] = {}
        self._told_of_slides: list[Callable[[UUID | None], None]] = []
        self._told_of_ends: list[Callable[[UUID | None], None]] = []

    def when_slide_gone(self, tell: Callable[[UUID | None], None]) -> None:
        """Call `tell` with the id of every slide that is destroyed or moved; None: any may be."""
        self._told_of_slides.append(tell)

    def when_slide_destroyed(self, tell: Callable[[UUID | None], None]) -> None:
        """Call `tell` with the id of every slide that is destroyed, after the others; None: any
        may have been, while nobody listened.
        """
        self._told_of_ends.append(tell)

    async def run(self) -> None:
        """Listen for ever; forget every remembered session when notifications may be lost."""
        while True:
            try:
                async for channel, payload in self._database.listen(*_CHANNELS):
                    self._dispatch(channel, payload)
            except (psycopg.Error, OSError) as error:
                _log.warning("lost the catalogue's notifications: %s", type(error).__name__)
            self._start_again()
            await asyncio.sleep(_RECONNECT_S)

    def _start_again(self) -> None:
        self._sessions.forget_all()
        self._slide_gone(None)
        for tell in self._told_of_ends:
            tell(None)
        for queue in self._subscribers:
            _restart(queue)

    def _dispatch(self, channel: str, payload: str) -> None:
        if channel == "sgi_arrival":
            establishment, arrival = (UUID(part) for part in payload.split())
            self._tell(establishment, arrival)
        elif channel == "sgi_session":
            self._end(UUID(payload))
        elif channel == "sgi_case":
            establishment, case = (UUID(part) for part in payload.split())
            self._tell(establishment, CaseChanged(case))
        elif channel in {"sgi_tier", "sgi_move"}:
            establishment, slide = (UUID(part) for part in payload.split())
            if channel == "sgi_tier":
                self._slide_gone(slide)
            self._tell(establishment, Moved(slide))
        elif channel == "sgi_slide_gone":
            self._slide_gone(UUID(payload))
            for tell in self._told_of_ends:
                tell(UUID(payload))
            for queue in self._subscribers:  # every list may have shown it
                _restart(queue)
        else:
            self._start_again()

    def _tell(self, establishment_id: UUID, change: Change) -> None:
        for queue, session in self._subscribers.items():
            if session.establishment_id == establishment_id:
                try:
                    queue.put_nowait(change)
                except asyncio.QueueFull:
                    _restart(queue)

    def _slide_gone(self, slide_id: UUID | None) -> None:
        for tell in self._told_of_slides:
            tell(slide_id)

    def _end(self, session_id: UUID) -> None:
        self._sessions.forget(session_id)
        for queue, session in self._subscribers.items():
            if session.id == session_id:
                _restart(queue)

    @contextlib.contextmanager
    def subscription(self, session: Session) -> Iterator[asyncio.Queue[Change | None]]:
        """What changes in the session's establishment; None: start again."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue(_QUEUE)
        self._subscribers[queue] = session
        try:
            yield queue
        finally:
            del self._subscribers[queue]


def _restart(queue: asyncio.Queue[Change | None]) -> None:
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)
