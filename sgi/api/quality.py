"""`/api/v1/quality/limits` and `/slides/{slide}/focus`: the quality gate's limits and heat maps."""

import asyncio
import hashlib
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import audit, integrity, quality
from sgi.catalogue.audit import Action
from sgi.domain.quality import QualityThresholds
from sgi.errors import NotFoundError, VerificationError
from sgi.stored.keys import HEAT_MAP, heat_map_key
from sgi.stored.limits import StoredLimits, write_limits
from storage.errors import ObjectNotFoundError

router = APIRouter(tags=["quality"])


@router.get("/api/v1/quality/limits")
async def get_limits(request: Request) -> QualityThresholds:
    """From where on a slide of this establishment asks for a look or a new scan."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        return await quality.limits(connection)


@router.put("/api/v1/quality/limits")
async def put_limits(wanted: QualityThresholds, request: Request) -> QualityThresholds:
    """Other limits, for the slides that come from now on; what is left out gets its usual value."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        changed_at = await quality.set_limits(connection, establishment_id, wanted)
        await audit.record(
            connection, establishment_id, actor_of(request), Action.CHANGE_QUALITY_LIMITS
        )
        stored = StoredLimits(
            establishment_id=establishment_id, limits=wanted, changed_at=changed_at
        )
        await asyncio.to_thread(write_limits, services_of(request).stores.warm, stored)
    return wanted


@router.get("/slides/{slide_id}/focus")
async def focus(slide_id: UUID, request: Request) -> Response:
    """How sharp the slide is from place to place, as a grey PNG; 404 where it was not measured."""
    services = services_of(request)
    served = await services.grants.slide(session_of(request), slide_id)
    if served.slide.quality is None or served.slide.quality.heat_map is None:
        raise NotFoundError("The slide has no heat map.")
    async with services.database.transaction(session_of(request).establishment_id) as connection:
        known = await integrity.side_object(connection, slide_id, HEAT_MAP)
    try:
        picture = await served.focus()
    except ObjectNotFoundError:
        services.alarms.on_object(slide_id, heat_map_key(slide_id))
        raise
    if known is not None and hashlib.sha256(picture).hexdigest() != known.sha256:
        services.alarms.on_object(slide_id, heat_map_key(slide_id))
        raise VerificationError("The heat map is not what was written.")
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "Vary": "Cookie"}
    return Response(picture, media_type="image/png", headers=headers)
