"""One slide, wherever it lies: examined, told of, repaired, and proved again in the same pass."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sgi.catalogue import audit, incidents, integrity, slides, tiers
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection, Database
from sgi.domain.integrity import (
    Damage,
    Finding,
    FoundBy,
    Incident,
    IncidentState,
    Place,
    Scrubbed,
    SideObject,
)
from sgi.integrity.cold import examine_cold
from sgi.integrity.examine import Examined, examine
from sgi.integrity.expected import Known, Manifest, says_the_same
from sgi.integrity.mend import Mending, set_aside, uid_of_cold
from sgi.integrity.pace import Pace
from sgi.integrity.packed import Unpacking
from sgi.integrity.progress import Progress
from sgi.jobs.retention import protect_again
from sgi.settings import KeepingSettings
from sgi.stored.keys import MANIFEST, manifest_key
from sgi.stores import Stores
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of verifying a slide."""

    slide_id: UUID
    findings: Sequence[Finding] = ()
    repaired: Sequence[Finding] = ()
    """Those of the findings that are put right, and proved."""
    read: Scrubbed = field(default_factory=Scrubbed)
    away: StorageError | None = None
    """Of a store that did not answer: what lies there is not verified."""

    young: int = 0
    """Objects that nobody knows, and that are too young to be judged."""

    @property
    def left(self) -> list[Finding]:
        """What is still wrong."""
        return [finding for finding in self.findings if finding not in self.repaired]


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies slides; `repair` False only looks and tells."""

    database: Database
    stores: Stores
    pace: Pace
    repair: bool = True
    keeping: KeepingSettings = field(default_factory=KeepingSettings)
    """Of the process that unpacks what is cold."""

    @property
    def unpacking(self) -> Unpacking | None:
        """None without a cold store."""
        cold = self.stores.cold
        return None if cold is None else Unpacking(cold, self.pace, self.keeping)

    async def verify(
        self, establishment_id: UUID, slide_id: UUID, progress: Progress | None = None
    ) -> Verified | None:
        """As `verify_what_answers`, but raises the error of a store that does not."""
        verified = await self.verify_what_answers(establishment_id, slide_id, progress)
        if verified is not None and verified.away is not None:
            raise verified.away
        return verified

    async def verify_what_answers(
        self, establishment_id: UUID, slide_id: UUID, progress: Progress | None = None
    ) -> Verified | None:
        """Read every object of a slide again; None when there is no such slide (any more).

        Where a store does not answer, what lies in the others is seen to, and the slide is not
        verified. Raises StoppedError, and RoundOverError where `progress` says so: then nothing
        is said of the slide, and it is its turn again.
        """
        progress = progress or Progress()
        for _ in range(_TRIES):
            known = await self.known(establishment_id, slide_id)
            if known is None:
                return None
            progress.begin(known)
            seen, error = await asyncio.to_thread(self._examine, known, progress)
            # A slide that was moved, copied or destroyed meanwhile is not damaged.
            if await self.known(establishment_id, slide_id) == known:
                progress.forget()
                return await self._conclude(known, seen, error)
        _log.info("slide %s changes all the time; it is verified later", slide_id)
        return None

    async def known(self, establishment_id: UUID, slide_id: UUID) -> Known | None:
        """The slide as the catalogue has it."""
        async with self.database.transaction(establishment_id) as connection:
            return await _known(connection, slide_id)

    def _examine(
        self, known: Known, progress: Progress
    ) -> tuple[list[Examined], StorageError | None]:
        """What lies in the stores that answer, and the error of the first that does not."""
        warm, cold, second = self.stores.warm, self.stores.cold, self.stores.second
        works: list[Callable[[], Examined]] = [
            lambda: examine(warm, Place.WARM, known, self.pace, progress)
        ]
        if cold is not None:
            works.append(lambda: examine_cold(cold, known, self.pace, self.keeping, progress))
        if second is not None and known.is_copied:
            works.append(lambda: examine(second, Place.SECOND, known, self.pace, progress))
        seen: list[Examined] = []
        first: StorageError | None = None
        for work in works:
            try:
                seen.append(work())
            except StorageError as error:
                first = first or error
        return seen, first

    async def _conclude(
        self, known: Known, seen: list[Examined], away: StorageError | None
    ) -> Verified:
        slide, is_whole = known.slide, away is None
        findings = [finding for examined in seen for finding in examined.findings]
        read = sum((examined.read for examined in seen), Scrubbed(slides=int(is_whole)))
        opened = await self._tell(known, findings)
        repaired: list[Finding] = []
        if self.repair and findings:
            repaired = await self._mend(known, seen, opened)
        async with self.database.transaction(slide.establishment_id) as connection:
            if self.repair:
                for examined in seen:
                    await _learn(connection, known, examined)
            for finding in repaired:
                if await incidents.end(connection, opened[finding], IncidentState.REPAIRED):
                    await _audit(connection, slide.establishment_id, slide.id, repaired=True)
            if repaired:
                await protect_again(connection, slide.establishment_id, slide.id)
            looked = {examined.place for examined in seen}
            if Place.WARM in looked:
                looked.add(Place.CATALOGUE)
            await _close_sound(connection, known, findings, looked)
            await integrity.count_read(connection, slide, read)
            if is_whole:
                await integrity.mark_verified(connection, slide)
        young = sum(examined.young for examined in seen)
        return Verified(slide.id, tuple(findings), tuple(repaired), read, away, young)

    async def _tell(self, known: Known, findings: list[Finding]) -> dict[Finding, UUID]:
        """Alarms come before repairs: they are there whatever happens next."""
        slide = known.slide
        opened: dict[Finding, UUID] = {}
        async with self.database.transaction(slide.establishment_id) as connection:
            for finding in findings:
                reported = await incidents.report(
                    connection, slide.establishment_id, slide.id, finding, FoundBy.SCRUB
                )
                opened[finding] = reported.id
                if reported.is_new:
                    _log.error(
                        "INTEGRITY incident %s: %s, %s in %s",
                        reported.id,
                        finding.damage,
                        finding.key,
                        finding.place,
                    )
                    await _audit(connection, slide.establishment_id, slide.id)
        return opened

    async def _mend(
        self, known: Known, seen: list[Examined], opened: dict[Finding, UUID]
    ) -> list[Finding]:
        establishment_id = known.slide.establishment_id
        manifest = next((each.manifest for each in seen if each.manifest is not None), None)
        repaired: list[Finding] = []
        of_rows = [each for each in opened if each.damage is Damage.CATALOGUE]
        outvoted = _outvoted_row(known, seen)
        if outvoted is not None:
            async with self.database.transaction(establishment_id) as connection:
                await integrity.set_side_objects(connection, known.slide, [outvoted])
            key = manifest_key(known.slide.id)
            return repaired + [each for each in opened if each.key == key]
        if of_rows and manifest is not None and await self._restore_rows(known, manifest):
            repaired += of_rows
            known = await self.known(establishment_id, known.slide.id) or known
        for finding, incident_id in opened.items():
            if finding in of_rows:
                continue
            async with self.database.transaction(establishment_id) as connection:
                has_evidence = await incidents.has_evidence(connection, incident_id)
            if not has_evidence:
                await self._keep_evidence(known, finding, incident_id)
            mending = Mending(self.stores, known, manifest, self.pace, self.unpacking)
            if await asyncio.to_thread(mending.mend, finding):
                repaired.append(finding)
                if finding.place is Place.COLD:  # what was cold is warm now
                    async with self.database.transaction(establishment_id) as connection:
                        await integrity.bring_back(connection, uid_of_cold(finding.key))
        return repaired

    async def _keep_evidence(self, known: Known, finding: Finding, incident_id: UUID) -> None:
        key = await asyncio.to_thread(
            set_aside, self.stores, known.slide.id, finding, incident_id, self.pace
        )
        if key is not None:
            async with self.database.transaction(known.slide.establishment_id) as connection:
                await incidents.keep_evidence(connection, incident_id, key)

    async def _restore_rows(self, known: Known, manifest: Manifest) -> bool:
        """The rows of a slide from its manifest, which is what was written."""
        async with self.database.transaction(known.slide.establishment_id) as connection:
            await integrity.restore_rows(connection, manifest.slide)
            await integrity.set_side_objects(connection, manifest.slide, _told_objects(manifest))
            now = await _known(connection, known.slide.id)
        return now is not None and says_the_same(now.slide, manifest)


def _outvoted_row(known: Known, seen: list[Examined]) -> SideObject | None:
    """What the row of the manifest must say, where both copies agree against it."""
    seen = [each for each in seen if each.place is not Place.COLD]
    if len(seen) < 2 or any(each.manifest is not None for each in seen):
        return None
    first, *others = (each.found_manifest for each in seen)
    if first is None or any(other is None or other.data != first.data for other in others):
        return None
    if not says_the_same(known.slide, first):
        return None
    return SideObject(MANIFEST, first.whole.size_bytes, first.whole.sha256)


def _told_objects(manifest: Manifest) -> list[SideObject]:
    return [SideObject(each.name, each.size_bytes, each.sha256) for each in manifest.told.objects]


async def _known(connection: Connection, slide_id: UUID) -> Known | None:
    slide = await slides.by_id(connection, slide_id)
    if slide is None:
        return None
    return Known(
        slide,
        await integrity.side_objects(connection, slide_id),
        await integrity.is_copied(connection, slide_id),
        await tiers.cold_copies(connection, slide_id),
    )


async def _learn(connection: Connection, known: Known, examined: Examined) -> None:
    """Complete the rows of a slide that is older than they are."""
    if examined.learned:
        await integrity.set_side_objects(connection, known.slide, examined.learned)
    for sop_uid, copy in examined.learned_cold.items():
        await integrity.set_cold_hash(connection, sop_uid, copy.sha256)
    if examined.learned_hashes and examined.manifest is not None:
        await integrity.restore_rows(connection, examined.manifest.slide)


async def _close_sound(
    connection: Connection, known: Known, findings: list[Finding], looked: set[Place]
) -> None:
    """What was wrong and is not any more was put right by somebody else."""
    still = {(finding.place, finding.key) for finding in findings}
    for incident in await incidents.standing(connection, known.slide.id):
        if _was_looked_at(incident, looked) and (incident.place, incident.object_key) not in still:
            await incidents.end(connection, incident.id, IncidentState.REPAIRED)
            await _audit(connection, known.slide.establishment_id, known.slide.id, repaired=True)


def _was_looked_at(incident: Incident, looked: set[Place]) -> bool:
    return incident.place in looked


async def _audit(
    connection: Connection, establishment_id: UUID, slide_id: UUID, *, repaired: bool = False
) -> None:
    action = Action.REPAIR_DAMAGE if repaired else Action.FIND_DAMAGE
    await audit.record(connection, establishment_id, SYSTEM, action, slide_id)
