"""WADO-RS metadata: every attribute of instances as DICOM JSON, bulk data as their addresses."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.document import located
from dicom.web.errors import TooMuchAskedError
from sgi.api.dicomweb.addressed import (
    address_of,
    instance_at,
    notes_at,
    require_told_right,
    series_at,
    study_at,
)
from sgi.api.dicomweb.answers import json_answer, require_json
from sgi.api.dicomweb.notes import ABSENT, notes_or_raise
from sgi.api.dicomweb.places import MOST_SLIDES
from sgi.api.services import services_of
from sgi.api.slide_store import ServedSlide

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])


@router.get("/studies/{study}/metadata")
async def study_metadata(study: str, request: Request) -> Response:
    """Of every instance of a study, the notes of what was retired among them."""
    require_json(request)
    found, notes = await study_at(request, study), await notes_at(request, study)
    if len(found) > MOST_SLIDES:
        raise TooMuchAskedError("The study has more slides than one answer tells.")
    await require_told_right(request, found)
    told = [document for served in found for document in await _told(request, served)]
    return json_answer(request, told + [note.document for note in notes])


@router.get("/studies/{study}/series/{series}/metadata")
async def series_metadata(study: str, series: str, request: Request) -> Response:
    """Of every instance of a series."""
    require_json(request)
    try:
        served = await series_at(request, study, series)
    except ABSENT as error:
        notes = await notes_or_raise(request, error, study, series)
        return json_answer(request, [note.document for note in notes])
    await require_told_right(request, [served])
    return json_answer(request, await _told(request, served))


@router.get("/studies/{study}/series/{series}/instances/{instance}/metadata")
async def instance_metadata(study: str, series: str, instance: str, request: Request) -> Response:
    """Of one instance."""
    require_json(request)
    try:
        served, stored = await instance_at(request, study, series, instance)
    except ABSENT as error:
        notes = await notes_or_raise(request, error, study, series, instance)
        return json_answer(request, [note.document for note in notes])
    await require_told_right(request, [served])
    return json_answer(request, await _told(request, served, served.slide.told_uid(stored)))


async def _told(
    request: Request, served: ServedSlide, only: str | None = None
) -> list[dict[str, Any]]:
    slide = served.slide
    documents = await services_of(request).dicomweb.records.of_slide(slide)
    return [
        located(document, address_of(request, slide.told_study_uid, slide.told_series_uid, uid))
        for uid, document in documents.items()
        if only in (None, uid)
    ]
