"""WADO-RS bulk data: the values that metadata gives as addresses; Pixel Data as its frames."""

import asyncio
import re
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.accept import Offer, choose
from dicom.web.document import BulkPlace, find_bulk
from dicom.web.media import OCTETS
from dicom.web.multipart import Multipart
from sgi.api.dicomweb.addressed import instance_at
from sgi.api.dicomweb.answers import KEPT, accept_of, streamed
from sgi.api.dicomweb.frames import frame_offers, frames_in_parts
from sgi.api.services import services_of
from sgi.domain.tier import Tier
from sgi.errors import ColdError, NotFoundError
from sgi.stored import StoredObject, instance_key

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_PATH = re.compile(r"[0-9A-F]{8}(\.[0-9]{1,5}\.[0-9A-F]{8}){0,12}")
_PIXEL_DATA = "7FE00010"
_PIECE_BYTES = 1 << 20
_OFFERS = (Offer(OCTETS), Offer(OCTETS, multipart=True))


@router.get("/studies/{study}/series/{series}/instances/{instance}/bulkdata/{element}")
async def retrieve_bulk_data(
    study: str, series: str, instance: str, element: str, request: Request
) -> Response:
    """A value of a header as it is stored, or all frames, a part each."""
    if _PATH.fullmatch(element) is None:
        raise NotFoundError("The address names no element.")
    served, stored = await instance_at(request, study, series, instance)
    ready = await served.instance(stored)
    if element == _PIXEL_DATA:
        offer = choose(accept_of(request), frame_offers(stored, ready, one=False))
        return await frames_in_parts(request, served, stored, ready, range(stored.frames), offer)
    offer = choose(accept_of(request), _OFFERS)
    if stored.tier is not Tier.WARM:
        raise ColdError("This instance is in cold storage; ask for its restore.")
    store = services_of(request).dicomweb.store
    key = instance_key(served.slide.id, stored.sop_uid)
    source = StoredObject(store, key, stored.size_bytes)
    found = await asyncio.to_thread(find_bulk, source, element)
    if found is None:
        raise NotFoundError("The instance has no such element.")
    parts = Multipart(OCTETS) if offer.multipart else None
    head = parts.head(OCTETS, found.length) if parts else b""
    end = parts.end() if parts else b""

    async def pieces(place: BulkPlace) -> AsyncIterator[bytes]:
        yield head
        for start in range(0, place.length, _PIECE_BYTES):
            length = min(_PIECE_BYTES, place.length - start)
            yield await store.read_range_async(key, place.offset + start, length)
        yield end

    content_type = parts.content_type if parts else OCTETS
    length = len(head) + found.length + len(end)
    return await streamed(request, pieces(found), content_type, length, KEPT)
