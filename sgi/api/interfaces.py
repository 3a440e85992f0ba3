"""`/api/v1/interfaces` and `/api/v1/outbox`: how the links to the laboratory go, and what waits."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel

from sgi.api.language import requested_language
from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import audit, interfaces, outbox
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.catalogue.outbox import Notice
from sgi.domain.interface import (
    SENTENCES,
    Health,
    Interface,
    NoticeKind,
    NoticeState,
    Traffic,
    health,
    minutes_behind,
)
from sgi.domain.link_words import link_words
from sgi.domain.words import Language
from sgi.errors import ConflictError, NotFoundError

router = APIRouter(prefix="/api/v1", tags=["interfaces"])


class InterfaceOut(BaseModel):
    """One link with another system."""

    name: str
    kind: str
    """"mllp" or "files"."""
    port: int | None
    """Where it listens."""
    sends: list[NoticeKind]
    last_message_at: datetime | None
    """In or out, whichever was later."""
    last_in_at: datetime | None
    last_out_at: datetime | None
    backlog: int
    """Notices that wait to be told."""
    stopped: int
    """Notices that were refused or tried too often: a person must look."""
    failures: int
    """Messages refused by either side in the last 24 hours, and notices that stopped."""
    minutes_behind: int
    """How long the oldest notice waits."""
    seen_at: datetime
    """When its process last gave a sign of life."""
    health: Health
    sentence: str
    """What an administrator needs to know, in English; `health` is its code."""


class InterfacesOut(BaseModel):
    """By name."""

    items: list[InterfaceOut]


class NoticeOut(BaseModel):
    """Something that is to be told to another system."""

    id: UUID
    interface: str
    kind: NoticeKind
    case_id: UUID | None
    created_at: datetime
    next_try_at: datetime
    attempts: int
    state: NoticeState
    message_id: UUID | None
    """What went out for it; None before the first try."""
    last_error: str | None
    """What came of the last try: our own words in the language asked for, theirs as they came."""


class OutboxOut(BaseModel):
    """What a person must look at first, then what waits, the oldest first."""

    items: list[NoticeOut]


@router.get("/interfaces")
async def list_interfaces(request: Request) -> InterfacesOut:
    """How each link goes, with the sentence that an administrator needs."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await interfaces.all_(connection)
        now = await interfaces.now(connection)
    language = requested_language(request)
    return InterfacesOut(items=[_interface(*each, now, language) for each in found])


@router.delete("/interfaces/{name}", status_code=204)
async def remove_interface(
    name: Annotated[str, Path(max_length=40, pattern=WITHOUT_NUL)], request: Request
) -> None:
    """Forget one whose file is gone, and give up what it was to tell; 409 for one that runs."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        await interfaces.remove(connection, name)
        await audit.record(connection, establishment_id, actor_of(request), Action.REMOVE_INTERFACE)


@router.get("/outbox")
async def list_outbox(
    request: Request,
    interface: Annotated[str | None, Query(max_length=40, pattern=WITHOUT_NUL)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> OutboxOut:
    """What is not settled."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await outbox.unsettled(connection, interface, limit)
    return OutboxOut(items=[_notice(notice, requested_language(request)) for notice in found])


@router.post("/outbox/{notice_id}/retry")
async def retry(notice_id: UUID, request: Request) -> NoticeOut:
    """Have it told at once, and one that was refused or tried too often as a new message."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        if await outbox.by_id(connection, notice_id) is None:
            raise NotFoundError("There is no such notice.")
        if not await outbox.retry(connection, notice_id):
            raise ConflictError("The notice is on its way, or was settled already.")
        return await _changed(request, connection, notice_id, Action.RETRY_NOTICE)


@router.post("/outbox/{notice_id}/give-up")
async def give_up(notice_id: UUID, request: Request) -> NoticeOut:
    """It is not told any more: somebody saw to it in another way, or it does not matter."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        if await outbox.by_id(connection, notice_id) is None:
            raise NotFoundError("There is no such notice.")
        if not await outbox.give_up(connection, notice_id):
            raise ConflictError("The notice is on its way, or was settled already.")
        return await _changed(request, connection, notice_id, Action.GIVE_UP_NOTICE)


async def _changed(
    request: Request, connection: Connection, notice_id: UUID, action: Action
) -> NoticeOut:
    establishment_id = session_of(request).establishment_id
    await audit.record(connection, establishment_id, actor_of(request), action, notice_id)
    notice = await outbox.by_id(connection, notice_id)
    if notice is None:
        raise NotFoundError("There is no such notice.")
    return _notice(notice, requested_language(request))


def _interface(
    interface: Interface, traffic: Traffic, now: datetime, language: Language
) -> InterfaceOut:
    is_now = health(interface, traffic, now)
    times = [at for at in (traffic.last_in_at, traffic.last_out_at) if at is not None]
    return InterfaceOut(
        name=interface.name,
        kind=interface.kind,
        port=interface.port,
        sends=sorted(interface.sends),
        last_message_at=max(times, default=None),
        last_in_at=traffic.last_in_at,
        last_out_at=traffic.last_out_at,
        backlog=traffic.backlog,
        stopped=traffic.stopped,
        failures=traffic.refused_today + traffic.stopped,
        minutes_behind=minutes_behind(traffic, now),
        seen_at=interface.seen_at,
        health=is_now,
        sentence=link_words(SENTENCES[is_now], language) or "",
    )


def _notice(notice: Notice, language: Language) -> NoticeOut:
    return NoticeOut(
        id=notice.id,
        interface=notice.interface,
        kind=notice.kind,
        case_id=notice.case_id,
        created_at=notice.created_at,
        next_try_at=notice.next_try_at,
        attempts=notice.attempts,
        state=notice.state,
        message_id=notice.message_id,
        last_error=link_words(notice.last_error, language),
    )
