"""`/api/v1/destructions`: one person asks, a second approves, a job carries out, a paper proves."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.responses import Response

from sgi.api.language import requested_language
from sgi.api.retention import ReasonText
from sgi.api.services import Services, actor_of, services_of, session_of
from sgi.catalogue import audit, destructions, holds, retention, slides
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.domain.account import Session
from sgi.domain.failures import failure_told
from sgi.domain.french import CONFLICTS, in_french
from sgi.domain.retention import (
    Destruction,
    DestructionState,
    Ground,
    Person,
    is_early,
    may_approve,
)
from sgi.domain.slide import Slide
from sgi.domain.words import Language
from sgi.errors import ConflictError, ForbiddenError, NotFoundError
from sgi.jobs.retention import defer_destruction
from sgi.stored.retention import Certificate, write_destruction

router = APIRouter(prefix="/api/v1", tags=["retention"])

HELD = "The slide is under a legal hold; lift the hold first."
NOT_ENDED_ANY_MORE = (
    "The retention has moved on since this was asked for, because the patient was seen or the rule "
    "is longer; withdraw the destruction."
)
OF_ANOTHER = "The destruction is one of another slide; look at the list again and name its slide."
NOT_ASKED = (
    "The destruction is not asked for any more: it is approved, withdrawn or done; look at the "
    "list again."
)
BEGUN = "The destruction has begun, or has ended; it cannot be withdrawn any more."


class DestructionIn(BaseModel):
    """A slide to be destroyed, and why."""

    slide_id: UUID
    ground: Ground
    """`retention_ended`, or earlier: `wrong_slide`, `duplicate`, `test`, `other`."""
    reason: ReasonText


class ApprovalIn(BaseModel):
    """The second person names the slide once more: an id in an address is soon mistaken."""

    slide_id: UUID


class WithdrawalIn(BaseModel):
    """Why it is not to be."""

    reason: ReasonText


class DoomedOut(BaseModel):
    """What would be destroyed; gone from here once that has begun."""

    file_name: str
    published_at: datetime
    size_bytes: int
    objects: int
    format: str
    columns: int
    rows: int


class DestructionOut(BaseModel):
    """One destruction, whatever became of it."""

    id: UUID
    slide_id: UUID
    source_sha256: str
    state: DestructionState
    ground: Ground
    reason: str
    kept_until: date
    early: bool
    """True where it was asked for before the retention ended."""
    asked_by: str
    asked_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    not_before: datetime | None
    withdrawn_by: str | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    began_at: datetime | None
    done_at: datetime | None
    failure: str | None
    """Why the last try did not end it; it is tried again every minute."""
    may_approve: bool
    """True for who reads this: another account, in another session, than who asked."""
    slide: DoomedOut | None


class DestructionsOut(BaseModel):
    """Those that wait first, then the newest."""

    items: list[DestructionOut]


def _person(session: Session) -> Person:
    return Person(session.account_id, session.account_name, session.id)


@router.get("/destructions")
async def list_destructions(
    request: Request, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> DestructionsOut:
    """What was asked for, what waits, what was done."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await destructions.newest(connection, limit)
        language = requested_language(request)
        told = [await _out(connection, session, each, language) for each in found]
        return DestructionsOut(items=told)


