"""WADO-RS: whole instances, streamed from the store in bounded memory and proved on the way.

Each frame is compared with its hash before it is sent, and the object's last piece is held back
until the hash of all of it is right: what was damaged in the store is never received whole.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.errors import DamagedInstanceError
from dicom.web.accept import Offer, choose
from dicom.web.errors import NotAcceptableError, TooMuchAskedError
from dicom.web.media import DICOM, EXPLICIT_LITTLE_ENDIAN, content_type
from dicom.web.multipart import Multipart
from dicom.web.pieces import Proof, pieces_of
from sgi.api.dicomweb.addressed import (
    address_of,
    instance_at,
    notes_at,
    require_told_right,
    series_at,
    study_at,
)
from sgi.api.dicomweb.answers import ASKED_AGAIN, KEPT, accept_of, streamed
from sgi.api.dicomweb.notes import ABSENT, notes_or_raise, part_of
from sgi.api.dicomweb.places import MOST_SLIDES
from sgi.api.services import services_of
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.identities import Note
from sgi.domain.slide import StoredInstance
from sgi.errors import VerificationError
from storage.store import AsyncRangeReader

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_Part = tuple[ServedSlide, StoredInstance]
_MOST_HEADERS_FIRST = 20
"""Instances told anew whose headers are made twice, so that the answer's length is told."""


@router.get("/studies/{study}")
async def retrieve_study(study: str, request: Request) -> Response:
    """Every instance of a study, the notes of what was retired among them."""
    found, notes = await study_at(request, study), await notes_at(request, study)
    if len(found) > MOST_SLIDES:
        raise TooMuchAskedError("The study has more slides than are sent in one answer.")
    wanted = [(served, stored) for served in found for stored in served.slide.instances]
    return await _answer(request, wanted, notes)


@router.get("/studies/{study}/series/{series}")
async def retrieve_series(study: str, series: str, request: Request) -> Response:
    """Every instance of a series."""
    try:
        served = await series_at(request, study, series)
    except ABSENT as error:
        notes = await notes_or_raise(request, error, study, series)
        return await _answer(request, [], notes)
    return await _answer(request, [(served, stored) for stored in served.slide.instances])


