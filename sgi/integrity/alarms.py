"""The bell that readers ring: bytes that were not what was written, and were not shown."""

import asyncio
import logging
import time
from collections import OrderedDict
from uuid import UUID

import psycopg
import psycopg_pool

from sgi.catalogue import integrity
from sgi.catalogue.database import Database
from sgi.domain.integrity import Damage, Finding, Place
from sgi.jobs.checks import report_damage
from sgi.stored.keys import instance_key

_log = logging.getLogger(__name__)
_QUIET_S = 300.0
"""The same instance rings once in this time: its tiles are asked for by the hundred."""
_REMEMBERED = 10_000
_WAITING = 100


class Alarms:
    """Makes an incident of what a reader noticed, and has the slide verified at once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rung: OrderedDict[tuple[Place, str], float] = OrderedDict()
        self._ringing: set[asyncio.Task[None]] = set()

    def on_damage(
        self,
        slide_id: UUID,
        sop_uid: str,
        frame_index: int | None = None,
        place: Place = Place.WARM,
    ) -> None:
        """A frame (None: some of the instance, or its frames' hashes) is not what was written.

        Called in the event loop; returns at once, and never raises.
        """
        what = "The instance" if frame_index is None else f"Frame {frame_index + 1}"
        self._notice(slide_id, instance_key(slide_id, sop_uid), what, place)

    def on_object(self, slide_id: UUID, key: str) -> None:
        """An object beside the instances is not what was written; as `on_damage`."""
        self._notice(slide_id, key, "The object", Place.WARM)

    async def settled(self) -> None:
        """Every alarm that was rung is on record, or was given up."""
        while self._ringing:
            await asyncio.gather(*self._ringing)

    def _notice(self, slide_id: UUID, key: str, what: str, place: Place) -> None:
        now = time.monotonic()
        rung = (place, key)
        if now - self._rung.get(rung, -_QUIET_S) < _QUIET_S or len(self._ringing) >= _WAITING:
            return
        self._rung[rung] = now
        self._rung.move_to_end(rung)
        if len(self._rung) > _REMEMBERED:
            self._rung.popitem(last=False)
        detail = f"{what} is not what was written; nothing wrong was shown."
        finding = Finding(place, key, Damage.BYTES, detail)
        task = asyncio.get_running_loop().create_task(self._ring(slide_id, finding))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def _ring(self, slide_id: UUID, finding: Finding) -> None:
        try:
            await self._record(slide_id, finding)
        except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
            self._rung.pop((finding.place, finding.key), None)  # the next read rings again
            _log.error("an alarm is not on record: %s", type(error).__name__)

    async def _record(self, slide_id: UUID, finding: Finding) -> None:
        async with self._database.anonymous() as connection:
            establishment_id = await integrity.establishment_of(connection, slide_id)
        if establishment_id is None:  # destroyed meanwhile
            return
        async with self._database.transaction(establishment_id) as connection:
            await report_damage(connection, establishment_id, slide_id, finding)
