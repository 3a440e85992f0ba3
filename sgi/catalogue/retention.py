"""How long each establishment keeps its slides, and which of them are due."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.retention import RetentionRule, counted_from, kept_until, newest_start


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
        """select s.id, s.file_name, s.published_at, d.id as destruction_id,
                  exists (select from legal_hold h
                          where h.slide_id = s.id and h.lifted_at is null) as held,
                  (select coalesce(sum(size_bytes), 0) from instance i
                   where i.slide_id = s.id)::bigint as size_bytes
           from slide s left join destruction d
             on d.slide_id = s.id and d.state in ('asked', 'approved', 'destroying')
           where s.published_at < %(end)s::date::timestamp at time zone 'UTC' + interval '1 day'
             and (%(at)s::timestamptz is null
                  or (s.published_at, s.id) > (%(at)s, %(id)s::uuid))
           order by s.published_at, s.id limit %(limit)s""",
        {
            "end": newest_start(today, years),
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit,
        },
    )
    return [
        DueSlide(**row, kept_until=kept_until(counted_from(row["published_at"]), years))
        for row in await cursor.fetchall()
    ]
