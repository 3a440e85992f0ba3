"""How long each establishment keeps its slides, and which of them are due.

`slide_days` is a view: what cases, stays and patients' records say of a slide, as of now.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.retention import Days, RetentionRule, newest_start


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule as it was set, and by whom."""

    rule: RetentionRule
    reason: str
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class DueSlide:
    """A slide whose retention has ended."""

    id: UUID
    file_name: str
    published_at: datetime
    kept_until: date
    size_bytes: int
    held: bool
    destruction_id: UUID | None
    """The open destruction, if somebody asked for it already."""


async def change(connection: Connection) -> RuleChange | None:
    """The rule that the establishment has set; None while the usual one holds."""
    cursor = await connection.execute("select * from retention_rule")
    row = await cursor.fetchone()
    if row is None:
        return None
    rule = RetentionRule(row["years"], row["wait"])
    return RuleChange(rule, row["reason"], row["changed_by"], row["changed_at"])


async def rule(connection: Connection) -> RetentionRule:
    """The one that holds."""
    found = await change(connection)
    return RetentionRule() if found is None else found.rule


async def set_rule(
    connection: Connection, establishment_id: UUID, wanted: RetentionRule, reason: str, by: str
) -> RuleChange:
    """For every slide of the establishment, also those that are there already."""
    await connection.execute(
        """insert into retention_rule (establishment_id, years, wait, reason, changed_by)
           values (%s, %s, %s, %s, %s)
           on conflict (establishment_id) do update
           set years = excluded.years, wait = excluded.wait, reason = excluded.reason,
               changed_by = excluded.changed_by, changed_at = now()""",
        [establishment_id, wanted.years, wanted.wait, reason, by],
    )
    written = await change(connection)
    assert written is not None, "it was written in this transaction"  # noqa: S101 - for the type checker
    return written


async def due(
    connection: Connection,
    today: date,
    years: int,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[DueSlide]:
    """Slides whose retention has ended by `today`, oldest first; `after` is of the last page's last
    `(published_at, id)`.
    """
    cursor = await connection.execute(
        """select k.*, d.id as destruction_id,
                  exists (select from legal_hold h
                          where h.slide_id = k.slide_id and h.lifted_at is null) as held,
                  (select coalesce(sum(size_bytes), 0) from instance i
                   where i.slide_id = k.slide_id)::bigint as size_bytes
           from slide_days k left join destruction d
             on d.slide_id = k.slide_id and d.state in ('asked', 'approved', 'destroying')
           where k.published_at < %(end)s::date::timestamp at time zone 'UTC' + interval '1 day'
             and (%(at)s::timestamptz is null
                  or (k.published_at, k.slide_id) > (%(at)s, %(id)s::uuid))
             and kept_until(k.start, %(years)s, k.born, k.died_on) <= %(today)s
           order by k.published_at, k.slide_id limit %(limit)s""",
        {
            "end": newest_start(today, years),
            "today": today,
            "years": years,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit,
        },
    )
    return [
        DueSlide(
            id=row["slide_id"],
            file_name=row["file_name"],
            published_at=row["published_at"],
            kept_until=_days(row).kept_until(years),
            size_bytes=row["size_bytes"],
            held=row["held"],
            destruction_id=row["destruction_id"],
        )
        for row in await cursor.fetchall()
    ]


async def days_of(connection: Connection, slide_id: UUID) -> Days | None:
    """What is known that says how long a slide is kept; None when there is no such slide."""
    cursor = await connection.execute("select * from slide_days where slide_id = %s", [slide_id])
    row = await cursor.fetchone()
    return None if row is None else _days(row)


async def end_of(connection: Connection, slide_id: UUID) -> date | None:
    """The first day on which a slide may go, by the rule that holds; None when there is none."""
    days = await days_of(connection, slide_id)
    return None if days is None else days.kept_until((await rule(connection)).years)


@dataclass(frozen=True, slots=True)
class Moved:
    """A cold slide of which something was said that may prolong its retention."""

    ids: tuple[int, ...]
    slide_id: UUID


async def moved(connection: Connection, limit: int) -> list[Moved]:
    """Those whose objects were not told yet, first those that have waited longest."""
    cursor = await connection.execute(
        """select slide_id, array_agg(id) as ids from retention_due
           group by slide_id order by min(id) limit %s""",
        [limit],
    )
    return [Moved(tuple(row["ids"]), row["slide_id"]) for row in await cursor.fetchall()]


async def was_told(connection: Connection, told: Moved) -> None:
    """What was said since is told the next time."""
    await connection.execute("delete from retention_due where id = any(%s)", [list(told.ids)])


async def tell_later(
    connection: Connection, slide_id: UUID, told_in_vain: tuple[int, ...] = ()
) -> None:
    """Put a slide behind all whose objects are to be told; nothing where it is gone meanwhile."""
    # First its own row, as who destroys it does: so neither waits for the other in a circle.
    cursor = await connection.execute(
        "select establishment_id from slide where id = %s for key share", [slide_id]
    )
    row = await cursor.fetchone()
    if row is None:
        return
    await connection.execute("delete from retention_due where id = any(%s)", [list(told_in_vain)])
    await connection.execute(
        "insert into retention_due (establishment_id, slide_id) values (%s, %s)",
        [row["establishment_id"], slide_id],
    )


def _days(row: dict[str, Any]) -> Days:
    return Days(
        row["published_at"], row["last_case"], row["last_stay"], row["born"], row["died_on"]
    )
