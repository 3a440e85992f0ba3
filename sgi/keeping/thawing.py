"""A restore from an archive: asked for, put off until it is thawed, and then as any other.

No worker waits: the move's row says when to look again, and whoever tends the tiers gives it a job
then. Whoever dies on the way has asked for nothing that is not asked for again, as one request.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sgi.catalogue import tiers
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tiers import MoveState, TierMove
from sgi.jobs.keeping import Keeping
from sgi.settings import ColdSettings
from sgi.stored.keys import cold_key
from storage.store import ObjectStore
from storage.thaw import Thaw, Thawable, ThawState, thawable

_LOOKS = 12
"""Between asking and the moment from which it is late."""
_SHORTEST_PAUSE = timedelta(minutes=1)
_LONGEST_PAUSE = timedelta(minutes=30)
_LEAST_LEFT = timedelta(hours=12)
"""What freezes again sooner is asked for anew: the restore itself takes its time."""


@dataclass(frozen=True, slots=True)
class Thawing:
    """Asks the archive behind the cold store for what restores need."""

    keeping: Keeping
    cold: ObjectStore

    async def puts_off(
        self, slide: Slide, move: TierMove, levels: Sequence[StoredInstance]
    ) -> bool:
        """Ask for every level that cannot be read; True when the move goes on later.

        Raises the store's errors.
        """
        archive = thawable(self.cold)
        if archive is None:
            return False
        keys = [cold_key(slide.id, level.sop_uid) for level in levels]
        asked, all_readable = await asyncio.to_thread(self._ask, archive, keys)
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            if all_readable:
                if move.state is MoveState.THAWING:
                    await tiers.thawed(connection, move.id)
            else:
                since = None if asked else move.archive_asked_at
                await tiers.thawing(
                    connection, move.id, since or datetime.now(UTC), self._takes, self._pause
                )
        return not all_readable

    def _ask(self, archive: Thawable, keys: Sequence[str]) -> tuple[bool, bool]:
        """Whether something new was asked for, and whether everything can be read. Blocking."""
        asked, all_readable = False, True
        for key in keys:
            state = archive.state(key)
            if state.thaw is Thaw.FROZEN or _is_short(state):
                archive.thaw(key, self._settings.thaw_days)
            asked |= state.thaw is Thaw.FROZEN
            all_readable &= state.is_readable
        return asked, all_readable

    @property
    def _settings(self) -> ColdSettings:
        return self.keeping.settings.storage.cold or ColdSettings()

    @property
    def _takes(self) -> timedelta:
        return timedelta(hours=self._settings.restore_hours)

    @property
    def _pause(self) -> timedelta:
        return min(max(self._takes / _LOOKS, _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _is_short(state: ThawState) -> bool:
    return state.until is not None and state.until - datetime.now(UTC) < _LEAST_LEFT
