"""Damage that a move between tiers comes across: told at once, and looked at by a verification.

That one repairs from the second copy, and the move is tried again after it.
"""

import asyncio
from dataclasses import dataclass

from sgi.domain.integrity import Damage, Finding, Place
from sgi.domain.slide import Slide, StoredInstance
from sgi.jobs.checks import defer_check, report_damage
from sgi.jobs.keeping import Keeping
from sgi.keeping.copies import Copies
from sgi.stored.keys import cold_key, instance_key
from storage.errors import ObjectNotFoundError, StorageError

_DETAIL = "A move between tiers found that it is not what was written; nothing wrong was shown."


@dataclass(frozen=True, slots=True)
class Alarm:
    """Of one slide's moves."""

    keeping: Keeping
    slide: Slide
    is_first: bool
    """Whether the move is tried for the first time: one look at the whole slide is enough."""

    async def cold(self, level: StoredInstance, error: Exception) -> None:
        """A level could not be restored of its packed copy."""
        await self._tell(Place.COLD, cold_key(self.slide.id, level.sop_uid), error)

    async def warm(self, level: StoredInstance, copies: Copies, error: Exception) -> None:
        """A cold copy could not be made: of a warm object that is damaged, or of one that is not,
        and then it is for the verification to say what else is.
        """
        try:
            is_right = await asyncio.to_thread(copies.warm_is_right, level)
        except StorageError:
            is_right = True  # nobody knows
        if not is_right:
            await self._tell(Place.WARM, instance_key(self.slide.id, level.sop_uid), error)
        else:
            await self.somewhere()

    async def somewhere(self) -> None:
        """The verification is to say what is damaged."""
        if not self.is_first:
            return
        async with self.keeping.database.transaction(self.slide.establishment_id) as connection:
            await defer_check(connection, self.slide.establishment_id, self.slide.id)

    async def _tell(self, place: Place, key: str, error: Exception) -> None:
        is_missing = isinstance(error, ObjectNotFoundError)
        finding = Finding(place, key, Damage.MISSING if is_missing else Damage.BYTES, _DETAIL)
        async with self.keeping.database.transaction(self.slide.establishment_id) as connection:
            await report_damage(connection, self.slide.establishment_id, self.slide.id, finding)
