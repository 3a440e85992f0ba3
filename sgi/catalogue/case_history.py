"""What became of a case, by whom and why: rows that are written and read, never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sgi.catalogue.database import Connection


class Happening(StrEnum):
    """What changed."""

    STATE = "state"
    PRIORITY = "priority"
    EXTEMPORANE = "extemporane"
    PATIENT = "patient"
    """Another patient's than before; `before` and `after` are ids."""
    ASSIGNED = "assigned"
    """`before` and `after` are names of accounts or groups."""
    ASSIGNED_BY_RULE = "assigned_by_rule"
    """The same, by a rule of the establishment's; the author is the system."""
    HELD = "held"
    RESUMED = "resumed"
    CAME = "came"
    """A specimen, block or slide that was another case's before."""
    WENT = "went"
    SCAN_ATTACHED = "scan_attached"
    """An image of the glass `before`, by a person, or by itself after sign-out."""
    SCAN_DETACHED = "scan_detached"
    SCAN_DESTROYED = "scan_destroyed"
    """An image of the glass `before`; `after` is the certificate's number."""
    ASSET_CANCELLED = "asset_cancelled"
    RESCAN_ASKED = "rescan_asked"
    WORK_ASKED = "work_asked"
    WORK_ANSWERED = "work_answered"
    REPORT = "report"
    REPORT_WITHDRAWN = "report_withdrawn"


@dataclass(frozen=True, slots=True)
class Author:
    """Who changed it: an account, or the message that `source` names; the system where neither."""

    account_id: UUID | None = None
    account_name: str | None = None
    source: str | None = None
    said_at: datetime | None = None
    """When what the message says was true."""


SYSTEM = Author()


def by_message(source: str, said_at: datetime) -> Author:
    return Author(source=source, said_at=said_at)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row."""

    at: datetime
    kind: Happening
    before: str | None
    after: str | None
    why: str | None
    author: Author
    approved_name: str | None = None
    """Of a destruction: the account that approved what the author asked for."""


async def add(
    connection: Connection,
    case_id: UUID,
    kind: Happening,
    author: Author,
    *,
    before: str | None = None,
    after: str | None = None,
    why: str | None = None,
    approved_name: str | None = None,
) -> None:
    """Add one entry, in the transaction of what it records."""
    await connection.execute(
        """insert into case_history (establishment_id, case_id, kind, before, after, why, said_at,
               source, account_id, account_name, approved_name)
           select establishment_id, id, %s, %s, %s, %s, %s, %s, %s, %s, %s
           from lab_case where id = %s""",
        [
            kind,
            before,
            after,
            why,
            author.said_at,
            author.source,
            author.account_id,
            author.account_name,
            approved_name,
            case_id,
        ],
    )


async def of_case(connection: Connection, case_id: UUID) -> list[Entry]:
    """Oldest first."""
    cursor = await connection.execute(
        "select * from case_history where case_id = %s order by id", [case_id]
    )
    return [
        Entry(
            row["at"],
            Happening(row["kind"]),
            row["before"],
            row["after"],
            row["why"],
            Author(row["account_id"], row["account_name"], row["source"], row["said_at"]),
            row["approved_name"],
        )
        for row in await cursor.fetchall()
    ]
