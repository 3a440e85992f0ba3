"""`/slides/{slide}/{label,overview,thumbnail}`: associated images, as a browser shows them."""

import asyncio
from typing import Literal
from uuid import UUID

import imagecodecs
import numpy as np
from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.label_codes import shows_patient_code
from sgi.api.services import services_of, session_of
from sgi.catalogue.audit import Action
from sgi.domain.account import Role
from sgi.domain.slide import StoredInstance
from sgi.errors import NotFoundError

router = APIRouter(tags=["slides"])

Kind = Literal["label", "overview", "thumbnail"]
PICTURES_OF_LABEL = frozenset({"label", "overview"})


@router.get("/slides/{slide_id}/{kind}")
async def associated_image(slide_id: UUID, kind: Kind, request: Request) -> Response:
    """The image as stored, losslessly as PNG; 404 when the slide has none of that kind.

    Label and overview carry names, so that each session's look at them is on record. Guests see
    neither where a patient's INS code was read there.
    """
    session, grants = session_of(request), services_of(request).grants
    served = await grants.slide(session, slide_id)
    stored = served.slide.instance(kind)
    is_guests = session.role is Role.GUEST and kind in PICTURES_OF_LABEL
    if stored is None or (is_guests and shows_patient_code(served.slide.facts)):
        raise NotFoundError("The slide has no such image.")
    if kind in PICTURES_OF_LABEL:
        address = request.scope["state"]["address"]
        await grants.record(session, address, slide_id, Action.SHOW_LABEL)
    etag = f'"{stored.sop_uid.rpartition(".")[2]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=31536000, immutable",
        "Vary": "Cookie",  # another session of the same browser asks again, and is on record
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    frame = await served.frame(await served.instance(stored), 0)
    png = await asyncio.to_thread(_png, stored, frame)
    return Response(png, media_type="image/png", headers=headers)


def _png(stored: StoredInstance, frame: bytes) -> bytes:
    """An uncompressed RGB frame as PNG."""
    pixels = np.frombuffer(frame, np.uint8, count=stored.rows * stored.columns * 3)
    shaped = pixels.reshape(stored.rows, stored.columns, 3)
    return bytes(imagecodecs.png_encode(shaped, level=3))
