"""One arrival from the queue to a published slide: every step can be run again."""

import asyncio
import errno
import hashlib
import itertools
import logging
import os
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from dicom.manifest import InstanceRecord
from sgi.catalogue import arrivals, audit, integrity, quality, slides
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Database
from sgi.domain.arrival import Arrival, ArrivalState, Reason
from sgi.domain.integrity import SideObject
from sgi.domain.slide import Slide, scene_slide_id
from sgi.errors import ChangedError, DiskFullError, VanishedError, VerificationError
from sgi.ingest.children import Children
from sgi.ingest.convert import convert_and_upload
from sgi.ingest.gather import Candidate, candidate_at, is_as_found
from sgi.ingest.identify import identify, readers_of
from sgi.ingest.manifests import stored_slides
from sgi.ingest.receiver import Conversion
from sgi.ingest.release import release
from sgi.ingest.verify import ReadHeader, Verification
from sgi.jobs.decisions import Decision, pause_before, verdict_on
from sgi.jobs.queue import defer_processing
from sgi.keeping.headers import Headers
from sgi.keeping.records import Records
from sgi.settings import Settings
from sgi.stored.keys import (
    MANIFEST,
    frame_hashes_key,
    heat_map_key,
    instance_key,
    manifest_key,
    slide_folder,
)
from sgi.stored.slide import StoredSlide
from sgi.stores import Stores
from storage.errors import StorageError
from storage.store import OCTETS, ObjectStore

_log = logging.getLogger(__name__)
_TELL_EVERY_S = 0.25
_CONVERTED = 0.8
"""Share of the progress bar that conversion takes; verification takes the rest."""

STATES = {
    Decision.RETRY: ArrivalState.RETRYING,
    Decision.HOLD: ArrivalState.HELD,
    Decision.QUARANTINE: ArrivalState.QUARANTINED,
    Decision.WATCH: ArrivalState.WAITING,
    Decision.END: ArrivalState.VANISHED,
}


