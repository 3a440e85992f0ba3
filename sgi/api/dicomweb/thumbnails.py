"""WADO-RS thumbnails: a small picture that stands for a study, a series or an instance."""

from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.accept import choose
from dicom.web.rendering import Viewport, parse_rendering
from sgi.api.dicomweb.addressed import pixels_at, series_at, told_right
from sgi.api.dicomweb.answers import SHOWN, accept_of, kept_of
from sgi.api.dicomweb.places import RETIRED
from sgi.api.dicomweb.rendered import OFFERS, picture_of
from sgi.api.services import services_of, session_of
from sgi.api.slide_store import ServedSlide
from sgi.domain.slide import StoredInstance
from sgi.errors import RetiredError
from tiling.geometry import Size

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_SIDE_PX = 256
"""Where no viewport is said."""


@router.get("/studies/{study}/thumbnail")
async def study_thumbnail(study: str, request: Request) -> Response:
    """Of the first slide of a study; it shows tissue alone, and leaves no view on record.

    A slide that waits to be told of another patient does not stand for this one's study.
    """
    places = services_of(request).dicomweb.places
    found = await places.slides_of_study(session_of(request), study)
    if not found:
        raise RetiredError(RETIRED)
    served, *_ = await told_right(request, found)
    return await _answer(request, served, _small(served))


@router.get("/studies/{study}/series/{series}/thumbnail")
async def series_thumbnail(study: str, series: str, request: Request) -> Response:
    """Of a slide."""
    served = await series_at(request, study, series, shows_names=False)
    return await _answer(request, served, _small(served))


@router.get("/studies/{study}/series/{series}/instances/{instance}/thumbnail")
async def instance_thumbnail(study: str, series: str, instance: str, request: Request) -> Response:
    """Of an instance: of a level the slide's, of a label or an overview their own, made small."""
    served, stored = await pixels_at(request, study, series, instance)
    return await _answer(request, served, stored if stored.level is None else _small(served))


async def _answer(request: Request, served: ServedSlide, stored: StoredInstance) -> Response:
    asked = parse_rendering(request.scope["query_string"])
    if asked.viewport is None:
        asked = replace(asked, viewport=Viewport(Size(_SIDE_PX, _SIDE_PX)))
    media_type = choose(accept_of(request), OFFERS).media_type
    picture = await picture_of(services_of(request), served, stored, asked, media_type)
    return Response(picture, media_type=media_type, headers=kept_of(stored, SHOWN))


def _small(served: ServedSlide) -> StoredInstance:
    """The slide's thumbnail, or the coarsest level where it has none."""
    return served.slide.instance("thumbnail") or served.slide.levels[-1]
