"""`/api/v1/cases`: what a case is made of, where it stands, and what is done with it."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, StringConstraints

from sgi.api.case_answers import CaseOut, WorkOrderOut, case_out, work_order_out
from sgi.api.services import ONE_LINE, actor_of, services_of, session_of
from sgi.catalogue import (
    assignments,
    audit,
    case_history,
    cases,
    patients,
    reports,
    scans,
    specimens,
    work_orders,
    worklists,
)
from sgi.catalogue.audit import Action
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Connection
from sgi.catalogue.turns import transacted
from sgi.domain.account import Session
from sgi.domain.assignment import To
from sgi.domain.case import CaseEvent, CaseState, Code, WorkKind, WorkOrder
from sgi.errors import InvalidRequestError, NotFoundError

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])

Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=ONE_LINE),
]


class AssignIn(BaseModel):
    """Whose the case is to be; nobody's where both are None."""

    account: UUID | None = None
    group: UUID | None = None
    rotate: bool = False
    """To each of the group in turn."""


class Step(StrEnum):
    """What a person does with a case."""

    BEGIN = "begin"
    PUT_BACK = "put_back"
    SIGN_OUT = "sign_out"
    REOPEN = "reopen"


class StateIn(BaseModel):
    """A step, and why where that is worth a word."""

    event: Step
    reason: Words | None = None


class StateOut(BaseModel):
    """Where the case stands now."""

    state: CaseState


class HoldIn(BaseModel):
    """Why it is put aside; None takes it up again."""

    reason: Words | None


class WorkOrderIn(BaseModel):
    """What is asked of the laboratory."""

    kind: WorkKind
    parent: Words
    """Identifier of the block, or of the specimen."""
    stain: Words | None = None
    """As people call it."""
    stain_code: Words | None = None
    stain_system: Words | None = None
    words: Words | None = None


class RescanIn(BaseModel):
    """Why a new scan is needed."""

    reason: Words


class RescanOut(BaseModel):
    """A glass that is to be scanned again."""

    glass_id: UUID
    identifier: str
    stains: list[str]
    asked_at: str
    reason: str | None
    asked_by: str | None
    case_id: UUID | None
    accession_number: str | None
    priority: str | None
    extemporane: bool


class RescansOut(BaseModel):
    """The scanner room's list, the most urgent first."""

    items: list[RescanOut]


@router.get("/{case_id}")
async def get_case(case_id: UUID, request: Request) -> CaseOut:
    """One case, whole; opening it is a view in the audit."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        told = await _case(connection, case_id)
        await audit.record_once(
            connection, session.establishment_id, actor_of(request), Action.VIEW_CASE, case_id
        )
    return told


@router.post("/{case_id}/assign")
async def assign_case(case_id: UUID, body: AssignIn, request: Request) -> CaseOut:
    """Give the case to a pathologist or a group; 409 when it is closed."""
    session = session_of(request)
    to = To(body.account, body.group, rotate=body.rotate)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await assignments.assign(connection, case_id, to, _author(session))
        await _note(connection, request, Action.ASSIGN_CASE, case_id)
        return await _case(connection, case_id)


@router.post("/{case_id}/state")
async def change_state(case_id: UUID, body: StateIn, request: Request) -> StateOut:
    """Begin, put back, sign out or reopen; 409 where that cannot be done now.

    Who begins a case that is nobody's has it. The laboratory is told of it.
    """
    session = session_of(request)
    author = _author(session)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        event = CaseEvent(body.event.value)
        state = await cases.advance(connection, case_id, event, author, why=body.reason)
        case = await cases.by_id(connection, case_id)
        if case is not None and event is CaseEvent.BEGIN and case.account_id is None:
            to = To(session.account_id, case.group_id)
            await assignments.assign(connection, case_id, to, author)
        await _note(connection, request, Action.CHANGE_CASE_STATE, case_id)
    return StateOut(state=state)


@router.post("/{case_id}/hold")
async def hold_case(case_id: UUID, body: HoldIn, request: Request) -> CaseOut:
    """Put the case aside with a reason, or take it up again; 409 when it is so already."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await cases.hold(connection, case_id, _author(session), body.reason)
        await _note(connection, request, Action.HOLD_CASE, case_id)
        return await _case(connection, case_id)


