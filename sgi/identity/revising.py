"""Slides told anew: a revision beside the instances, in the rows, and in what is searched.

Nothing of this touches a pixel or a stored instance. The object is written before the row commits;
one whose row never did is written over by the next try.
"""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

import pydicom

from dicom.rejection import Rejection, rejection_note
from dicom.web.attributes import AVAILABLE_SYNTAX
from dicom.web.document import Document
from dicom.web.media import EXPLICIT_LITTLE_ENDIAN
from sgi.catalogue import audit, dicomweb, identities, integrity, outbox, slides
from sgi.catalogue.audit import SYSTEM, Action
from sgi.catalogue.database import Connection, Database
from sgi.catalogue.identities import Due, Note
from sgi.domain.slide import Slide
from sgi.domain.told import ToldPlace, note_uids, told_series_uid
from sgi.errors import ConflictError, VerificationError
from sgi.identity.composing import Composed, compose
from sgi.jobs.retention import protect_again
from sgi.keeping.headers import Headers
from sgi.keeping.record_tasks import UNREADABLE
from sgi.keeping.records import Records
from sgi.stored.identity import StoredIdentity, write_identity
from sgi.stores import Stores
from storage.errors import StorageError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reviser:
    """Tells one slide anew, if there is anything new to tell."""

    database: Database
    stores: Stores

    async def revise(self, establishment_id: UUID, due: Due) -> bool:
        """True where the slide has a new revision; its turn is over either way.

        Raises ConflictError where something changed meanwhile: then it is its turn again; and
        StorageError, VerificationError, DicomError where the stores do not let it.
        """
        async with self.database.transaction(establishment_id) as connection:
            slide = await slides.by_id(connection, due.slide_id)
            if slide is None:  # destroyed; what waited for it went with it
                return False
            before = await identities.current(connection, slide.id)
            composed = await compose(connection, slide)
            if not _is_new(before, composed):
                await identities.settle(connection, due)
                return False
            told_before = await dicomweb.documents_of(connection, slide.id)
        if slide.told_uid(slide.levels[0]) not in told_before:
            told_before = await self._records.of_slide(slide)
        stored = await self._stored(slide, before, composed)
        place = ToldPlace(stored.revision, stored.study_uid, stored.series_uid)
        anew = replace(slide, told=place)
        documents = await self._documents(slide, anew, stored)
        note = _note(slide, stored, told_before)
        async with self.database.transaction(establishment_id) as connection:
            revision = await identities.lock(connection, slide.id)
            if revision is None:
                return False
            if revision + 1 != stored.revision or await compose(connection, slide) != composed:
                raise ConflictError("The slide changed while it was told; it is told again.")
            await self._keep(connection, anew, stored)
            await identities.add_note(connection, anew, note)
            if documents is not None:
                await dicomweb.add(connection, anew, documents)
            await _notify_laboratory(connection, before, stored)
            await audit.record(connection, establishment_id, SYSTEM, Action.TELL_IDENTITY, slide.id)
            await identities.settle(connection, due)
        _log.info("slide %s is told anew, revision %s", slide.id, stored.revision)
        return True

    @property
    def _records(self) -> Records:
        return Records(self.database, Headers(self.stores))

    async def _stored(
        self, slide: Slide, before: StoredIdentity | None, composed: Composed
    ) -> StoredIdentity:
        revision = before.revision + 1 if before else 1
        study_before = before.study_uid if before else slide.study_uid
        series_before = before.series_uid if before else slide.series_uid
        same_study = composed.study_uid == study_before
        async with self.database.transaction(slide.establishment_id) as connection:
            another = await _is_another_patient(connection, before, composed)
        return StoredIdentity(
            establishment_id=slide.establishment_id,
            slide_id=slide.id,
            revision=revision,
            made_at=datetime.now(UTC),
            glass_id=composed.glass_id,
            patient_id=composed.patient_id,
            study_uid=composed.study_uid,
            series_uid=series_before if same_study else told_series_uid(slide.id, revision),
            told=composed.told,
            known=composed.known,
            rejected=Rejection.WRONG_PATIENT if another else Rejection.WRONG_WORDS,
        )

    async def _documents(
        self, slide: Slide, anew: Slide, stored: StoredIdentity
    ) -> dict[str, Document] | None:
        """None where the headers cannot be read now: then searches find the slide later."""
        try:
            return await self._records.documents(replace(anew, told=None), stored)
        except UNREADABLE as error:
            _log.warning("headers of %s not read: %s", slide.id, type(error).__name__)
            return None

    async def _keep(self, connection: Connection, slide: Slide, stored: StoredIdentity) -> None:
        data = await asyncio.to_thread(write_identity, self.stores.warm, stored)
        await identities.add(connection, slide, stored, data)
        await protect_again(connection, slide.establishment_id, slide.id)
        second = self.stores.second
        if second is None or not await integrity.is_copied(connection, slide.id):
            return
        try:
            await asyncio.to_thread(write_identity, second, stored)
        except (StorageError, VerificationError) as error:
            _log.warning("a revision is copied later: %s", type(error).__name__)
            await identities.mark_uncopied(connection, slide.id)


def _is_new(before: StoredIdentity | None, composed: Composed) -> bool:
    if before is None:
        return composed.glass_id is not None
    said = (before.glass_id, before.study_uid, before.told)
    return said != (composed.glass_id, composed.study_uid, composed.told)


async def _is_another_patient(
    connection: Connection, before: StoredIdentity | None, composed: Composed
) -> bool:
    """Whether what was told named somebody who is not this patient, by all that is known now."""
    if before is None or before.patient_id is None:
        return False
    cursor = await connection.execute(
        "select coalesce(merged_into, id) as id from patient where id = %s", [before.patient_id]
    )
    row = await cursor.fetchone()
    return row is None or row["id"] != composed.patient_id


def _note(slide: Slide, stored: StoredIdentity, told: dict[str, Document]) -> Note:
    """That the instances as they were told until now are not to be used any more."""
    uids = [slide.told_uid(each) for each in slide.instances]
    series_uid, sop_uid = note_uids(slide.id, stored.revision)
    base = told.get(slide.told_uid(slide.levels[0]))
    if base is None:
        raise ConflictError("The slide changed while it was told; it is told again.")
    file = rejection_note(
        pydicom.Dataset.from_json(base, bulk_data_uri_handler=lambda _: None),
        uids,
        stored.rejected or Rejection.WRONG_WORDS,
        series_uid=series_uid,
        instance_uid=sop_uid,
        made_at=stored.made_at,
    )
    return Note(
        sop_uid,
        series_uid,
        slide.told_study_uid,
        stored.revision,
        slide.id,
        stored.made_at,
        file,
        _document(file),
    )


def _document(file: bytes) -> Document:
    told: Document = pydicom.dcmread(BytesIO(file)).to_json_dict()
    told[AVAILABLE_SYNTAX] = {"vr": "UI", "Value": [EXPLICIT_LITTLE_ENDIAN]}
    return dict(sorted(told.items()))


async def _notify_laboratory(
    connection: Connection, before: StoredIdentity | None, stored: StoredIdentity
) -> None:
    """Of UIDs that are not those that it was told; of what is attached it hears by that itself."""
    if before is None or stored.glass_id is None or before.glass_id != stored.glass_id:
        return
    if (before.study_uid, before.series_uid) != (stored.study_uid, stored.series_uid):
        await outbox.image(
            connection, stored.establishment_id, stored.glass_id, stored.slide_id, available=True
        )
