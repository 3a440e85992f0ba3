"""What the headers of slides say, on record in the catalogue: there it is searched and told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from dicom.reidentify import told_header
from dicom.web.attributes import AVAILABLE_SYNTAX, SERIES_UID, SOP_INSTANCE_UID, STUDY_UID
from dicom.web.document import Document, read_document
from sgi.catalogue import dicomweb, identities, slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.told import ToldPlace
from sgi.errors import ConflictError, NotFoundError, VerificationError
from sgi.keeping.headers import Headers, with_header
from sgi.stored.identity import StoredIdentity
from sgi.stored.sources import HeldBytes

OnDamage = Callable[[UUID, str], None]
"""Hears, in the event loop, of a slide's instance whose header is not what was written."""
_AT_ONCE = 2
"""Headers, which may be as long as the offsets of millions of frames."""


@dataclass(frozen=True, slots=True)
class Records:
    """Puts slides on record, each once: by the worker, or when one is asked for before that."""

    database: Database
    headers: Headers
    on_damage: OnDamage = lambda _slide_id, _sop_uid: None
    _reading: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))

    async def of_slide(self, slide: Slide) -> dict[str, Document]:
        """The headers of a slide's instances by SOP Instance UID, in their order.

        Raises as `put`, and NotFoundError for a slide that is no longer there.
        """
        found = await self._known(slide)
        if not found:
            await self.put(slide)
            found = await self._known(slide)
        if not found:
            raise NotFoundError("The slide was taken away meanwhile.")
        return found

    async def put(self, slide: Slide) -> None:
        """Put a slide on record, which it then is for good; again is no harm.

        Raises StorageError, DicomError or VerificationError where a header cannot be read or is
        not what was written, ColdError where it lies too deep.
        """
        async with self.database.transaction(slide.establishment_id) as connection:
            identity = await identities.current(connection, slide.id)
        documents = await self.documents(slide, identity)
        told = None
        if identity is not None:
            told = ToldPlace(identity.revision, identity.study_uid, identity.series_uid)
        async with self.database.transaction(slide.establishment_id) as connection:
            await dicomweb.add(connection, replace(slide, told=told), documents)

    async def documents(self, slide: Slide, identity: StoredIdentity | None) -> dict[str, Document]:
        """What the slide's instances say when they are told so, by their UID in the store.

        Raises as `put`.
        """
        documents = {}
        for stored in slide.instances:
            header = await self.header(slide, stored)
            documents[stored.sop_uid] = await asyncio.to_thread(
                _document, slide, stored, header, identity
            )
        return documents

    async def told_header(self, slide: Slide, stored: StoredInstance) -> bytes:
        """What is sent of an instance before its first frame: all its attributes, as told now.

        Raises as `put`.
        """
        header = await self.header(slide, stored)
        if slide.told is None:
            return header
        async with self.database.transaction(slide.establishment_id) as connection:
            identity = await identities.current(connection, slide.id)
        if identity is None or identity.revision != slide.told.revision:
            raise ConflictError("The slide is being told anew; ask again.")
        uids = identity.uids(stored.sop_uid)
        return await asyncio.to_thread(told_header, header, identity.told, uids)

    async def header(self, slide: Slide, stored: StoredInstance) -> bytes:
        """As `Headers.read`; one that was never hashed is proved by all of the instance once."""
        if stored.header_sha256 is None:
            stored = await self._as_known(slide, stored)
        async with self._reading:
            try:
                header = await asyncio.to_thread(self.headers.read, slide.id, stored)
            except VerificationError:
                if stored.tier is Tier.WARM:
                    self.on_damage(slide.id, stored.sop_uid)
                raise
        if stored.header_sha256 is None:
            async with self.database.transaction(slide.establishment_id) as connection:
                await slides.set_header(connection, slide, with_header(stored, header))
        return header

    async def _known(self, slide: Slide) -> dict[str, Document]:
        async with self.database.transaction(slide.establishment_id) as connection:
            return await dicomweb.documents_of(connection, slide.id)

    async def _as_known(self, slide: Slide, stored: StoredInstance) -> StoredInstance:
        """What the catalogue says by now."""
        async with self.database.transaction(slide.establishment_id) as connection:
            known = await slides.by_id(connection, slide.id)
        found = [] if known is None else known.instances
        return next((each for each in found if each.sop_uid == stored.sop_uid), stored)


async def some_not_on_record(
    database: Database, establishment_id: UUID, but: list[UUID], most: int
) -> list[Slide]:
    """Slides that no search finds yet, the newest first."""
    async with database.transaction(establishment_id) as connection:
        lacking = await dicomweb.not_on_record(connection, but, most)
        found = [await slides.by_id(connection, slide_id) for slide_id in lacking]
    return [slide for slide in found if slide is not None]


def _document(
    slide: Slide, stored: StoredInstance, header: bytes, identity: StoredIdentity | None
) -> Document:
    document = read_document(HeldBytes(header))
    said = {
        STUDY_UID: slide.study_uid,
        SERIES_UID: slide.series_uid,
        SOP_INSTANCE_UID: stored.sop_uid,
    }
    if any(document.get(tag, {}).get("Value") != [uid] for tag, uid in said.items()):
        raise VerificationError("An instance says that it is another; run `sgi verify`.")
    if identity is not None:
        anew = told_header(header, identity.told, identity.uids(stored.sop_uid))
        document = read_document(HeldBytes(anew))
    document[AVAILABLE_SYNTAX] = {"vr": "UI", "Value": [stored.transfer_syntax]}
    return dict(sorted(document.items()))
