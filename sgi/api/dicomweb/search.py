"""QIDO-RS: `/dicomweb/studies`, `/series` and `/instances`, of everything or of what is named."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from dicom.web.attributes import (
    AVAILABILITY,
    MODALITIES_IN_STUDY,
    RETRIEVE_URL,
    SERIES_INSTANCES,
    SERIES_UID,
    SOP_INSTANCE_UID,
    STUDY_INSTANCES,
    STUDY_SERIES,
    STUDY_UID,
)
from dicom.web.document import located
from dicom.web.query import Query, parse_query
from sgi.api.dicomweb.addressed import address_of
from sgi.api.dicomweb.answers import json_answer, require_json
from sgi.api.services import services_of, session_of
from sgi.catalogue import dicomweb
from sgi.catalogue.database import Connection
from sgi.catalogue.dicomweb import FoundInstance, FoundSeries, FoundStudy, Place
from sgi.domain.tier import Tier

router = APIRouter(prefix="/dicomweb", tags=["dicomweb"])

_MORE = "There are additional results that can be requested"
_NOT_ALL = "Some slides are not searched yet; ask again"
_Found = TypeVar("_Found")


@router.get("/studies")
async def search_for_studies(request: Request) -> Response:
    """Studies; a study is found by any of its slides."""

    async def search(connection: Connection, query: Query) -> list[FoundStudy]:
        return await dicomweb.search_studies(connection, query)

    return await _answer(request, search, _study)


@router.get("/series")
async def search_for_all_series(request: Request) -> Response:
    """Series of every study."""
    return await _series_answer(request, Place())


@router.get("/studies/{study}/series")
async def search_for_series(study: str, request: Request) -> Response:
    """Series of a study."""
    return await _series_answer(request, Place(study))


@router.get("/instances")
async def search_for_all_instances(request: Request) -> Response:
    """Instances of every study."""
    return await _instances_answer(request, Place())


@router.get("/studies/{study}/instances")
async def search_for_instances_of_study(study: str, request: Request) -> Response:
    """Instances of a study."""
    return await _instances_answer(request, Place(study))


@router.get("/studies/{study}/series/{series}/instances")
async def search_for_instances(study: str, series: str, request: Request) -> Response:
    """Instances of a series."""
    return await _instances_answer(request, Place(study, series))


async def _series_answer(request: Request, place: Place) -> Response:
    async def search(connection: Connection, query: Query) -> list[FoundSeries]:
        return await dicomweb.search_series(connection, place, query)

    return await _answer(request, search, _series)


async def _instances_answer(request: Request, place: Place) -> Response:
    async def search(connection: Connection, query: Query) -> list[FoundInstance]:
        return await dicomweb.search_instances(connection, place, query)

    return await _answer(request, search, _instance)


async def _answer(
    request: Request,
    search: Callable[[Connection, Query], Awaitable[list[_Found]]],
    told: Callable[[Request, _Found], dict[str, Any]],
) -> Response:
    require_json(request)
    query = parse_query(request.scope["query_string"])
    services, establishment_id = services_of(request), session_of(request).establishment_id
    async with services.database.transaction(establishment_id) as connection:
        complete = await dicomweb.is_complete(connection)
        found = await search(connection, query)
    return json_answer(
        request,
        (told(request, each) for each in found[: query.limit]),
        _warnings(complete=complete, more=len(found) > query.limit),
    )


def _warnings(*, complete: bool, more: bool) -> Iterator[str]:
    if more:
        yield _MORE
    if not complete:
        yield _NOT_ALL


def _study(request: Request, found: FoundStudy) -> dict[str, Any]:
    return _sorted(
        found.document
        | _one(STUDY_UID, "UI", found.study_uid)
        | _one(AVAILABILITY, "CS", "ONLINE" if found.is_warm else "NEARLINE")
        | {MODALITIES_IN_STUDY: {"vr": "CS", "Value": found.modalities}}
        | _one(RETRIEVE_URL, "UR", address_of(request, found.study_uid))
        | _one(STUDY_SERIES, "IS", found.series)
        | _one(STUDY_INSTANCES, "IS", found.instances)
    )


def _series(request: Request, found: FoundSeries) -> dict[str, Any]:
    return _sorted(
        found.document
        | _one(STUDY_UID, "UI", found.study_uid)
        | _one(SERIES_UID, "UI", found.series_uid)
        | _one(RETRIEVE_URL, "UR", address_of(request, found.study_uid, found.series_uid))
        | _one(SERIES_INSTANCES, "IS", found.instances)
    )


def _instance(request: Request, found: FoundInstance) -> dict[str, Any]:
    address = address_of(request, found.study_uid, found.series_uid, found.sop_uid)
    return _sorted(
        located(found.document, address)
        | _one(STUDY_UID, "UI", found.study_uid)
        | _one(SERIES_UID, "UI", found.series_uid)
        | _one(SOP_INSTANCE_UID, "UI", found.sop_uid)
        | _one(AVAILABILITY, "CS", "ONLINE" if found.tier == Tier.WARM else "NEARLINE")
        | _one(RETRIEVE_URL, "UR", address)
    )


def _one(tag: str, representation: str, value: str | int) -> dict[str, Any]:
    return {tag: {"vr": representation, "Value": [value]}}


def _sorted(document: dict[str, Any]) -> dict[str, Any]:
    return dict(sorted(document.items()))
