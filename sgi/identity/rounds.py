"""Slides that are due, told anew some at a time; what cannot be told now is left for a while."""

import logging
import time
from uuid import UUID

import psycopg

from sgi.catalogue import accounts, identities
from sgi.catalogue.identities import Due
from sgi.errors import ConflictError
from sgi.identity.revising import Reviser
from sgi.jobs.keeping import Keeping

_log = logging.getLogger(__name__)
_AT_ONCE = 50
_ROUND_S = 45.0
_TRY_AGAIN_S = 60.0


class Round:
    """What the job does: every slide that is due, some at a time."""

    def __init__(self, keeping: Keeping) -> None:
        self._keeping = keeping
        self._reviser = Reviser(keeping.database, keeping.stores)
        self._left_alone: dict[UUID, float] = {}
        """Until when, by the monotonic clock, a slide that could not be told is not tried."""

    async def run(self, round_s: float = _ROUND_S) -> int:
        """How many slides have a new revision."""
        now = time.monotonic()
        self._left_alone = {each: at for each, at in self._left_alone.items() if at > now}
        deadline = now + round_s
        async with self._keeping.database.anonymous() as connection:
            waiting = [each for each, _ in await accounts.establishments(connection)]
        done = 0
        while waiting:
            for establishment_id in tuple(waiting):
                async with self._keeping.database.transaction(establishment_id) as connection:
                    found = await identities.due(connection, _AT_ONCE, list(self._left_alone))
                if not found:
                    waiting.remove(establishment_id)
                for due in found:
                    if time.monotonic() > deadline or self._keeping.cancelled.is_set():
                        return done
                    done += await self._revise(establishment_id, due)
        return done

    async def _revise(self, establishment_id: UUID, due: Due) -> bool:
        try:
            return await self._reviser.revise(establishment_id, due)
        except psycopg.OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever one slide does, others have their turn
            _log.warning("slide %s is told later: %s", due.slide_id, type(error).__name__)
            pause_s = 0.5 if isinstance(error, ConflictError) else _TRY_AGAIN_S
            self._left_alone[due.slide_id] = time.monotonic() + pause_s
            return False
