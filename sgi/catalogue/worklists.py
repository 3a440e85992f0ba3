"""Worklists read from indexes: which cases, in order, a page at a time; and how many there are."""

from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sgi.catalogue import groups, worklist_search
from sgi.catalogue.case_rows import case_of
from sgi.catalogue.database import Connection
from sgi.catalogue.worklist_conditions import Conditions, conditions
from sgi.domain.case import Case
from sgi.domain.worklist import COUNTED_TO, CaseFilter, Order, Worklist


@dataclass(frozen=True, slots=True)
class ListedPatient:
    """Who a line of a list shows; the living patient, where one was merged into another."""

    id: UUID
    birth_name: str | None
    first_given_name: str | None
    used_name: str | None
    used_given_name: str | None
    sex: str | None
    birth_date: date | None
    status: str | None
    attributes: tuple[str, ...]
    local_identifier: str | None
    """The IPP."""


@dataclass(frozen=True, slots=True)
class Line:
    """A case in a list."""

    case: Case
    patient: ListedPatient | None
    account_name: str | None
    group_name: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Behind which case a page begins: what its order compares, and its id."""

    values: tuple[datetime | int, ...]
    id: UUID


_COMPARED = {
    Order.PRIORITY: ("urgency", "due_at"),
    Order.DUE: ("due_at",),
    Order.RECEIVED: ("received_at",),
}


def order_of(worklist: Worklist, order: Order | None) -> Order:
    """The order that a list has: that of all cases goes by receipt alone."""
    if worklist is Worklist.ALL:
        return Order.RECEIVED
    if order is None:
        return Order.DUE if worklist is Worklist.LATE else Order.PRIORITY
    return order


async def page(
    connection: Connection,
    worklist: Worklist,
    account_id: UUID,
    narrowed: CaseFilter,
    *,
    order: Order | None = None,
    after: Position | None = None,
    limit: int,
) -> list[Line]:
    """The first `limit` cases of a list behind `after`, by the order's rules."""
    columns = _COMPARED[order_of(worklist, order)]
    wanted = await _conditions(connection, worklist, account_id, narrowed, columns, after)
    ids = await worklist_search.ids(connection, wanted, narrowed, limit)
    return await _lines(connection, ids)


def position_of(line: Line, worklist: Worklist, order: Order | None) -> Position:
    """Where the next page begins."""
    case = line.case
    urgency = 0 if case.extemporane else {"S": 1, "A": 2, "R": 3}[case.priority]
    values = {"urgency": urgency, "due_at": case.due_at, "received_at": case.received_at}
    return Position(
        tuple(values[name] for name in _COMPARED[order_of(worklist, order)]),  # type: ignore[misc]
        case.id,
    )


async def line(connection: Connection, case_id: UUID) -> Line | None:
    """One case as a list would show it."""
    return next(iter(await _lines(connection, [case_id])), None)


async def counts(connection: Connection, account_id: UUID) -> dict[Worklist, int]:
    """Cases of every list, counted to one more than COUNTED_TO."""
    parts, parameters = [], {"most": COUNTED_TO + 1}
    mine = await groups.of_account(connection, account_id)
    for worklist in Worklist:
        wanted = conditions(worklist, account_id, mine, CaseFilter())
        parts.append(
            f"""(select count(*) from (select 1 from lab_case c where {wanted.sql}
                 limit %(most)s) counted) as "{worklist}" """  # noqa: S608 - fixed words
        )
        parameters |= wanted.parameters
    cursor = await connection.execute("select " + ", ".join(parts), parameters)
    row = await cursor.fetchone()
    return {worklist: 0 if row is None else row[worklist] for worklist in Worklist}


async def _conditions(
    connection: Connection,
    worklist: Worklist,
    account_id: UUID,
    narrowed: CaseFilter,
    columns: tuple[str, ...],
    after: Position | None,
) -> Conditions:
    mine = await groups.of_account(connection, account_id) if worklist is Worklist.GROUP else []
    wanted = conditions(worklist, account_id, mine, narrowed)
    is_falling = worklist is Worklist.ALL
    way = " desc" if is_falling else ""
    order = ", ".join(f"c.{name}{way}" for name in (*columns, "id"))
    if after is None:
        return wanted.with_order(order, is_falling=is_falling)
    names = [f"after_{index}" for index in range(len(columns))]
    compared = ", ".join(f"c.{name}" for name in (*columns, "id"))
    marks = ", ".join(f"%({name})s" for name in (*names, "after_id"))
    behind = f"({compared}) {'<' if is_falling else '>'} ({marks})"
    values = dict(zip(names, after.values, strict=True))
    return wanted.narrowed(behind, {**values, "after_id": after.id}).with_order(
        order, is_falling=is_falling
    )


async def _lines(connection: Connection, ids: list[UUID]) -> list[Line]:
    """In questions of one table each, by its key: a plan of many tables goes wrong too easily."""
    cursor = await connection.execute(
        """select c.*, coalesce((select p.merged_into from patient p where p.id = c.patient_id),
                   c.patient_id) as living_id,
               (select a.name from account a where a.id = c.account_id) as account_name,
               (select g.name from pathologist_group g where g.id = c.group_id) as group_name
           from lab_case c where c.id = any(%s)""",
        [ids],
    )
    rows = {row["id"]: row for row in await cursor.fetchall()}
    patients = await _patients(connection, [row["living_id"] for row in rows.values()])
    return [
        Line(
            case_of(rows[each]),
            patients.get(rows[each]["living_id"]),
            rows[each]["account_name"],
            rows[each]["group_name"],
        )
        for each in ids
        if each in rows
    ]


async def _patients(
    connection: Connection, ids: list[UUID | None]
) -> dict[UUID | None, ListedPatient]:
    cursor = await connection.execute(
        """select p.*, (
               select i.value from patient_identifier i
               where i.patient_id = p.id and i.kind = 'PI' and i.retired_at is null
               order by i.created_at, i.id limit 1) as local_identifier
           from patient p where p.id = any(%s)""",
        [[each for each in ids if each is not None]],
    )
    return {row["id"]: _patient(row) for row in await cursor.fetchall()}


def _patient(row: dict[str, Any]) -> ListedPatient:
    said = {each.name: row[each.name] for each in fields(ListedPatient)}
    return ListedPatient(**{**said, "attributes": tuple(said["attributes"])})
