"""The scans of a case's glasses, newest first."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection


@dataclass(frozen=True, slots=True)
class Scan:
    """One image of a glass."""

    slide_id: UUID
    glass_id: UUID
    current: bool
    """Of several scans of one glass, the one to look at."""
    published_at: datetime
    scanned_at: str | None
    """ISO 8601; with an offset only where the scanner gave one."""
    quality_verdict: str | None


async def of_case(connection: Connection, case_id: UUID) -> dict[UUID, list[Scan]]:
    """By glass: the current one first, then the newest."""
    cursor = await connection.execute(
        """select s.id as slide_id, s.glass_id, s.current, s.published_at,
               s.facts ->> 'scanned_at' as scanned_at,
               s.quality -> 'report' ->> 'verdict' as quality_verdict
           from glass g join slide s on s.glass_id = g.id
           where g.case_id = %s order by s.current desc, s.published_at desc, s.id""",
        [case_id],
    )
    found: dict[UUID, list[Scan]] = {}
    for row in await cursor.fetchall():
        found.setdefault(row["glass_id"], []).append(Scan(**row))
    return found
