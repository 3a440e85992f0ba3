"""WADO-RS: whole instances, streamed from the store in bounded memory and proved on the way.

Each frame is compared with its hash before it is sent, and the object's last piece is held back
until the hash of all of it is right: what was damaged in the store is never received whole.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.errors import DamagedInstanceError
from dicom.web.accept import Offer, choose
from dicom.web.errors import NotAcceptableError, TooMuchAskedError
from dicom.web.media import DICOM, content_type
from dicom.web.multipart import Multipart
from dicom.web.pieces import Proof, pieces_of
from sgi.api.dicomweb.addressed import address_of, instance_at, series_at, study_at
from sgi.api.dicomweb.answers import ASKED_AGAIN, KEPT, accept_of, streamed
from sgi.api.dicomweb.places import MOST_SLIDES
from sgi.api.services import services_of
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import StoredInstance
from sgi.errors import VerificationError
from storage.store import AsyncRangeReader

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_Part = tuple[ServedSlide, StoredInstance]


@router.get("/studies/{study}")
async def retrieve_study(study: str, request: Request) -> Response:
    """Every instance of a study."""
    found = await study_at(request, study)
    if len(found) > MOST_SLIDES:
        raise TooMuchAskedError("The study has more slides than are sent in one answer.")
    return await _answer(
        request, [(served, stored) for served in found for stored in served.slide.instances]
    )


@router.get("/studies/{study}/series/{series}")
async def retrieve_series(study: str, series: str, request: Request) -> Response:
    """Every instance of a series."""
    served = await series_at(request, study, series)
    return await _answer(request, [(served, stored) for stored in served.slide.instances])


@router.get("/studies/{study}/series/{series}/instances/{instance}")
async def retrieve_instance(study: str, series: str, instance: str, request: Request) -> Response:
    """One instance; as a part, or alone for a client that takes no parts."""
    return await _answer(request, [await instance_at(request, study, series, instance)], one=True)


async def _answer(request: Request, wanted: Sequence[_Part], *, one: bool = False) -> Response:
    """As they are stored: a client that asks for another transfer syntax gets 406."""
    accept = accept_of(request)
    for _, stored in wanted:
        offers = [Offer(DICOM, stored.transfer_syntax, multipart=True)]
        if one:
            offers.append(Offer(DICOM, stored.transfer_syntax))
        offer = choose(accept, offers)
    store = services_of(request).dicomweb.store
    if not wanted:
        raise NotAcceptableError("There is nothing to send.")
    for served, stored in wanted:  # before the first byte, after which nothing can be refused
        served.require_warm(stored)
    if one and not offer.multipart:
        ((served, stored),) = wanted
        media_type = content_type(DICOM, stored.transfer_syntax)
        pieces = instance_pieces(store, served, stored)
        return await streamed(request, pieces, media_type, stored.size_bytes, KEPT)
    parts = Multipart(DICOM)
    heads = [
        parts.head(
            content_type(DICOM, stored.transfer_syntax),
            stored.size_bytes,
            address_of(request, served.slide.study_uid, served.slide.series_uid, stored.sop_uid),
        )
        for served, stored in wanted
    ]

    async def pieces_in_parts() -> AsyncIterator[bytes]:
        for (served, stored), head in zip(wanted, heads, strict=True):
            yield head
            async for piece in instance_pieces(store, served, stored):
                yield piece
        yield parts.end()

    length = sum(map(len, heads)) + len(parts.end())
    length += sum(stored.size_bytes for _, stored in wanted)
    kept = KEPT if one else ASKED_AGAIN  # a study may get more slides
    return await streamed(request, pieces_in_parts(), parts.content_type, length, kept)


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
