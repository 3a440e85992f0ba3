"""Incidents as rows: what was found damaged, and what became of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection

from sgi.catalogue.database import Connection
from sgi.domain.integrity import Damage, Finding, FoundBy, Incident, IncidentState, Place

_HARMLESS = (Damage.EXTRA,)
"""What makes no slide a damaged one."""


@dataclass(frozen=True, slots=True)
class Reported:
    """An incident after a finding."""

    id: UUID
    is_new: bool
    """True when nobody was told yet: nothing, or something else, was wrong before."""


def _incident(row: dict[str, Any]) -> Incident:
    return Incident(
        id=row["id"],
        slide_id=row["slide_id"],
        place=Place(row["place"]),
        object_key=row["object_key"],
        damage=Damage(row["kind"]),
        found_by=FoundBy(row["found_by"]),
        state=IncidentState(row["state"]),
        detail=row["detail"],
        found_at=row["found_at"],
        last_seen_at=row["last_seen_at"],
        ended_at=row["ended_at"],
        quarantine_key=row["quarantine_key"],
    )


async def report(
    connection: Connection,
    establishment_id: UUID,
    slide_id: UUID | None,
    finding: Finding,
    found_by: FoundBy,
) -> Reported:
    """One standing incident an object: the same finding again only says when it was last seen."""
    cursor = await connection.execute(
        "select * from incident where place = %s and object_key = %s"
        " and state in ('open', 'accepted') for update",
        [finding.place, finding.key],
    )
    row = await cursor.fetchone()
    if row is None:
        cursor = await connection.execute(
            """insert into incident
                   (establishment_id, slide_id, place, object_key, kind, found_by, detail)
               values (%s, %s, %s, %s, %s, %s, %s)
               on conflict (establishment_id, place, object_key) where state in ('open', 'accepted')
               do update set last_seen_at = now()
               returning id, xmax = 0 as is_new""",
            [
                establishment_id,
                slide_id,
                finding.place,
                finding.key,
                finding.damage,
                found_by,
                finding.detail,
            ],
        )
        made = await cursor.fetchone()
        assert made is not None, "insert ... returning gives a row"  # noqa: S101 - for the checker
        return Reported(made["id"], made["is_new"])
    # What a read noticed is said better by the scrub; what a person accepted may get worse.
    is_worse = row["state"] == IncidentState.ACCEPTED and row["kind"] != finding.damage
    await connection.execute(
        """update incident set last_seen_at = now(),
               kind = case when %(scrubbed)s then %(kind)s else kind end,
               detail = case when %(scrubbed)s then %(detail)s else detail end,
               state = case when %(worse)s then 'open' else state end,
               ended_at = case when %(worse)s then null else ended_at end
           where id = %(id)s""",
        {
            "scrubbed": found_by is FoundBy.SCRUB,
            "kind": finding.damage,
            "detail": finding.detail,
            "worse": is_worse and found_by is FoundBy.SCRUB,
            "id": row["id"],
        },
    )
    return Reported(row["id"], is_worse and found_by is FoundBy.SCRUB)


async def keep_evidence(connection: Connection, incident_id: UUID, key: str) -> None:
    """Where the damaged bytes were put."""
    await connection.execute(
        "update incident set quarantine_key = %s where id = %s", [key, incident_id]
    )


async def has_evidence(connection: Connection, incident_id: UUID) -> bool:
    cursor = await connection.execute(
        "select 1 from incident where id = %s and quarantine_key is not null", [incident_id]
    )
    return await cursor.fetchone() is not None


async def end(connection: Connection, incident_id: UUID, state: IncidentState) -> bool:
    """Repaired or accepted; False when it had ended, or is not this establishment's."""
    cursor = await connection.execute(
        """update incident set state = %s, ended_at = now()
           where id = %s and state in ('open', 'accepted') and state <> %s""",
        [state, incident_id, state],
    )
    return cursor.rowcount == 1


async def end_with_slide(connection: AsyncConnection[Any], slide_id: UUID) -> None:
    """All of a slide that was destroyed: nothing is left that could be damaged."""
    await connection.execute(
        """update incident set state = 'gone', ended_at = now()
           where slide_id = %s and state in ('open', 'accepted')""",
        [slide_id],
    )


async def standing(connection: Connection, slide_id: UUID) -> list[Incident]:
    """Those of a slide that are not over."""
    cursor = await connection.execute(
        """select * from incident
           where slide_id = %s and state in ('open', 'accepted') order by found_at, id""",
        [slide_id],
    )
    return [_incident(row) for row in await cursor.fetchall()]


async def standing_without_slide(connection: Connection) -> list[Incident]:
    """Those of objects that no slide owns, and that are not cleared away."""
    cursor = await connection.execute(
        """select * from incident
           where slide_id is null and state in ('open', 'accepted') order by found_at"""
    )
    return [_incident(row) for row in await cursor.fetchall()]


async def by_id(connection: Connection, incident_id: UUID) -> Incident | None:
    cursor = await connection.execute("select * from incident where id = %s", [incident_id])
    row = await cursor.fetchone()
    return None if row is None else _incident(row)


async def newest(
    connection: Connection, limit: int, state: IncidentState | None = None
) -> list[Incident]:
    """Open ones first, then the newest."""
    cursor = await connection.execute(
        """select * from incident where %(state)s::text is null or state = %(state)s
           order by state <> 'open', found_at desc, id limit %(limit)s""",
        {"state": state, "limit": limit},
    )
    return [_incident(row) for row in await cursor.fetchall()]


async def counts(connection: Connection) -> dict[IncidentState, int]:
    """How many there are in each state."""
    cursor = await connection.execute("select state, count(*) as n from incident group by state")
    found = {IncidentState(row["state"]): row["n"] for row in await cursor.fetchall()}
    return {state: found.get(state, 0) for state in IncidentState}


async def damaged(connection: Connection, slide_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these slides of which something that is shown is known to be damaged."""
    cursor = await connection.execute(
        """select distinct slide_id from incident
           where slide_id = any(%s) and state in ('open', 'accepted')
             and place in ('warm', 'cold') and kind <> all(%s)""",
        [list(slide_ids), list(_HARMLESS)],
    )
    return {row["slide_id"] for row in await cursor.fetchall()}