@router.post("/destructions", status_code=201)
async def ask_destruction(body: DestructionIn, request: Request) -> DestructionOut:
    """Ask for a slide to be destroyed: nothing happens to it before somebody else approves.

    409 for a held slide, one that is asked for already, or a retention that has not ended.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        slide = await slides.by_id(connection, body.slide_id)
        if slide is None:
            raise NotFoundError("There is no such slide.")
        if await holds.open_hold(connection, slide.id) is not None:
            raise ConflictError(HELD)
        until = await _until(connection, slide.id)
        if not is_early(body.ground) and datetime.now(UTC).date() < until:
            raise ConflictError(destructions.NOT_ENDED)
        asked = await destructions.ask(
            connection, slide.id, until, body.ground, body.reason, _person(session)
        )
        if asked is None:
            raise NotFoundError("There is no such slide.")
        await _record(connection, services, request, Action.ASK_DESTRUCTION, asked)
        return await _out(connection, session, asked, requested_language(request))


@router.post("/destructions/{destruction_id}/approve")
async def approve_destruction(
    destruction_id: UUID, body: ApprovalIn, request: Request
) -> DestructionOut:
    """The second person's yes; after the waiting time a job destroys the slide.

    403 for the account or the session that asked; 409 when it is not asked for any more.
    """
    services, session = services_of(request), session_of(request)
    person = _person(session)
    async with services.database.transaction(session.establishment_id) as connection:
        asked = await _require(connection, destruction_id)
        if asked.slide_id != body.slide_id:
            raise ConflictError(OF_ANOTHER)
        if asked.state is not DestructionState.ASKED:
            raise ConflictError(NOT_ASKED)
    if not may_approve(asked, person):
        async with services.database.transaction(session.establishment_id) as connection:
            await audit.record(
                connection,
                session.establishment_id,
                actor_of(request),
                Action.APPROVE_DESTRUCTION,
                asked.slide_id,
                outcome="failure",
            )
        raise ForbiddenError("Whoever asked for a destruction does not approve it.")
    async with services.database.transaction(session.establishment_id) as connection:
        if await holds.open_hold(connection, asked.slide_id) is not None:
            raise ConflictError(HELD)
        until = await _until(connection, asked.slide_id)
        if not is_early(asked.ground) and datetime.now(UTC).date() < until:
            raise ConflictError(NOT_ENDED_ANY_MORE)
        wait = (await retention.rule(connection)).wait
        approved = await destructions.approve(connection, destruction_id, person, wait)
        if approved is None:
            raise ConflictError(NOT_ASKED)
        if not wait:  # else whoever looks for what is due finds it then
            await defer_destruction(
                connection, session.establishment_id, approved.id, approved.slide_id
            )
        await _record(connection, services, request, Action.APPROVE_DESTRUCTION, approved)
        return await _out(connection, session, approved, requested_language(request))


@router.post("/destructions/{destruction_id}/withdraw")
async def withdraw_destruction(
    destruction_id: UUID, body: WithdrawalIn, request: Request
) -> DestructionOut:
    """Take it back, by anybody who may ask; 409 once it has begun or ended."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        await _require(connection, destruction_id)
        withdrawn = await destructions.withdraw(
            connection, destruction_id, session.account_name, body.reason
        )
        if withdrawn is None:
            raise ConflictError(BEGUN)
        await _record(connection, services, request, Action.WITHDRAW_DESTRUCTION, withdrawn)
        return await _out(connection, session, withdrawn, requested_language(request))


@router.get("/destructions/{destruction_id}/certificate", response_model=Certificate)
async def get_certificate(destruction_id: UUID, request: Request) -> Response:
    """The certificate, as it lies in the bucket; 404 until nothing of the slide is left."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await destructions.certificate(connection, destruction_id)
    if found is None:
        raise NotFoundError("There is no such certificate.")
    name = f'attachment; filename="destruction-{found.id}.json"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-store"}
    return Response(found.model_dump_json(indent=1), media_type="application/json", headers=headers)


async def _until(connection: Connection, slide_id: UUID) -> date:
    until = await retention.end_of(connection, slide_id)
    if until is None:
        raise NotFoundError("There is no such slide.")
    return until


async def _require(connection: Connection, destruction_id: UUID) -> Destruction:
    found = await destructions.by_id(connection, destruction_id)
    if found is None:
        raise NotFoundError("There is no such destruction.")
    return found


async def _record(
    connection: Connection,
    services: Services,
    request: Request,
    action: Action,
    destruction: Destruction,
) -> None:
    """In the audit, and in the bucket before the transaction commits."""
    await audit.record(
        connection,
        destruction.establishment_id,
        actor_of(request),
        action,
        destruction.slide_id,
    )
    await asyncio.to_thread(write_destruction, services.stores.warm, destruction)


async def _out(
    connection: Connection, session: Session, destruction: Destruction, language: Language
) -> DestructionOut:
    gone = destruction.began_at is not None
    slide = None if gone else await slides.by_id(connection, destruction.slide_id)
    plain = {
        name: getattr(destruction, name, None)
        for name in DestructionOut.model_fields
        if name not in {"asked_by", "approved_by"}
    }
    approved = destruction.approved_by
    return DestructionOut.model_validate(
        plain
        | {
            "failure": failure_told(destruction.failure, destruction.failure_code, language),
            "withdrawal_reason": _reason(destruction.withdrawal_reason, language),
            "early": is_early(destruction.ground),
            "asked_by": destruction.asked_by.name,
            "approved_by": None if approved is None else approved.name,
            "may_approve": may_approve(destruction, _person(session)),
            "slide": None if slide is None else _doomed(slide),
        }
    )


def _reason(said: str | None, language: Language) -> str | None:
    """A person's words as they are; those of the SGI in the language asked for."""
    if said is None or language is not Language.FRENCH:
        return said
    return in_french(said, table=CONFLICTS) or said


def _doomed(slide: Slide) -> DoomedOut:
    base = slide.levels[0]
    return DoomedOut(
        file_name=slide.file_name,
        published_at=slide.published_at,
        size_bytes=sum(instance.size_bytes for instance in slide.instances),
        objects=len(slide.instances),
        format=slide.facts.format,
        columns=base.columns,
        rows=base.rows,
    )