@dataclass(frozen=True, slots=True)
class Ingest:
    """What processing works with."""

    settings: Settings
    database: Database
    store: ObjectStore
    cancelled: threading.Event
    children: Children = field(default_factory=Children)

    async def process(self, establishment_id: UUID, arrival_id: UUID) -> None:
        """Take one arrival as far as it goes; what stops it becomes its state and reason."""
        async with self.database.transaction(establishment_id) as connection:
            arrival = await arrivals.by_id(connection, arrival_id)
            if arrival is None or not await arrivals.advance(
                connection, arrival_id, ArrivalState.CONVERTING, 0.0
            ):
                return
        began = time.monotonic()
        try:
            published = await self._publish(arrival)
        except Exception as error:  # noqa: BLE001 - one table decides about every error
            await self._stop(arrival, error)
            return
        _log.info("arrival %s published in %.1f s", arrival.id, time.monotonic() - began)
        await self.release(establishment_id, arrival_id)
        for slide in published:
            await self._put_on_record(slide)
            await self._identify(slide)

    async def _publish(self, arrival: Arrival) -> list[Slide]:
        """The slides that are published now; none where another job was first."""
        candidate = await asyncio.to_thread(_unchanged, arrival)
        async with self.database.transaction(arrival.establishment_id) as connection:
            limits = await quality.limits(connection)
        telling = _Telling(self.database, arrival)
        with Verification(self.store) as verification:
            async with telling:
                conversion = await asyncio.to_thread(
                    convert_and_upload,
                    arrival.source_path,
                    arrival.slide_id,
                    self.store,
                    self.settings.work,
                    self.settings.ingest,
                    telling.converting,
                    self.cancelled,
                    arrival.seen_at,
                    limits,
                    self.children,
                    verification.begin,
                )
                # What was read must be what was hashed: else the slide is of another file.
                await asyncio.to_thread(_unchanged, arrival)
                await asyncio.to_thread(self._store_besides, arrival.slide_id, conversion)
                telling.stored(conversion)
                headers = await asyncio.to_thread(verification.finish, telling.verifying)
        _require_headers(arrival.slide_id, conversion, headers)
        stored = await self._stored_slides(arrival, candidate, conversion)
        manifests = await asyncio.to_thread(self._store_manifests, stored)
        async with self.database.transaction(arrival.establishment_id) as connection:
            if not await arrivals.mark_published(connection, arrival.id, stored[0].written_at):
                return []
            for slide, manifest in zip(stored, manifests, strict=True):
                await slides.add(connection, slide.slide())
                await integrity.set_side_objects(
                    connection,
                    slide.slide(),
                    [manifest, *(SideObject(**each.model_dump()) for each in slide.objects)],
                )
                await audit.record(
                    connection,
                    arrival.establishment_id,
                    SYSTEM,
                    Action.PUBLISH_SLIDE,
                    slide.slide().id,
                )
        return [slide.slide() for slide in stored]

    async def _put_on_record(self, slide: Slide) -> None:
        """Have DICOMweb searches find it at once; the keeping queue finds what fails here."""
        try:
            await Records(self.database, Headers(Stores(self.store))).put(slide)
        except Exception as error:  # noqa: BLE001 - the slide is published, whatever comes
            _log.warning("headers of %s not on record: %s", slide.id, type(error).__name__)

    async def _identify(self, slide: Slide) -> None:
        """Compare its label with the laboratory's glasses; a job looks again at what fails here."""
        try:
            await identify(self.database, slide, readers_of(self.settings, slide))
        except Exception as error:  # noqa: BLE001 - the slide is published, whatever comes
            _log.warning("slide %s not identified: %s", slide.id, type(error).__name__)

    def _store_besides(self, slide_id: UUID, conversion: Conversion) -> None:
        for number, scene in enumerate(conversion.scenes):
            if scene.heat_map is not None:
                key = heat_map_key(scene_slide_id(slide_id, number))
                self._put(key, scene.heat_map, "image/png")
        for scene_id, uid, _ in _instances(slide_id, conversion):
            self._put(frame_hashes_key(scene_id, uid), conversion.frame_hashes[uid])

    def _store_manifests(self, stored: Sequence[StoredSlide]) -> list[SideObject]:
        """What each of them must be from now on."""
        written = []
        for slide in stored:
            data = slide.model_dump_json(indent=1).encode()
            self._put(manifest_key(slide.slide().id), data, "application/json")
            written.append(SideObject(MANIFEST, len(data), hashlib.sha256(data).hexdigest()))
        return written

    def _put(self, key: str, data: bytes, media_type: str = OCTETS) -> None:
        """Store a small object and prove it."""
        self.store.put(key, data, content_type=media_type)
        if self.store.read(key) != data:
            raise VerificationError("The stored object is not what was written.")

    async def _stored_slides(
        self, arrival: Arrival, candidate: Candidate, conversion: Conversion
    ) -> list[StoredSlide]:
        async with self.database.transaction(arrival.establishment_id) as connection:
            cursor = await connection.execute("select name, created_at from establishment")
            row = await cursor.fetchone()
        name, created_at = (row["name"], row["created_at"]) if row else ("", None)
        return stored_slides(arrival, candidate, conversion, name, created_at)

    async def release(self, establishment_id: UUID, arrival_id: UUID) -> None:
        """Let the original of a published (or duplicate) arrival go, and say so in its row."""
        async with self.database.transaction(establishment_id) as connection:
            arrival = await arrivals.by_id(connection, arrival_id)
        if arrival is None or arrival.released:
            return
        if arrival.state not in {ArrivalState.PUBLISHED, ArrivalState.DUPLICATE}:
            return
        try:
            await asyncio.to_thread(self._let_go, arrival)
        except OSError as error:  # tried again by the reconciler
            _log.warning("original of %s not released: %s", arrival.id, type(error).__name__)
            return
        async with self.database.transaction(establishment_id) as connection:
            await arrivals.mark_released(connection, arrival_id)

    def _let_go(self, arrival: Arrival) -> None:
        # As listed when they were hashed: after a first run that was cut short, the folder does
        # not tell any more. What is gone was moved; what changed is another file, not ours.
        paths = [
            part.path
            for part in arrival.parts
            if is_as_found(part) or not os.path.lexists(part.path)
        ]
        drop = self.settings.drop.resolve()
        release(paths, drop, arrival.id, self.settings.ingest.originals)

    async def _stop(self, arrival: Arrival, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            error = DiskFullError("The disk of the server is full; free some space.")
        verdict = verdict_on(error)
        decision = verdict.decision
        attempt = arrival.attempts + 1
        if decision is Decision.RETRY and verdict.attempts and attempt >= verdict.attempts:
            decision = Decision.HOLD
        known = type(error).__module__.split(".")[0] in {"tiling", "sgi"}
        reason = Reason(verdict.reason, str(error) if known else None)
        _log.warning("arrival %s: %s (%s)", arrival.id, decision, type(error).__name__)
        if verdict.reason == "internal":  # the way there, but not its words: they may name a file
            _log.error("%s", "".join(traceback.format_tb(error.__traceback__)))
        async with self.database.transaction(arrival.establishment_id) as connection:
            stopped = await arrivals.stop(connection, arrival.id, STATES[decision], reason)
            if decision is Decision.RETRY:
                await defer_processing(
                    connection, arrival.establishment_id, arrival.id, pause_before(attempt)
                )
            elif stopped:
                # Within the transaction: its lock keeps another job from publishing meanwhile.
                await asyncio.to_thread(self._discard, arrival)

    def _discard(self, arrival: Arrival) -> None:
        """Delete what was uploaded for a slide that will not be; what cannot be is left."""
        try:
            for scene in itertools.count():
                folder = slide_folder(scene_slide_id(arrival.slide_id, scene))
                found = list(self.store.list(folder))
                if not found:
                    return
                for uploaded in found:
                    self.store.delete(uploaded.key)
        except StorageError as error:
            _log.warning("uploads of %s not deleted: %s", arrival.id, type(error).__name__)


def _instances(
    slide_id: UUID, conversion: Conversion
) -> Iterator[tuple[UUID, str, InstanceRecord]]:
    """Every instance of every scene: its slide's id, its UID and what is known of it."""
    for number, scene in enumerate(conversion.scenes):
        for record in scene.manifest.instances:
            yield scene_slide_id(slide_id, number), record.sop_instance_uid, record


def _require_headers(
    slide_id: UUID, conversion: Conversion, headers: Mapping[str, ReadHeader]
) -> None:
    """Whose slide it is, is proved for as long as it is kept by what is written here of headers."""
    for scene_id, uid, record in _instances(slide_id, conversion):
        header = headers.get(instance_key(scene_id, uid))
        said = (record.header_bytes, record.header_sha256)
        if header is None or said != (header.size_bytes, header.sha256):
            raise VerificationError("The header of a stored instance is not what was written.")


def _unchanged(arrival: Arrival) -> Candidate:
    """The files of an arrival, exactly as they were when it was hashed.

    Raises VanishedError or ChangedError.
    """
    candidate = candidate_at(Path(arrival.source_path))
    if candidate is None:
        raise VanishedError("The file went away before it was taken in; drop it again.")
    if candidate.fingerprint != arrival.fingerprint:
        raise ChangedError("The file changed while it was being read; it is taken again.")
    return candidate


class _Telling:
    """Writes progress, told from a worker thread, into the arrival's row a few times a second."""

    def __init__(self, database: Database, arrival: Arrival) -> None:
        self._database = database
        self._arrival = arrival
        self._state = ArrivalState.CONVERTING
        self._progress = 0.0
        self._stored_bytes = 1
        self._task: asyncio.Task[None] | None = None

    def converting(self, share: float) -> None:
        """Share of the conversion, 0 to 1."""
        self._progress = _CONVERTED * share

    def stored(self, conversion: Conversion) -> None:
        """All that is to be verified is there."""
        records = (record for scene in conversion.scenes for record in scene.manifest.instances)
        self._stored_bytes = sum(record.size_bytes for record in records)

    def verifying(self, compared_bytes: int) -> None:
        """So many bytes have been read back and compared."""
        self._state = ArrivalState.VERIFYING
        share = compared_bytes / self._stored_bytes
        self._progress = _CONVERTED + (1 - _CONVERTED) * min(share, 1.0)

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._tell())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _tell(self) -> None:
        told = (ArrivalState.CONVERTING, 0.0)
        while True:
            await asyncio.sleep(_TELL_EVERY_S)
            now = (self._state, round(self._progress, 3))
            if now != told:
                async with self._database.transaction(self._arrival.establishment_id) as connection:
                    await arrivals.advance(connection, self._arrival.id, *now)
                told = now
