"""Messages as they are read again: one, its bytes, or lists of what was kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.interface import Direction, NoticeKind, Outcome


@dataclass(frozen=True, slots=True)
class Kept:
    """One message, without its bytes."""

    id: UUID
    interface: str
    direction: Direction
    received_at: datetime
    said_at: datetime | None
    control_id: str
    sender: str
    type: str
    notice: NoticeKind | None
    """What one that went out tells; None of one that came, or that was sent anew since."""
    size_bytes: int
    outcome: Outcome
    error: str | None
    changes: tuple[dict[str, str], ...]
    accession_number: str | None
    patient_id: UUID | None
    replay_of: UUID | None
    reuses_control_id: bool
    repeats: int
    repeated_at: datetime | None


@dataclass(frozen=True, slots=True)
class Content:
    """A message's bytes, as they came or went, and those of its answer."""

    raw: bytes
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; None for anything."""

    interface: str | None = None
    direction: Direction | None = None
    outcome: Outcome | None = None
    type: str | None = None
    """Such as `ADT` or `ADT^A40`."""
    accession_number: str | None = None
    control_id: str | None = None
    patient_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


async def by_id(connection: Connection, message_id: UUID) -> Kept | None:
    cursor = await connection.execute(
        f"select {_COLUMNS} from message m where id = %s",  # noqa: S608 - our own columns
        [message_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _kept(row)


async def content(connection: Connection, message_id: UUID) -> Content | None:
    """The bytes themselves: they hold patients' names."""
    cursor = await connection.execute("select raw, answer from message where id = %s", [message_id])
    row = await cursor.fetchone()
    return None if row is None else Content(row["raw"], row["answer"])


async def list_(
    connection: Connection,
    wanted: Filter,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[Kept]:
    """The newest first; `after` is the last one of the page before: when it came, and its id."""
    conditions, values = _conditions(wanted)
    if after is not None:
        conditions.append("(m.received_at, m.id) < (%(after_at)s, %(after_id)s)")
        values |= {"after_at": after[0], "after_id": after[1]}
    where = " and ".join(["true", *conditions])
    cursor = await connection.execute(
        f"""select {_COLUMNS} from message m where {where}
            order by m.received_at desc, m.id desc limit %(limit)s""",  # noqa: S608 - our own text
        values | {"limit": limit},
    )
    return [_kept(row) for row in await cursor.fetchall()]


def _conditions(wanted: Filter) -> tuple[list[str], dict[str, Any]]:
    """Only those that are asked for: each finds its own index."""
    conditions, values = [], {}
    for name in (
        "interface",
        "direction",
        "outcome",
        "accession_number",
        "control_id",
        "patient_id",
    ):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(f"m.{name} = %({name})s")
            values[name] = value
    if wanted.type is not None:
        column = "type" if "^" in wanted.type else "code"
        conditions.append(f"m.{column} = %(type)s")
        values["type"] = wanted.type
    if wanted.since is not None:
        conditions.append("m.received_at >= %(since)s")
        values["since"] = wanted.since
    if wanted.until is not None:
        conditions.append("m.received_at < %(until)s")
        values["until"] = wanted.until
    return conditions, values


_COLUMNS = """m.id, m.interface, m.direction, m.received_at, m.said_at, m.control_id, m.sender,
    m.type, length(m.raw) as size_bytes, m.outcome, m.error, m.changes, m.accession_number,
    m.patient_id, m.replay_of, m.reuses_control_id, m.repeats, m.repeated_at,
    case when m.direction = 'out' then
        (select o.kind from outbox o where o.message_id = m.id limit 1) end as notice"""


def _kept(row: dict[str, Any]) -> Kept:
    return Kept(
        **row
        | {
            "direction": Direction(row["direction"]),
            "outcome": Outcome(row["outcome"]),
            "notice": None if row["notice"] is None else NoticeKind(row["notice"]),
            "changes": tuple(row["changes"]),
        }
    )
