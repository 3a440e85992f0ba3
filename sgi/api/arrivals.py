"""`/api/v1/arrivals`: files on their way in."""

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel

from sgi.api.language import requested_language
from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import arrivals, audit
from sgi.catalogue.audit import Action
from sgi.domain.arrival import Arrival, ArrivalState, ReasonCode
from sgi.domain.words import Language, sentence
from sgi.errors import ConflictError, NotFoundError

router = APIRouter(prefix="/api/v1", tags=["arrivals"])
_SHOWN = 100


class ArrivalOut(BaseModel):
    """One file: where it stands, and why."""

    id: UUID
    file_name: str
    state: ArrivalState
    progress: float
    """0 to 1."""
    reason: str | None
    """One sentence: what is wrong and what to do."""
    reason_code: ReasonCode | None
    seen_at: datetime
    size_bytes: int
    slide: UUID | None
    """The slide that it became."""


class ArrivalsOut(BaseModel):
    """The newest hundred, and every one that is still in work or stopped."""

    items: list[ArrivalOut]


def arrival_out(arrival: Arrival, language: Language) -> ArrivalOut:
    """An arrival as it is told to a client."""
    slide: UUID | None = None
    if arrival.state is ArrivalState.PUBLISHED:
        slide = arrival.slide_id
    elif arrival.state is ArrivalState.DUPLICATE and arrival.reason and arrival.reason.detail:
        slide = UUID(arrival.reason.detail)
    return ArrivalOut(
        id=arrival.id,
        file_name=arrival.file_name,
        state=arrival.state,
        progress=arrival.progress,
        reason=None if arrival.reason is None else sentence(arrival.reason, language),
        reason_code=None if arrival.reason is None else arrival.reason.code,
        seen_at=arrival.seen_at,
        size_bytes=arrival.fingerprint.size_bytes,
        slide=slide,
    )


@router.get("/arrivals")
async def list_arrivals(request: Request) -> ArrivalsOut:
    """What came in lately, newest first."""
    language = requested_language(request)
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await arrivals.newest(connection, _SHOWN)
    return ArrivalsOut(items=[arrival_out(arrival, language) for arrival in found])


@router.post("/arrivals/{arrival_id}/retry", status_code=202)
async def retry_arrival(arrival_id: UUID, request: Request) -> ArrivalOut:
    """Look at a held or quarantined file again."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        if await arrivals.by_id(connection, arrival_id) is None:
            raise NotFoundError("There is no such arrival.")
        if not await arrivals.look_again(connection, arrival_id):
            raise ConflictError("The arrival is neither held nor quarantined.")
        await audit.record(
            connection, establishment_id, actor_of(request), Action.RETRY_ARRIVAL, arrival_id
        )
        arrival = await arrivals.by_id(connection, arrival_id)
    if arrival is None:
        raise NotFoundError("There is no such arrival.")
    return arrival_out(arrival, requested_language(request))
