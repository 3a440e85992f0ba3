"""How far a round has come with a slide, so that the next one goes on where this one was."""

import math
import time
from collections.abc import Collection
from uuid import UUID

from sgi.domain.integrity import Place
from sgi.integrity.expected import Known
from sgi.integrity.look import Seen, Whole, look
from sgi.integrity.pace import Pace
from storage.store import ObjectStore

_KEPT_S = 3600.0
"""What was seen longer ago is looked at again."""


class RoundOverError(Exception):
    """The round's time is over; the slide is gone on with in the next one."""


class Progress:
    """What was seen of one slide, over as many rounds as it takes; for one thread at a time.

    A round ends between two objects, and never before it has done one.
    """

    def __init__(self) -> None:
        self.turn: UUID | None = None
        """The establishment whose slide was worked at last."""
        self._deadline = math.inf
        self._is_begun = False
        self._slide: Known | None = None
        self._seen_at = -math.inf
        self._seen: dict[tuple[Place, str], Seen] = {}

    def begin_round(self, deadline: float = math.inf) -> None:
        """It ends at `deadline`, by the monotonic clock."""
        self._deadline = deadline
        self._is_begun = False

    def in_turn(self, establishments: list[UUID]) -> list[UUID]:
        """First the one whose slide is not done with, or else the one after it."""
        if self.turn not in establishments:
            return establishments
        at = establishments.index(self.turn) + (self._slide is None)
        return establishments[at:] + establishments[:at]

    def begin(self, slide: Known) -> None:
        """Work at this slide: what was seen of another, or of it as it was, counts no more."""
        if slide != self._slide or time.monotonic() - self._seen_at > _KEPT_S:
            self.forget()
        self._slide = slide

    def forget(self) -> None:
        """The slide is done with, or is no longer what it was."""
        self._slide = None
        self._seen.clear()

    def seen(self, place: Place, key: str) -> Seen | None:
        """What the object was in this or an earlier round; None for one that is still to be done.

        Raises RoundOverError where there is no time left for that.
        """
        found = self._seen.get((place, key))
        if found is None:
            if self._is_begun and time.monotonic() > self._deadline:
                raise RoundOverError
            self._is_begun = True
        return found

    def keep(self, place: Place, key: str, seen: Seen) -> None:
        """The object is done."""
        self._seen[place, key] = seen
        self._seen_at = time.monotonic()

    def look(
        self, place: Place, store: ObjectStore, key: str, wanted: Collection[Whole], pace: Pace
    ) -> Seen:
        """As `look.look`, or what it gave in an earlier round."""
        seen = self.seen(place, key)
        if seen is None:
            seen = look(store, key, wanted, pace)
            self.keep(place, key, seen)
        return seen
