"""`/api/v1/cases`: what a case is made of, where it stands, and what is done with it."""

from enum import StrEnum
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, model_validator

from sgi.api.case_answers import CaseOut, case_out
from sgi.api.case_trace import Words, author_of, note
from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import (
    assignments,
    audit,
    case_history,
    cases,
    interfaces,
    patients,
    reports,
    scans,
    specimens,
    work_orders,
    worklists,
)
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.domain.assignment import To
from sgi.domain.case import CaseEvent, CaseState
from sgi.errors import NotFoundError

router = APIRouter(prefix="/api/v1/cases", tags=["cases"])


class AssignIn(BaseModel):
    """Whose the case is to be; nobody's where both are None."""

    model_config = ConfigDict(extra="forbid")  # a misspelt word would make it nobody's

    account: UUID | None = None
    group: UUID | None = None
    """With an account: the group that it came from, which it stays a case of."""
    rotate: bool = False
    """To each of the group in turn."""

    @model_validator(mode="after")
    def _has_turns_of_a_group(self) -> "AssignIn":
        if self.rotate and (self.group is None or self.account is not None):
            raise ValueError("in turn a case is given to a group, and to nobody of a name")
        return self


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
        await assignments.assign(connection, case_id, to, author_of(session))
        await note(connection, request, Action.ASSIGN_CASE, case_id)
        return await _case(connection, case_id)


@router.post("/{case_id}/state")
async def change_state(case_id: UUID, body: StateIn, request: Request) -> StateOut:
    """Begin, put back, sign out or reopen; 409 where that cannot be done now.

    Who begins a case that is nobody's has it. The laboratory is told of it.
    """
    session = session_of(request)
    author = author_of(session)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        event = CaseEvent(body.event.value)
        state = await cases.advance(connection, case_id, event, author, why=body.reason)
        case = await cases.by_id(connection, case_id)
        if case is not None and event is CaseEvent.BEGIN and case.account_id is None:
            to = To(session.account_id, case.group_id)
            await assignments.assign(connection, case_id, to, author)
        await note(connection, request, Action.CHANGE_CASE_STATE, case_id)
    return StateOut(state=state)


@router.post("/{case_id}/hold")
async def hold_case(case_id: UUID, body: HoldIn, request: Request) -> CaseOut:
    """Put the case aside with a reason, or take it up again; 409 when it is so already."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await cases.hold(connection, case_id, author_of(session), body.reason)
        await note(connection, request, Action.HOLD_CASE, case_id)
        return await _case(connection, case_id)


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
        await interfaces.told(connection),
    )
