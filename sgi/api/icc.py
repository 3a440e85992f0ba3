"""`/slides/{slide}/icc`: the profile beside the raw tiles, for who manages colours alone."""

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.services import services_of, session_of
from sgi.errors import NotFoundError

router = APIRouter(tags=["slides"])


@router.get("/slides/{slide_id}/icc")
async def icc_profile(slide_id: UUID, request: Request) -> Response:
    """The profile that the colours of the slide's tiles are in; 404 where its file brought none."""
    services = services_of(request)
    served = await services.grants.slide(session_of(request), slide_id)
    profile = await services.profiles.of(served.slide)
    if profile is None:
        raise NotFoundError("The slide brought no colour profile.")
    headers = {"Cache-Control": "private, max-age=86400", "Vary": "Cookie"}
    return Response(profile, media_type="application/vnd.iccprofile", headers=headers)