@router.get("/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(study: str, series: str, instance: str, request: Request) -> Response:
    """One instance; as a part, or alone for a client that takes no parts."""
    try:
        found = await instance_at(request, study, series, instance)
    except ABSENT as error:
        notes = await notes_or_raise(request, error, study, series, instance)
        return await _answer(request, [], notes, one=True)
    return await _answer(request, [found], one=True)


async def _answer(
    request: Request, wanted: Sequence[_Part], notes: Sequence[Note] = (), *, one: bool = False
) -> Response:
    """As they are stored: a client that asks for another transfer syntax gets 406."""
    accept = accept_of(request)
    syntaxes = [stored.transfer_syntax for _, stored in wanted]
    for syntax in (*syntaxes, *[EXPLICIT_LITTLE_ENDIAN for _ in notes]):
        offers = [Offer(DICOM, syntax, multipart=True)]
        if one:
            offers.append(Offer(DICOM, syntax))
        offer = choose(accept, offers)
    if not wanted and not notes:
        raise NotAcceptableError("There is nothing to send.")
    for served, stored in wanted:  # before the first byte, after which nothing can be refused
        served.require_warm(stored)
    await require_told_right(request, [served for served, _ in wanted])
    if one and not offer.multipart:
        return await _alone(request, wanted, notes)
    parts = Multipart(DICOM)
    length = await _length(request, wanted, notes, parts)

    async def pieces_in_parts() -> AsyncIterator[bytes]:
        for served, stored in wanted:
            told = await _told(request, served, stored)
            yield parts.head(*told.part(request))
            async for piece in told.pieces():
                yield piece
        for note in notes:
            yield parts.head(*part_of(request, note)) + note.file
        yield parts.end()

    kept = KEPT if one else ASKED_AGAIN  # a study may get more slides
    return await streamed(request, pieces_in_parts(), parts.content_type, length, kept)


async def _alone(request: Request, wanted: Sequence[_Part], notes: Sequence[Note]) -> Response:
    for note in notes:
        media_type, _, _ = part_of(request, note)
        return Response(note.file, headers={**KEPT, "Content-Type": media_type})
    ((served, stored),) = wanted
    only = await _told(request, served, stored)
    media_type = content_type(DICOM, stored.transfer_syntax)
    return await streamed(request, only.pieces(), media_type, only.length, KEPT)


async def _length(
    request: Request, wanted: Sequence[_Part], notes: Sequence[Note], parts: Multipart
) -> int | None:
    """Of the whole answer; None where that would take too many headers to be made beforehand."""
    anew = sum(served.slide.told is not None for served, _ in wanted)
    if anew > _MOST_HEADERS_FIRST:
        return None
    length = len(parts.end())
    for served, stored in wanted:
        told = await _told(request, served, stored)
        length += len(parts.head(*told.part(request))) + told.length
    for note in notes:
        length += len(parts.head(*part_of(request, note))) + len(note.file)
    return length


@dataclass(frozen=True, slots=True)
class _Told:
    """An instance as it is sent: the header that says whose it is now, and the stored frames."""

    store: AsyncRangeReader
    served: ServedSlide
    stored: StoredInstance
    header: bytes
    """Empty where it is told as it is stored."""
    replaced_bytes: int
    """Of the stored object's beginning, for which the header stands."""

    @property
    def length(self) -> int:
        return len(self.header) + self.stored.size_bytes - self.replaced_bytes

    def part(self, request: Request) -> tuple[str, int, str]:
        """Media type, length and address of it as a part of an answer."""
        slide = self.served.slide
        uid = slide.told_uid(self.stored)
        address = address_of(request, slide.told_study_uid, slide.told_series_uid, uid)
        return content_type(DICOM, self.stored.transfer_syntax), self.length, address

    async def pieces(self) -> AsyncIterator[bytes]:
        if self.header:
            yield self.header
        left = self.replaced_bytes
        async for piece in instance_pieces(self.store, self.served, self.stored):
            if len(piece) > left:
                yield piece[left:]
            left = max(0, left - len(piece))


async def _told(request: Request, served: ServedSlide, stored: StoredInstance) -> _Told:
    dicomweb = services_of(request).dicomweb
    if served.slide.told is None:
        return _Told(dicomweb.store, served, stored, b"", 0)
    header = await dicomweb.records.told_header(served.slide, stored)
    first_frame, _ = (await served.instance(stored)).index.offset(0)
    return _Told(dicomweb.store, served, stored, header, first_frame)


async def instance_pieces(
    store: AsyncRangeReader, served: ServedSlide, stored: StoredInstance
) -> AsyncIterator[bytes]:
    """The bytes of an instance; the next piece is read while one is sent.

    Raises VerificationError where they are not what was written.
    """
    ready = await served.instance(stored)
    proof = Proof(ready.index, ready.hashes, stored.sha256)
    pieces = list(pieces_of(ready.index, stored.size_bytes))

    def read(number: int) -> asyncio.Task[bytes]:
        piece = pieces[number]
        coming = store.read_range_async(ready.key, piece.offset, piece.length)
        return asyncio.ensure_future(coming)

    coming = read(0)
    try:
        for number, piece in enumerate(pieces):
            data = await coming
            if number + 1 < len(pieces):
                coming = read(number + 1)
            try:
                await asyncio.to_thread(proof.add, piece, data)
                if number + 1 == len(pieces):
                    proof.finish()
            except DamagedInstanceError as error:
                served.tell_damage(stored)
                raise VerificationError("A stored instance is not what was written.") from error
            yield data
    finally:
        coming.cancel()
