"""`/api/v1/integrity`: how sound what is stored is, what was found damaged, and who knows it."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response, StreamingResponse

from sgi.api.services import Services, actor_of, services_of, session_of
from sgi.catalogue import audit, incidents, integrity, slides
from sgi.catalogue.audit import Action
from sgi.catalogue.integrity import Fixity
from sgi.domain.integrity import Damage, FoundBy, Incident, IncidentState, Place
from sgi.errors import ConflictError, NotFoundError
from sgi.jobs.checks import defer_check

router = APIRouter(prefix="/api/v1/integrity", tags=["integrity"])
_DAY_S = 86_400


class IncidentOut(BaseModel):
    """One object that was not what was written."""

    id: UUID
    slide_id: UUID | None
    place: Place
    object: str
    damage: Damage
    found_by: FoundBy
    state: IncidentState
    detail: str
    """An English sentence."""
    found_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    quarantined: bool
    """True when the damaged bytes are kept as evidence."""


class IncidentsOut(BaseModel):
    """Open ones first, then the newest."""

    items: list[IncidentOut]


class IntegrityOut(BaseModel):
    """How far the verification of this establishment's slides is."""

    slides: int
    bytes: int
    """Of all instances, in one copy; what lies beside them is less than 1%."""
    never_verified: int
    oldest_verified_at: datetime | None
    """Null where no slide was verified yet."""
    not_copied: int
    """Slides without a second copy."""
    has_second_copy: bool
    """True when a second store is set."""
    pace_mb_per_s: float
    """Of the scrub in one worker, in 10^6 bytes a second; 0 when it is left to `sgi verify`."""
    period_days: float
    """After which a slide is verified again."""
    pass_days: float | None
    """What one pass over everything takes one worker at that pace; null where it never ends."""
    scrubbed_slides: int
    scrubbed_objects: int
    scrubbed_bytes: int
    """Since the beginning, every pass counted."""
    open: int
    repaired: int
    accepted: int


@router.get("")
async def get_integrity(request: Request) -> IntegrityOut:
    """Whether all is sound, and how lately that was proved."""
    services = services_of(request)
    establishment_id = session_of(request).establishment_id
    async with services.database.transaction(establishment_id) as connection:
        seen = await integrity.overview(connection)
        counts = await incidents.counts(connection)
    scrub = services.settings.scrub
    has_second = services.stores.second is not None
    to_read = seen.bytes * (2 if has_second else 1)
    return IntegrityOut(
        slides=seen.slides,
        bytes=seen.bytes,
        never_verified=seen.never_verified,
        oldest_verified_at=seen.oldest_verified_at,
        not_copied=seen.not_copied,
        has_second_copy=has_second,
        pace_mb_per_s=scrub.mb_per_s,
        period_days=scrub.period_days,
        pass_days=to_read / (scrub.mb_per_s * 1e6) / _DAY_S if scrub.mb_per_s else None,
        scrubbed_slides=seen.scrubbed.slides,
        scrubbed_objects=seen.scrubbed.objects,
        scrubbed_bytes=seen.scrubbed.bytes,
        open=counts[IncidentState.OPEN],
        repaired=counts[IncidentState.REPAIRED],
        accepted=counts[IncidentState.ACCEPTED],
    )


@router.get("/incidents")
async def list_incidents(
    request: Request,
    state: IncidentState | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> IncidentsOut:
    """What was found, whatever became of it, or what is in one state."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await incidents.newest(connection, limit, state)
    return IncidentsOut(items=[_out(incident) for incident in found])


@router.post("/incidents/{incident_id}/accept")
async def accept(incident_id: UUID, request: Request) -> IncidentOut:
    """A person knows, and nothing more is to be done; a damaged slide stays shown as damaged."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        incident = await incidents.by_id(connection, incident_id)
        if incident is None:
            raise NotFoundError("There is no such incident.")
        if not await incidents.end(connection, incident_id, IncidentState.ACCEPTED):
            raise ConflictError(
                "The incident has ended, or was accepted already; look at the list again."
            )
        await audit.record(
            connection,
            establishment_id,
            actor_of(request),
            Action.ACCEPT_DAMAGE,
            incident.slide_id or incident_id,
        )
        incident = await incidents.by_id(connection, incident_id) or incident
    return _out(incident)


@router.post("/slides/{slide_id}/verify", status_code=202)
async def verify(slide_id: UUID, request: Request) -> Response:
    """Have one slide verified, and repaired where it can be, as soon as a worker is free."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        if await slides.by_id(connection, slide_id) is None:
            raise NotFoundError("There is no such slide.")
        await defer_check(connection, establishment_id, slide_id)
        await audit.record(
            connection, establishment_id, actor_of(request), Action.VERIFY_SLIDE, slide_id
        )
    return Response(status_code=202)


@router.get("/fixity.csv", response_class=StreamingResponse)
async def fixity(request: Request) -> StreamingResponse:
    """When each slide was last verified and copied, the one published first at the top; CSV."""
    establishment_id = session_of(request).establishment_id
    return StreamingResponse(
        _lines(services_of(request), establishment_id),
        media_type="text/csv; charset=utf-8; header=present",
        headers={
            "Content-Disposition": 'attachment; filename="fixity.csv"',
            "Cache-Control": "no-store",
        },
    )


async def _lines(services: Services, establishment_id: UUID) -> AsyncIterator[str]:
    yield _line(
        "slide", "published_at", "verified_at", "copied_at", "objects", "bytes", "incidents"
    )
    last: Fixity | None = None
    while True:
        # Whoever reads slowly holds up nobody: no transaction outlives its page.
        async with services.database.transaction(establishment_id) as connection:
            page = await integrity.fixity_page(connection, last)
        if not page:
            return
        yield "".join(_line(*_values(row)) for row in page)
        last = page[-1]


def _values(row: Fixity) -> tuple[object, ...]:
    times = (row.published_at, row.verified_at, row.copied_at)
    told = ("" if at is None else at.isoformat(timespec="seconds") for at in times)
    return row.slide_id, *told, row.objects, row.bytes, row.incidents


def _line(*values: object) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return text.getvalue()


def _out(incident: Incident) -> IncidentOut:
    return IncidentOut(
        id=incident.id,
        slide_id=incident.slide_id,
        place=incident.place,
        object=incident.object_key,
        damage=incident.damage,
        found_by=incident.found_by,
        state=incident.state,
        detail=incident.detail,
        found_at=incident.found_at,
        last_seen_at=incident.last_seen_at,
        ended_at=incident.ended_at,
        quarantined=incident.quarantine_key is not None,
    )
