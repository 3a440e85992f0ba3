"""`/api/v1/assignees`, `groups`, `assignment-rules`, `turnaround`: whose cases are, when due."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator

from sgi.api.case_summaries import WorkerOut
from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import assignments, audit, groups, turnaround
from sgi.catalogue.audit import Action
from sgi.catalogue.case_history import Author
from sgi.catalogue.database import Connection
from sgi.domain.assignment import AssignmentRule, To
from sgi.domain.case import Priority
from sgi.domain.turnaround import LEAST_HOURS, MOST_HOURS, TargetKind

router = APIRouter(prefix="/api/v1", tags=["assignment"])

Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=WITHOUT_NUL),
]


def _printable(text: str) -> str:
    """As names of accounts are: no sign that hides, or turns around what follows."""
    if not text.isprintable():
        raise ValueError("a name has printable characters")
    return text


ShownName = Annotated[Name, AfterValidator(_printable)]


class AssigneesOut(BaseModel):
    """Whom a case can be given to, by name."""

    accounts: list[WorkerOut]
    groups: list[WorkerOut]


class GroupIn(BaseModel):
    """A group and its members."""

    name: ShownName
    members: list[UUID] = Field(max_length=500)


class GroupOut(BaseModel):
    """A group and its members, by name."""

    id: UUID
    name: str
    members: list[WorkerOut]


class GroupsOut(BaseModel):
    """All of the establishment's, by name."""

    items: list[GroupOut]


class NumberIn(BaseModel):
    """By which number the laboratory names a pathologist; None: by none."""

    number: ShownName | None


class RuleIn(BaseModel):
    """What a case must be (None fits everything), and whose it is then."""

    organ: Name | None = None
    """A part of an organ's name; case and accents do not count."""
    service: Name | None = None
    """Its code."""
    priority: Priority | None = None
    extemporane: bool | None = None
    account: UUID | None = None
    group: UUID | None = None
    rotate: bool = False
    """To each of the group in turn."""

    @model_validator(mode="after")
    def _is_somebodys(self) -> "RuleIn":
        if (self.account is None) == (self.group is None) or (self.rotate and not self.group):
            raise ValueError("a rule gives to an account or to a group, in turn only to a group")
        return self


class RulesIn(BaseModel):
    """In the order in which they are tried; the first that fits holds."""

    rules: list[RuleIn] = Field(max_length=200)


class SimulationOut(BaseModel):
    """How many of the newest cases each rule would have got, in order."""

    cases: int
    by_rule: list[int]
    by_none: int


class TargetsIn(BaseModel):
    """Hours from receipt to sign-out, by the clock: 0.25 to 10,000."""

    hours: dict[TargetKind, Annotated[float, Field(ge=LEAST_HOURS, le=MOST_HOURS)]]


class TurnaroundOut(BaseModel):
    """How the cases of a kind did that were signed out lately."""

    kind: TargetKind
    target_hours: float
    cases: int
    in_time: int
    median_hours: float | None
    ninth_decile_hours: float | None


class TurnaroundsOut(BaseModel):
    """Every kind."""

    days: int
    items: list[TurnaroundOut]


@router.get("/assignees")
async def list_assignees(request: Request) -> AssigneesOut:
    """Pathologists' accounts and groups."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        readers = await groups.readers(connection)
        found = await groups.all_groups(connection)
    return AssigneesOut(
        accounts=[WorkerOut(id=each.account_id, name=each.name) for each in readers],
        groups=[WorkerOut(id=group.id, name=group.name) for group in found],
    )


@router.get("/groups")
async def list_groups(request: Request) -> GroupsOut:
    """Groups and who is in them."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        return await _groups(connection)


@router.post("/groups")
async def make_group(body: GroupIn, request: Request) -> GroupsOut:
    """409 when another group has the name."""
    return await _set_group(request, body, None)


@router.put("/groups/{group_id}")
async def change_group(group_id: UUID, body: GroupIn, request: Request) -> GroupsOut:
    """Name and members; who stays keeps their turn."""
    return await _set_group(request, body, group_id)


