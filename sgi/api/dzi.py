"""`/dzi/{slide}.dzi` and `/dzi/{slide}_files/{level}/{column}_{row}.jpg`: slides as DeepZoom.

A tile that lies wholly within the slide at a stored level is the stored tile, untouched.
"""

import re

from fastapi import APIRouter, Request
from starlette.responses import Response

from sgi.api.grants import slide_id_of
from sgi.api.regions import PLAIN, Asked, etag_of, levels_of
from sgi.api.services import services_of, session_of
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.errors import NotFoundError
from tiling.deep_zoom import DeepZoom

router = APIRouter(tags=["other viewers"])

PREFIX = "/dzi/"
_DOCUMENT, _FILES = ".dzi", "_files"
_LEVEL = re.compile(r"[0-9]{1,2}", re.ASCII)
_TILE = re.compile(r"([0-9]{1,9})_([0-9]{1,9})\.jpg", re.ASCII)


@router.get(f"{PREFIX}{{document}}")
async def document(document: str, request: Request) -> Response:
    """The description of the pyramid."""
    served = await _viewed(document, _DOCUMENT, request)
    body = DeepZoom.of(levels_of(served.slide)).document()
    headers = {"Cache-Control": "private, no-cache", "Vary": "Cookie"}
    return Response(body, media_type="application/xml", headers=headers)


@router.get(f"{PREFIX}{{files}}/{{level}}/{{tile}}")
async def tile(files: str, level: str, tile: str, request: Request) -> Response:
    """A tile as JPEG; level 0 is a single pixel."""
    served = await _viewed(files, _FILES, request)
    position = _TILE.fullmatch(tile)
    if _LEVEL.fullmatch(level) is None or position is None:
        raise NotFoundError("A tile is named by level, column and row.")
    deep_zoom = DeepZoom.of(levels_of(served.slide))
    try:
        region, size = deep_zoom.region(int(level), int(position[1]), int(position[2]))
    except IndexError as error:
        raise NotFoundError("The slide has no such tile.") from error
    asked = Asked(region, size, PLAIN)
    etag = etag_of(served.slide, asked)
    headers = {"ETag": etag, "Cache-Control": "private, max-age=86400", "Vary": "Cookie"}
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    drawn = await services_of(request).regions.picture(served, asked)
    return Response(drawn, media_type="image/jpeg", headers=headers)


async def _viewed(name: str, ending: str, request: Request) -> ServedSlide:
    """The slide of a name with that ending, with the view on record; raises NotFoundError."""
    if not name.endswith(ending):
        raise NotFoundError(f"The name of a slide ends in {ending} here.")
    session, grants = session_of(request), services_of(request).grants
    served = await grants.slide(session, slide_id_of(name.removesuffix(ending)))
    address = request.scope["state"]["address"]
    await grants.record(session, address, served.slide.id, Action.VIEW_SLIDE)
    return served
