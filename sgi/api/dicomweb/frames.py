"""WADO-RS frames: as they are stored, or uncompressed for clients that take nothing else.

What a frame costs does not depend on which it is: its place is in memory, and it is one range.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.accept import Offer, choose
from dicom.web.frame_list import parse_frame_list
from dicom.web.media import EXPLICIT_LITTLE_ENDIAN, OCTETS, content_type, media_type_of
from dicom.web.multipart import Multipart
from sgi.api.dicomweb.addressed import pixels_at
from sgi.api.dicomweb.answers import KEPT, accept_of, kept_of, streamed
from sgi.api.dicomweb.unpacking import Unpacking
from sgi.api.frames import ServedInstance
from sgi.api.in_order import AHEAD, in_order
from sgi.api.services import services_of
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import StoredInstance
from sgi.errors import NotFoundError

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])


@router.get("/studies/{study}/series/{series}/instances/{instance}/frames/{frames}")
async def retrieve_frames(
    study: str, series: str, instance: str, frames: str, request: Request
) -> Response:
    """One frame, or several in the order of the list."""
    served, stored = await pixels_at(request, study, series, instance)
    indexes = parse_frame_list(frames)
    if max(indexes) >= stored.frames:
        raise NotFoundError("The instance has no such frame.")
    ready = await served.instance(stored)
    offer = choose(accept_of(request), frame_offers(stored, ready, one=len(indexes) == 1))
    if offer.multipart:
        return await frames_in_parts(request, served, stored, ready, indexes, offer)
    return await _single(request, served, stored, ready, indexes[0], offer)


def frame_offers(
    stored: StoredInstance, ready: ServedInstance, *, one: bool, in_parts: bool = True
) -> list[Offer]:
    """The forms in which frames are given; those as they are stored first."""
    syntax = stored.transfer_syntax
    named = media_type_of(syntax)
    offers = []
    for multipart in (*((False,) if one else ()), *((True,) if in_parts else ())):
        offers.append(Offer(named, syntax, multipart))
        if named != OCTETS:
            offers.append(Offer(OCTETS, syntax, multipart, is_default=False))
            if ready.encoding is not None:
                offers.append(Offer(OCTETS, EXPLICIT_LITTLE_ENDIAN, multipart))
    return offers


async def _single(
    request: Request,
    served: ServedSlide,
    stored: StoredInstance,
    ready: ServedInstance,
    index: int,
    offer: Offer,
) -> Response:
    etag = f'"{ready.etag_stem}-{index}-{offer.transfer_syntax}"'
    headers = {**kept_of(stored, KEPT), "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    unpacking = services_of(request).dicomweb.unpacking
    data = await _frame(unpacking, served, stored, ready, index, offer)
    media_type = content_type(offer.media_type, offer.transfer_syntax)
    return Response(data, headers={**headers, "Content-Type": media_type})


async def frames_in_parts(
    request: Request,
    served: ServedSlide,
    stored: StoredInstance,
    ready: ServedInstance,
    indexes: Sequence[int],
    offer: Offer,
) -> Response:
    """A part for each frame, in order; each is held on its own, whatever their number."""
    parts = Multipart(offer.media_type)
    media_type = content_type(offer.media_type, offer.transfer_syntax)
    untouched = offer.transfer_syntax == stored.transfer_syntax

    def length_of(index: int) -> int:
        return ready.index.offset(index)[1] if untouched else Unpacking.length(ready)

    async def pieces() -> AsyncIterator[bytes]:
        unpacking = services_of(request).dicomweb.unpacking

        async def make(index: int) -> bytes:
            return await _frame(unpacking, served, stored, ready, index, offer)

        async with aclosing(in_order(indexes, make, AHEAD if untouched else 2)) as frames:
            async for frame in frames:
                if isinstance(frame, Exception):
                    raise frame
                yield parts.head(media_type, len(frame)) + frame
        yield parts.end()

    heads: dict[int, int] = {}
    length = len(parts.end())
    for index in indexes:
        size = length_of(index)
        if size not in heads:
            heads[size] = len(parts.head(media_type, size))
        length += heads[size] + size
    return await streamed(request, pieces(), parts.content_type, length, kept_of(stored, KEPT))


async def _frame(
    unpacking: Unpacking,
    served: ServedSlide,
    stored: StoredInstance,
    ready: ServedInstance,
    index: int,
    offer: Offer,
) -> bytes:
    if offer.transfer_syntax == stored.transfer_syntax:
        return await served.frame(ready, index)
    return await unpacking.frame(served, ready, index)
