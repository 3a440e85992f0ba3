"""`/iiif/3/{slide}/…`: slides for any viewer that speaks the IIIF Image API 3.0, at level 2.

Beyond the API, query parameters choose the colours (`icc=srgb` or `display-p3`), an optical path
and a focal plane (`path`, `plane`).
"""

import hashlib
import json
import re
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from sgi.api.grants import slide_id_of
from sgi.api.iiif_info import CONTEXT, PROFILE, information
from sgi.api.iiif_syntax import Words, understand
from sgi.api.regions import bounds_of, etag_of, levels_of
from sgi.api.services import services_of, session_of
from sgi.api.slide_store import ServedSlide
from sgi.catalogue.audit import Action
from sgi.errors import MalformedPictureError

router = APIRouter(tags=["other viewers"])

PREFIX = "/iiif/3/"
_HOST = re.compile(r"[A-Za-z0-9.:\[\]_-]{1,255}", re.ASCII)
_JSON_LD, _JSON = "application/ld+json", "application/json"
_A_DAY = "private, max-age=86400"
_ASK_AGAIN = "private, no-cache"


class Extensions(BaseModel):
    """Beyond the API: what its section 4.9 leaves to the query."""

    icc: str | None = None
    """`srgb` or `display-p3`: colours are converted; else they are the scanner's own."""
    path: str | None = None
    """An optical path by its index; else all light together."""
    plane: str | None = None
    """A focal plane by its index; else the one that stands for the slide."""


@router.get(f"{PREFIX}{{slide}}", status_code=303, response_class=RedirectResponse)
async def base_uri(slide: str, request: Request) -> Response:
    """To the image's information (section 2)."""
    served = await services_of(request).grants.slide(session_of(request), slide_id_of(slide))
    return RedirectResponse(f"{_base_uri(request, served)}/info.json", 303)


@router.get(f"{PREFIX}{{slide}}/info.json")
async def information_request(slide: str, request: Request) -> Response:
    """What the slide offers (section 5), as JSON-LD unless plain JSON is preferred."""
    served = await _viewed(slide, request)
    document = information(served.slide, _base_uri(request, served))
    body = json.dumps(document, ensure_ascii=False).encode()
    preferred = _preferred(request.headers.get("accept"))
    kind = f'{_JSON_LD};profile="{CONTEXT}"' if preferred == _JSON_LD else _JSON
    etag = f'"{hashlib.sha256(kind.encode() + body).hexdigest()[:32]}"'
    headers = {
        "ETag": etag,
        "Cache-Control": _ASK_AGAIN,
        "Vary": "Accept, Cookie",
        "Link": f'<{PROFILE}>;rel="profile"',
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers | {"Content-Type": kind})


@router.get(f"{PREFIX}{{slide}}/{{region}}/{{size}}/{{rotation}}/{{picture}}")
async def image_request(
    slide: str,
    region: str,
    size: str,
    rotation: str,
    picture: str,
    query: Annotated[Extensions, Query()],
    request: Request,
) -> Response:
    """A picture of the slide (section 4)."""
    services = services_of(request)
    served = await _viewed(slide, request)
    extensions = query.model_dump(exclude_none=True)
    understood = understand(
        Words(region, size, rotation, picture),
        extensions,
        levels_of(served.slide)[0].size,
        bounds_of(served.slide),
    )
    words, asked = understood.canonical, understood.asked
    address = f"{words.region}/{words.size}/{words.rotation}/{words.picture}"
    said = f"?{urlencode(extensions)}" if extensions else ""
    canonical = f"{_base_uri(request, served)}/{address}{said}"
    etag = etag_of(served.slide, asked)
    headers = {
        "ETag": etag,
        "Cache-Control": _A_DAY,
        "Vary": "Cookie",
        "Link": f'<{canonical}>;rel="canonical", <{PROFILE}>;rel="profile"',
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    drawn = await services.regions.picture(served, asked)
    return Response(drawn, media_type=asked.look.format.media_type, headers=headers)


async def _viewed(slide: str, request: Request) -> ServedSlide:
    """A slide of the session's establishment, with the view on record."""
    session, grants = session_of(request), services_of(request).grants
    served = await grants.slide(session, slide_id_of(slide))
    address = request.scope["state"]["address"]
    await grants.record(session, address, served.slide.id, Action.VIEW_SLIDE)
    return served


def _base_uri(request: Request, served: ServedSlide) -> str:
    """Scheme, server, prefix and identifier, as the client reached them."""
    scheme = "https" if services_of(request).settings.secure else "http"
    host = request.headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        raise MalformedPictureError("The request names no host.")
    return f"{scheme}://{host}{PREFIX}{served.slide.id}"


def _preferred(accept: str | None) -> str:
    """JSON-LD (5.1), unless plain JSON is asked for by name and valued more."""
    values = {_JSON_LD: 0.0, _JSON: 0.0}
    for part in (accept or "").split(","):
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        if kind in values:
            values[kind] = _value_of(parameters)
    return _JSON if values[_JSON] > values[_JSON_LD] else _JSON_LD


def _value_of(parameters: list[str]) -> float:
    """Of a media range (RFC 9110 12.5.1)."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q" and re.fullmatch(r"[01](\.[0-9]{0,3})?", value.strip()):
            return float(value)
    return 1.0
