"""The warm object of a cold instance goes, once the packed copy is certain: it is the last then.

Everything is read before the row is locked. Whoever dies on the way has deleted the warm object,
or not; running again ends it.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sgi import recovery
from sgi.catalogue import integrity, slides, tiers
from sgi.domain.integrity import Damage, Finding, Place
from sgi.domain.slide import StoredInstance
from sgi.domain.tiers import ColdCopy
from sgi.errors import VerificationError
from sgi.jobs.checks import report_damage
from sgi.jobs.keeping import Keeping
from sgi.keeping.copies import Copies, Count
from sgi.stored.keys import cold_key, instance_key
from storage.errors import ObjectNotFoundError, StorageError, StoreRefusedError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_PAUSE = timedelta(days=1)
"""Until a copy that could not be proved is read again."""
_SHORT_PAUSE = timedelta(minutes=15)
"""The same of one that the store could not give now: the others have their turn first."""
_WARM_AGAIN = (
    "The cold copy was found wrong before the warm one was deleted; the warm one is right, and the "
    "level is warm again."
)
_NEITHER = (
    "The cold copy was found wrong before the warm one was deleted, and the warm one is wrong too; "
    "both stay."
)


def copies_of(
    keeping: Keeping, cold: ObjectStore, slide_id: UUID, count: Count = lambda _: None
) -> Copies:
    """Those of a slide."""
    return Copies(slide_id, keeping.stores.warm, cold, keeping.settings, keeping.cancelled, count)


@dataclass(frozen=True, slots=True)
class Reaping:
    """Deletes what restores do not need any more."""

    keeping: Keeping
    cold: ObjectStore

    async def reap(self, establishment_id: UUID, slide_id: UUID, sop_uid: str) -> None:
        """Delete the warm object of an instance whose packed copy is proved to be right.

        Where it is not, and the warm object is, the instance is warm again. Raises
        VerificationError where neither is certain: nothing is deleted, and the next look is put
        off; StoppedError, and the stores' errors.
        """
        async with self.keeping.database.transaction(establishment_id) as connection:
            slide = await slides.by_id(connection, slide_id)
            known = await tiers.lock_warm_left(connection, sop_uid)
            doubted = await tiers.cold_is_doubted(connection, slide_id, cold_key(slide_id, sop_uid))
        if slide is None or known is None:
            return
        instance = next(each for each in slide.instances if each.sop_uid == sop_uid)
        work = _Work(establishment_id, slide_id, instance, known, doubted)
        if not await asyncio.to_thread(self._is_warm_there, work):
            await self._delete(work, None)
            return
        copies = copies_of(self.keeping, self.cold, slide_id)
        try:
            proved = await asyncio.to_thread(copies.prove_cold, instance, known, doubted=doubted)
            warm_is_right = proved is None and await asyncio.to_thread(
                copies.warm_is_right, instance
            )
        except StoreRefusedError:  # it is doubted, and frozen
            await self._put_off(work, _PAUSE)
            raise
        except StorageError:
            await self._put_off(work, _SHORT_PAUSE)
            raise
        if proved is not None:
            await self._delete(work, proved)
        elif warm_is_right:
            await self._take_back(work, await asyncio.to_thread(self._damage_of, work))
        else:
            damage = await asyncio.to_thread(self._damage_of, work)
            async with self.keeping.database.transaction(establishment_id) as connection:
                finding = Finding(Place.COLD, work.cold_key, damage, _NEITHER)
                await report_damage(connection, establishment_id, slide_id, finding)
            await self._put_off(work, _PAUSE)
            raise VerificationError("The cold copy changed; the warm one stays.")

    def _is_warm_there(self, work: "_Work") -> bool:
        try:
            self.keeping.stores.warm.size(work.warm_key)
        except ObjectNotFoundError:
            return False
        return True

    async def _delete(self, work: "_Work", proved: ColdCopy | None) -> None:
        """Without a proof, only what is not there."""
        async with self.keeping.database.transaction(work.establishment_id) as connection:
            if await recovery.is_marked(connection):
                return
            # Whoever asks for a restore waits for this lock, and then relies on the cold copy.
            if await tiers.lock_warm_left(connection, work.instance.sop_uid) != work.known:
                return
            if proved is not None:
                now_doubted = await tiers.cold_is_doubted(connection, work.slide_id, work.cold_key)
                if now_doubted and not work.doubted:  # proved anew at the next round
                    return
                size_bytes = await asyncio.to_thread(self.cold.size, work.cold_key)
                if size_bytes != proved.size_bytes:
                    raise VerificationError("The cold copy changed; the warm one stays.")
                await asyncio.to_thread(self.keeping.stores.warm.delete, work.warm_key)
            await tiers.warm_is_gone(connection, work.instance.sop_uid, proved)

    def _damage_of(self, work: "_Work") -> Damage:
        try:
            self.cold.size(work.cold_key)
        except ObjectNotFoundError:
            return Damage.MISSING
        except StorageError:
            pass  # it was there a moment ago
        return Damage.BYTES

    async def _take_back(self, work: "_Work", damage: Damage) -> None:
        async with self.keeping.database.transaction(work.establishment_id) as connection:
            if await tiers.lock_warm_left(connection, work.instance.sop_uid) != work.known:
                return
            await integrity.bring_back(connection, work.instance.sop_uid)
            finding = Finding(Place.COLD, work.cold_key, damage, _WARM_AGAIN)
            await report_damage(connection, work.establishment_id, work.slide_id, finding)
        _log.warning("slide %s: a cold copy is damaged; the level is warm again", work.slide_id)

    async def _put_off(self, work: "_Work", pause: timedelta) -> None:
        async with self.keeping.database.transaction(work.establishment_id) as connection:
            await tiers.put_off_deleting(connection, work.instance.sop_uid, pause)


@dataclass(frozen=True, slots=True)
class _Work:
    """One warm object that is to go, as the catalogue had it before everything was read."""

    establishment_id: UUID
    slide_id: UUID
    instance: StoredInstance
    known: ColdCopy
    doubted: bool

    @property
    def warm_key(self) -> str:
        return instance_key(self.slide_id, self.instance.sop_uid)

    @property
    def cold_key(self) -> str:
        return cold_key(self.slide_id, self.instance.sop_uid)
