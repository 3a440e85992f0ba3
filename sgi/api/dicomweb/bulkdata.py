"""WADO-RS bulk data: the values that metadata gives as addresses; Pixel Data as its frames."""

import asyncio
import re
from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.accept import Offer, choose
from dicom.web.document import find_bulk
from dicom.web.media import OCTETS
from dicom.web.multipart import Multipart
from sgi.api.dicomweb.addressed import pixels_at, require_told_right
from sgi.api.dicomweb.answers import KEPT, accept_of, streamed
from sgi.api.dicomweb.frames import frame_offers, frames_in_parts
from sgi.api.services import services_of
from sgi.errors import NotFoundError, VerificationError
from sgi.stored.sources import HeldBytes

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_PATH = re.compile(r"[0-9A-F]{8}(\.[0-9]{1,5}\.[0-9A-F]{8}){0,12}")
_PIXEL_DATA = "7FE00010"
_PIECE_BYTES = 1 << 20
_OFFERS = (Offer(OCTETS), Offer(OCTETS, multipart=True))


@router.get("/studies/{study}/series/{series}/instances/{instance}/bulkdata/{element}")
async def retrieve_bulk_data(
    study: str, series: str, instance: str, element: str, request: Request
) -> Response:
    """A value of a header as it is told, or all frames, a part each."""
    if _PATH.fullmatch(element) is None:
        raise NotFoundError("The address names no element.")
    served, stored = await pixels_at(request, study, series, instance)
    ready = await served.instance(stored)
    if element == _PIXEL_DATA:
        offer = choose(accept_of(request), frame_offers(stored, ready, one=False))
        return await frames_in_parts(request, served, stored, ready, range(stored.frames), offer)
    offer = choose(accept_of(request), _OFFERS)
    await require_told_right(request, [served])
    header = await services_of(request).dicomweb.records.told_header(served.slide, stored)
    found = await asyncio.to_thread(find_bulk, HeldBytes(header), element)
    if found is None:
        raise NotFoundError("The instance has no such element.")
    value = header[found.offset : found.offset + found.length]
    if len(value) != found.length:
        raise VerificationError("A value of the header is longer than the header.")
    parts = Multipart(OCTETS) if offer.multipart else None
    head = parts.head(OCTETS, found.length) if parts else b""
    end = parts.end() if parts else b""

    async def pieces() -> AsyncIterator[bytes]:
        yield head
        for start in range(0, len(value), _PIECE_BYTES):
            yield value[start : start + _PIECE_BYTES]
        yield end

    content_type = parts.content_type if parts else OCTETS
    length = len(head) + len(value) + len(end)
    return await streamed(request, pieces(), content_type, length, KEPT)