@router.post("/{case_id}/work-orders")
async def ask_work(case_id: UUID, body: WorkOrderIn, request: Request) -> WorkOrderOut:
    """Ask the laboratory for a recut or a stain; a new scan is asked for at the slide."""
    if body.kind is WorkKind.RESCAN:
        raise InvalidRequestError("A new scan is asked for at the slide.")
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        order = await work_orders.ask(
            connection,
            case_id,
            body.kind,
            body.parent,
            _stains(body),
            body.words,
            _author(session),
        )
        await _note(connection, request, Action.ASK_WORK, case_id)
    return work_order_out(order)


@router.post("/{case_id}/glass/{glass_id}/rescan")
async def ask_rescan(
    case_id: UUID, glass_id: UUID, body: RescanIn, request: Request
) -> WorkOrderOut:
    """Ask for a new scan of a slide; 409 when that is asked for already."""
    session = session_of(request)

    async def act(connection: Connection) -> WorkOrder:
        order = await work_orders.ask_rescan(
            connection, case_id, glass_id, body.reason, _author(session)
        )
        await _note(connection, request, Action.ASK_RESCAN, case_id)
        return order

    database = services_of(request).database
    return work_order_out(await transacted(database, session.establishment_id, act))


@router.post("/{case_id}/glass/{glass_id}/rescan/withdraw")
async def withdraw_rescan(case_id: UUID, glass_id: UUID, request: Request) -> WorkOrderOut:
    """Take back that a new scan was asked for; 409 when none is."""
    session = session_of(request)

    async def act(connection: Connection) -> WorkOrder:
        order = await work_orders.withdraw_rescan(connection, case_id, glass_id, _author(session))
        await _note(connection, request, Action.WITHDRAW_RESCAN, case_id)
        return order

    database = services_of(request).database
    return work_order_out(await transacted(database, session.establishment_id, act))


rescans_router = APIRouter(prefix="/api/v1", tags=["cases"])


@rescans_router.get("/rescans")
async def list_rescans(request: Request) -> RescansOut:
    """Every slide that is to be scanned again."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        found = await work_orders.to_rescan(connection)
    return RescansOut(
        items=[
            RescanOut(
                glass_id=row["glass_id"],
                identifier=row["identifier"],
                stains=[stain.text or stain.code for stain in row["stains"]],
                asked_at=row["rescan_asked_at"].isoformat(),
                reason=row["rescan_reason"],
                asked_by=row["rescan_asked_by"],
                case_id=row["case_id"],
                accession_number=row["accession_number"],
                priority=row["priority"],
                extemporane=bool(row["extemporane"]),
            )
            for row in found
        ]
    )


async def _case(connection: Connection, case_id: UUID) -> CaseOut:
    line = await worklists.line(connection, case_id)
    if line is None:
        raise NotFoundError("There is no such case.")
    patient = None
    if line.patient is not None:
        patient = await patients.by_id(connection, line.patient.id)
    parts, glasses = await specimens.of_case(connection, case_id)
    return case_out(
        line,
        patient,
        parts,
        glasses,
        await scans.of_case(connection, case_id),
        await work_orders.of_case(connection, case_id),
        await reports.of_case(connection, case_id),
        await case_history.of_case(connection, case_id),
    )


async def _note(connection: Connection, request: Request, action: Action, case_id: UUID) -> None:
    session = session_of(request)
    await audit.record(connection, session.establishment_id, actor_of(request), action, case_id)


def _author(session: Session) -> Author:
    return Author(session.account_id, session.account_name)


def _stains(body: WorkOrderIn) -> tuple[Code, ...]:
    if body.stain is None and body.stain_code is None:
        return ()
    return (Code(body.stain_code or "", body.stain, body.stain_system),)