@router.delete("/groups/{group_id}")
async def remove_group(group_id: UUID, request: Request) -> GroupsOut:
    """Its open cases are nobody's then; 409 while a rule gives to it."""
    session = session_of(request)
    author = Author(session.account_id, session.account_name)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await groups.remove_group(connection, group_id, author)
        await _note(connection, request, group_id)
        return await _groups(connection)


@router.put("/accounts/{account_id}/number", status_code=204)
async def set_number(account_id: UUID, body: NumberIn, request: Request) -> None:
    """Cases that the laboratory gives to this number are this account's; 409 if it is another's."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await groups.set_number(connection, session.establishment_id, account_id, body.number)
        await _note(connection, request, account_id)


@router.get("/assignment-rules")
async def get_rules(request: Request) -> RulesIn:
    """In the order in which they are tried."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        return _rules_out(await assignments.rules(connection))


@router.put("/assignment-rules")
async def set_rules(body: RulesIn, request: Request) -> RulesIn:
    """Replace all; they hold for cases that nobody has been given by a person."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await assignments.set_rules(connection, session.establishment_id, _rules(body))
        await _note(connection, request, None)
        return _rules_out(await assignments.rules(connection))


@router.post("/assignment-rules/simulate")
async def simulate_rules(body: RulesIn, request: Request) -> SimulationOut:
    """What rules would have done with the newest 2,000 cases; nothing is changed.

    404 for an account or a group that `set_rules` would refuse.
    """
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        counted = await assignments.simulate(connection, _rules(body))
    return SimulationOut(
        cases=sum(counted.values()),
        by_rule=[counted[number] for number in range(1, len(body.rules) + 1)],
        by_none=counted[None],
    )


@router.get("/turnaround")
async def get_turnaround(
    request: Request, days: Annotated[int, Query(ge=1, le=366)] = 30
) -> TurnaroundsOut:
    """Targets, and how the cases signed out in the last days kept to them."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        return await _turnaround(connection, days)


@router.put("/turnaround")
async def set_turnaround(body: TargetsIn, request: Request) -> TurnaroundsOut:
    """Change targets; open cases are due by them at once."""
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        await turnaround.set_targets(connection, session.establishment_id, body.hours)
        await _note(connection, request, None)
        return await _turnaround(connection, 30)


async def _turnaround(connection: Connection, days: int) -> TurnaroundsOut:
    measured = await turnaround.measured(connection, days)
    return TurnaroundsOut(
        days=days,
        items=[TurnaroundOut.model_validate(each, from_attributes=True) for each in measured],
    )


async def _set_group(request: Request, body: GroupIn, group_id: UUID | None) -> GroupsOut:
    session = session_of(request)
    async with services_of(request).database.transaction(session.establishment_id) as connection:
        made = await groups.set_group(
            connection, session.establishment_id, body.name, body.members, group_id
        )
        await _note(connection, request, made)
        return await _groups(connection)


async def _groups(connection: Connection) -> GroupsOut:
    return GroupsOut(
        items=[
            GroupOut(
                id=group.id,
                name=group.name,
                members=[WorkerOut(id=each.account_id, name=each.name) for each in group.members],
            )
            for group in await groups.all_groups(connection)
        ]
    )


async def _note(connection: Connection, request: Request, object_id: UUID | None) -> None:
    establishment_id = session_of(request).establishment_id
    await audit.record(
        connection, establishment_id, actor_of(request), Action.CHANGE_CASE_RULES, object_id
    )


def _rules(body: RulesIn) -> list[AssignmentRule]:
    return [
        AssignmentRule(
            position=number,
            organ=said.organ,
            service=said.service,
            priority=said.priority,
            extemporane=said.extemporane,
            to=To(said.account, said.group, rotate=said.rotate),
        )
        for number, said in enumerate(body.rules, 1)
    ]


def _rules_out(rules: list[AssignmentRule]) -> RulesIn:
    return RulesIn(
        rules=[
            RuleIn(
                organ=rule.organ,
                service=rule.service,
                priority=rule.priority,
                extemporane=rule.extemporane,
                account=rule.to.account_id,
                group=rule.to.group_id,
                rotate=rule.to.rotate,
            )
            for rule in rules
        ]
    )
