"""Keeps the catalogue's record of what the instances' headers say up with what is published."""

import asyncio
import logging
import time
from datetime import datetime, timedelta
from uuid import UUID

from dicom.cold import ColdInstance
from dicom.errors import DicomError
from dicom.ports import ByteSource
from dicom.web.attributes import AVAILABLE_SYNTAX, SERIES_UID, SOP_INSTANCE_UID, STUDY_UID
from dicom.web.document import Document, read_document
from sgi.catalogue import dicomweb, slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.errors import ColdError, NotFoundError, VerificationError
from sgi.stored import HeldBytes, StoredObject, cold_key, instance_key
from sgi.stores import Stores
from storage.errors import StorageError

_log = logging.getLogger(__name__)
_SLIDES_AT_ONCE = 20
_LONGEST_S = 5.0
"""That one request spends on slides whose headers nobody has asked for yet."""
_MARGIN = timedelta(minutes=10)
"""A slide is published when its transaction begins, and seen when it ends."""
_TRY_AGAIN_S = 300.0


class Records:
    """Reads the headers of a slide once, when they are first asked for."""

    def __init__(self, database: Database, stores: Stores) -> None:
        self._database = database
        self._stores = stores
        self._working = asyncio.Lock()
        self._complete_to: dict[UUID, datetime] = {}
        self._unreadable: dict[UUID, float] = {}
        """Until when (by the monotonic clock) a slide is left alone."""

    async def catch_up(self, establishment_id: UUID) -> bool:
        """Put every published slide on record; whether all of them are."""
        async with self._working:
            until = time.monotonic() + _LONGEST_S
            while time.monotonic() < until:
                if await self._step(establishment_id):
                    return not self._left_alone()
        return False

    async def of_slide(self, slide: Slide) -> dict[str, Document]:
        """The headers of a slide's instances by SOP Instance UID, in their order.

        Raises StorageError, DicomError or VerificationError where they cannot be read, ColdError
        where no cold store is set.
        """
        found = await self._known(slide)
        if not found:
            await self._put_on_record(slide)
            found = await self._known(slide)
        if not found:
            raise NotFoundError("The slide was taken away meanwhile.")
        return found

    async def _known(self, slide: Slide) -> dict[str, Document]:
        async with self._database.transaction(slide.establishment_id) as connection:
            return await dicomweb.documents_of(connection, slide.id)

    async def _step(self, establishment_id: UUID) -> bool:
        """Some more slides; whether none is left."""
        async with self._database.transaction(establishment_id) as connection:
            now = await dicomweb.now(connection)
            lacking = await dicomweb.not_on_record(
                connection,
                self._complete_to.get(establishment_id),
                self._left_alone(),
                _SLIDES_AT_ONCE,
            )
            found = [await slides.by_id(connection, slide_id) for slide_id in lacking]
        for slide in found:
            if slide is not None:
                await self._try_to_put_on_record(slide)
        if len(lacking) == _SLIDES_AT_ONCE:
            return False
        if not self._left_alone():
            self._complete_to[establishment_id] = now - _MARGIN
        return True

    async def _try_to_put_on_record(self, slide: Slide) -> None:
        try:
            await self._put_on_record(slide)
        except (StorageError, DicomError, VerificationError, ColdError) as error:
            _log.warning("headers of %s not read: %s", slide.id, type(error).__name__)
            self._unreadable[slide.id] = time.monotonic() + _TRY_AGAIN_S

    async def _put_on_record(self, slide: Slide) -> None:
        documents = {
            stored.sop_uid: await asyncio.to_thread(self._read, slide, stored)
            for stored in slide.instances
        }
        async with self._database.transaction(slide.establishment_id) as connection:
            await dicomweb.add(connection, slide, documents)

    def _read(self, slide: Slide, stored: StoredInstance) -> Document:
        document = read_document(self._source(slide, stored))
        said = {
            STUDY_UID: slide.study_uid,
            SERIES_UID: slide.series_uid,
            SOP_INSTANCE_UID: stored.sop_uid,
        }
        if any(document.get(tag, {}).get("Value") != [uid] for tag, uid in said.items()):
            raise VerificationError("An instance says that it is another; run `sgi verify`.")
        document[AVAILABLE_SYNTAX] = {"vr": "UI", "Value": [stored.transfer_syntax]}
        return dict(sorted(document.items()))

    def _source(self, slide: Slide, stored: StoredInstance) -> ByteSource:
        """Where the header is read from: of a cold instance, its packed copy."""
        if stored.tier is Tier.WARM:
            key = instance_key(slide.id, stored.sop_uid)
            return StoredObject(self._stores.warm, key, stored.size_bytes)
        cold = self._stores.cold
        if cold is None:
            raise ColdError("The slide is in cold storage, and no cold store is set here.")
        key = cold_key(slide.id, stored.sop_uid)
        size = cold.size(key)
        return HeldBytes(ColdInstance.open(StoredObject(cold, key, size), size).header())

    def _left_alone(self) -> list[UUID]:
        now = time.monotonic()
        self._unreadable = {
            slide_id: until for slide_id, until in self._unreadable.items() if until > now
        }
        return list(self._unreadable)
