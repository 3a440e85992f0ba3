"""`/api/v1/events`: arrivals pushed to the browser as they change (server-sent events)."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import StreamingResponse

from sgi.api.arrivals import arrival_out
from sgi.api.feed import CaseChanged, Change, Moved
from sgi.api.language import requested_language
from sgi.api.services import Services, services_of, session_of
from sgi.api.tiers import slide_tiers_out
from sgi.catalogue import accounts, arrivals, slides
from sgi.domain.account import Permission, Session
from sgi.domain.arrival import ArrivalState
from sgi.domain.words import Language

router = APIRouter(prefix="/api/v1", tags=["arrivals"])
_PING_S = 15.0


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """`arrival` with the whole arrival, `slide` with `{"id"}`, `reset`: read the lists again.

    `tiers` with `{"id", "file_name", "tiers"}`: a slide moves between tiers. `case` with `{"id"}`,
    for who may see cases: something of it is not as it was.
    """
    told = _stream(services_of(request), session_of(request), requested_language(request))
    return StreamingResponse(
        iter(()) if request.scope["state"]["head"] else told,  # HEAD would never end
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _stream(services: Services, session: Session, language: Language) -> AsyncIterator[bytes]:
    """Until the browser leaves or the session ends; a comment every 15 s keeps it open."""
    with services.feed.subscription(session) as changes:
        yield b": connected\n\n"
        while True:
            try:
                changed = await asyncio.wait_for(changes.get(), _PING_S)
            except TimeoutError:
                if _expired(session):
                    return
                yield b": ping\n\n"
                continue
            if _expired(session):
                return
            if changed is None:
                if not await _lives(services, session):
                    return
                yield _event("reset", "{}")
                continue
            for event in await _events_of(services, session, changed, language):
                yield event


async def _events_of(
    services: Services, session: Session, changed: Change, language: Language
) -> list[bytes]:
    match changed:
        case CaseChanged(case_id):
            may = session.may(Permission.VIEW_CASES)
            return [_event("case", f'{{"id": "{case_id}"}}')] if may else []
        case Moved(slide_id):
            return await _tier_events(services, session, slide_id, language)
        case arrival_id:
            return await _arrival_events(services, session, arrival_id, language)


def _expired(session: Session) -> bool:
    return datetime.now(UTC) >= session.expires_at


async def _lives(services: Services, session: Session) -> bool:
    async with services.database.transaction(session.establishment_id) as connection:
        return await accounts.session_lives(connection, session.id)


async def _tier_events(
    services: Services, session: Session, slide_id: UUID, language: Language
) -> list[bytes]:
    async with services.database.transaction(session.establishment_id) as connection:
        slide = await slides.by_id(connection, slide_id)
        if slide is None:
            return []
        tiers = await slide_tiers_out(services, session, connection, slide, language)
    told = {
        "id": str(slide_id),
        "file_name": slide.file_name,
        "tiers": tiers.model_dump(mode="json"),
    }
    return [_event("tiers", json.dumps(told))]


async def _arrival_events(
    services: Services, session: Session, arrival_id: UUID, language: Language
) -> list[bytes]:
    async with services.database.transaction(session.establishment_id) as connection:
        arrival = await arrivals.by_id(connection, arrival_id)
    if arrival is None:
        return []
    told = [_event("arrival", arrival_out(arrival, language).model_dump_json())]
    if arrival.state is ArrivalState.PUBLISHED:
        told.append(_event("slide", f'{{"id": "{arrival.slide_id}"}}'))
    return told
