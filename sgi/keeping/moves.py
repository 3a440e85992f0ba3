"""One slide from tier to tier: copy, prove, one short transaction; the old copy goes later.

Whoever dies on the way leaves a slide that is read as before, or as after; running again ends it.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Self
from uuid import UUID

from sgi import recovery
from sgi.catalogue import audit, slides, tiers
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection
from sgi.domain.failures import UNEXPECTED
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.tiers import MoveState, TierMove, cold_levels, levels_to_cool
from sgi.errors import ConfigurationError, StoppedError, VerificationError
from sgi.jobs.checks import is_to_be_checked
from sgi.jobs.decisions import Decision, pause_before, verdict_on
from sgi.jobs.keeping import Keeping
from sgi.jobs.retention import defer_protection
from sgi.keeping.copies import DAMAGED, Copies, Count
from sgi.keeping.damage import Alarm
from sgi.keeping.reaping import Reaping, copies_of
from sgi.keeping.thawing import Thawing
from sgi.stored.keys import cold_key, instance_key
from storage.errors import ObjectNotFoundError, StorageError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_TELL_EVERY_S = 1.0
GRACE = timedelta(seconds=60)
"""Between a slide's becoming cold and the end of its warm objects: until then, whoever has not
heard of it yet still reads them."""


@dataclass(frozen=True, slots=True)
class Moves:
    """Works at the moves of all establishments."""

    keeping: Keeping

    async def work(self, establishment_id: UUID, move_id: UUID) -> None:
        """Take one move as far as it goes; what stops it becomes its reason.

        None in a database that came back from an earlier moment: it is given a job anew once that
        has heard where everything lies.
        """
        async with self.keeping.database.transaction(establishment_id) as connection:
            if await recovery.is_marked(connection):
                return
            move = await tiers.begin(connection, move_id)
            slide = None if move is None else await slides.by_id(connection, move.slide_id)
            if move is None:
                await self._look_for_what_is_left(connection, move_id)
        if move is None or slide is None:
            return
        try:
            if move.target is Tier.COLD:
                await self._cool(slide, move)
            else:
                await self._restore(slide, move)
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - one table decides about every error
            await self._stop(slide, move, error)

    async def reap(self, establishment_id: UUID, slide_id: UUID, sop_uid: str) -> None:
        """Delete the warm object of a cold instance; see `Reaping`."""
        await Reaping(self.keeping, self._cold).reap(establishment_id, slide_id, sop_uid)

    @property
    def _cold(self) -> ObjectStore:
        if self.keeping.stores.cold is None:
            raise ConfigurationError("No cold store is set: set SGI_STORAGE__COLD__BUCKET.")
        return self.keeping.stores.cold

    async def _cool(self, slide: Slide, move: TierMove) -> None:
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            rules = await tiers.policy(connection)
            known = await tiers.cold_copies(connection, slide.id)
            levels = levels_to_cool(slide, rules.warm_side)
            doubted = {
                each.sop_uid
                for each in levels
                if await tiers.cold_is_doubted(
                    connection, slide.id, cold_key(slide.id, each.sop_uid)
                )
            }
        async with _Telling(self.keeping, slide, move, levels) as telling:
            is_ours = self._is_ours(slide, move)
            copies = replace(self._copies(slide, telling.worked), is_ours=is_ours)
            for level in levels:
                uid = level.sop_uid
                try:
                    copy = await asyncio.to_thread(
                        copies.make_cold, level, known.get(uid), doubted=uid in doubted
                    )
                except DAMAGED as error:
                    await Alarm(self.keeping, slide, move.attempts == 0).warm(level, copies, error)
                    raise
                async with self.keeping.database.transaction(slide.establishment_id) as connection:
                    taken = await tiers.set_cold(connection, move.id, level.sop_uid, copy)
                if not taken:
                    await self._forget(slide, self._cold, cold_key(slide.id, level.sop_uid))
                    return
        await self._end(slide, move, Action.MAKE_COLD)

    def _is_ours(self, slide: Slide, move: TierMove) -> Callable[[str], bool]:
        """For the thread that writes: whether nobody has taken the move over and gone on."""
        loop = asyncio.get_running_loop()

        async def look(sop_uid: str) -> bool:
            async with self.keeping.database.transaction(slide.establishment_id) as connection:
                return await tiers.is_to_be_cold(connection, move.id, sop_uid)

        return lambda sop_uid: asyncio.run_coroutine_threadsafe(look(sop_uid), loop).result(60)

    async def _restore(self, slide: Slide, move: TierMove) -> None:
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            await tiers.set_restoring(connection, slide.id)
        levels = await self._take_what_is_warm(slide, move)
        alarm = Alarm(self.keeping, slide, move.attempts == 0)
        try:
            if await Thawing(self.keeping, self._cold).puts_off(slide, move, levels):
                return
        except DAMAGED:  # the archive does not know one of them
            await alarm.somewhere()
            raise
        async with _Telling(self.keeping, slide, move, levels) as telling:
            copies = self._copies(slide, telling.worked)
            for level in levels:
                try:
                    await asyncio.to_thread(copies.make_warm, level)
                except DAMAGED as error:
                    await alarm.cold(level, error)
                    raise
                await asyncio.to_thread(copies.prove_warm, level)
                key = instance_key(slide.id, level.sop_uid)
                async with self.keeping.database.transaction(slide.establishment_id) as connection:
                    taken = await tiers.set_warm(connection, move.id, level.sop_uid)
                    if not taken:  # called off, and looked for before this was written
                        await tiers.warm_may_be_left(connection, slide.id)
                    elif await asyncio.to_thread(self.keeping.stores.warm.size, key) != (
                        level.size_bytes
                    ):
                        raise VerificationError("The restored object is not what was written.")
                if not taken:
                    await self._forget(slide, self.keeping.stores.warm, key)
                    return
        await self._end(slide, move, Action.RESTORE_SLIDE)

    async def _take_what_is_warm(self, slide: Slide, move: TierMove) -> list[StoredInstance]:
        """What was not deleted yet needs no restore; returns the other cold levels."""
        copies = self._copies(slide)
        left = []
        # Small ones first: they are there sooner.
        for level in reversed(cold_levels(slide)):
            try:
                is_right = await asyncio.to_thread(copies.warm_is_right, level)
            except StorageError:  # what cannot be read is written anew from the cold copy
                is_right = False
            if is_right:
                async with self.keeping.database.transaction(slide.establishment_id) as connection:
                    await tiers.set_warm(connection, move.id, level.sop_uid)
            else:
                left.append(level)
        return left

    async def _look_for_what_is_left(self, connection: Connection, move_id: UUID) -> None:
        """Whoever worked at a restore that was called off may have been killed."""
        over = await tiers.move(connection, move_id)
        if over is not None and over.target is Tier.WARM:
            await tiers.warm_may_be_left(connection, over.slide_id)

    def _copies(self, slide: Slide, count: Count = lambda _: None) -> Copies:
        return copies_of(self.keeping, self._cold, slide.id, count)

    async def _forget(self, slide: Slide, store: ObjectStore, key: str) -> None:
        """Leave nothing of a slide that was destroyed meanwhile."""
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            if await slides.by_id(connection, slide.id) is None:
                with suppress(ObjectNotFoundError):
                    await asyncio.to_thread(store.delete, key)

    async def _end(self, slide: Slide, move: TierMove, action: Action) -> None:
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            if await tiers.end(connection, move.id, MoveState.DONE):
                await audit.record(connection, slide.establishment_id, SYSTEM, action, slide.id)
                # A legal hold is upon every object of the slide, wherever it lies.
                await defer_protection(connection, slide.establishment_id, slide.id)
        _log.info("slide %s: %s", slide.id, action)

    async def _stop(self, slide: Slide, move: TierMove, error: Exception) -> None:
        verdict = verdict_on(error)
        attempt = move.attempts + 1
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            may_be_repaired = isinstance(error, DAMAGED) and await is_to_be_checked(
                connection, slide.id
            )
        again = may_be_repaired or (
            verdict.decision is Decision.RETRY
            and (verdict.attempts is None or attempt < verdict.attempts)
        )
        _log.warning("move %s: %s, %s", move.id, type(error).__name__, "again" if again else "end")
        known = type(error).__module__.split(".")[0] in {"storage", "dicom", "sgi"}
        reason = str(error) if known else UNEXPECTED
        if not known:
            _log.error("move %s failed", move.id, exc_info=error)
        async with self.keeping.database.transaction(slide.establishment_id) as connection:
            if again:
                pause = pause_before(attempt)
                await tiers.wait(connection, move.id, reason, pause, verdict.reason)
            elif await tiers.end(connection, move.id, MoveState.FAILED, reason, verdict.reason):
                await tiers.give_up_restoring(connection, slide.id)
                action = Action.MAKE_COLD if move.target is Tier.COLD else Action.RESTORE_SLIDE
                await audit.record(
                    connection, slide.establishment_id, SYSTEM, action, slide.id, "failure"
                )


class _Telling:
    """Writes progress, counted in worker threads, into the move's row once a second."""

    def __init__(
        self, keeping: Keeping, slide: Slide, move: TierMove, levels: Sequence[StoredInstance]
    ) -> None:
        self._keeping = keeping
        self._slide = slide
        self._move = move
        # Everything is read to be written, and read again to be proved.
        self._all_bytes = max(1, 2 * sum(level.size_bytes for level in levels))
        self._done_bytes = 0
        self._task: asyncio.Task[None] | None = None

    def worked(self, size_bytes: int) -> None:
        """So many bytes more."""
        self._done_bytes += size_bytes

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._tell())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tell(self) -> None:
        told = 0.0
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            progress = min(0.99, self._done_bytes / self._all_bytes)
            if progress - told >= 0.005:
                told = progress
                establishment_id = self._slide.establishment_id
                async with self._keeping.database.transaction(establishment_id) as connection:
                    await tiers.advance(connection, self._move.id, progress)
