"""Targets of each establishment, the due times that follow from them, and how they are kept."""

from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.turnaround import DEFAULT_HOURS, TargetKind, Turnaround

_DUE = """
update lab_case c set due_at = c.received_at + make_interval(secs => 3600 * coalesce(
    (select t.hours from turnaround_target t
     where t.establishment_id = c.establishment_id
       and t.kind = case when c.extemporane then 'extemporane' else c.priority end),
    (%(usual)s::jsonb ->> case when c.extemporane then 'extemporane' else c.priority end)
        ::double precision))
"""


def _usual() -> dict[str, object]:
    return {"usual": Jsonb({str(kind): hours for kind, hours in DEFAULT_HOURS.items()})}


async def set_due(connection: Connection, case_id: UUID) -> None:
    """Reckon when a case is due, from its receipt, priority and the targets as they are now."""
    await connection.execute(_DUE + "where c.id = %(case)s", {**_usual(), "case": case_id})


async def targets(connection: Connection) -> dict[TargetKind, float]:
    """Hours by kind; the usual ones where the establishment set none."""
    cursor = await connection.execute("select kind, hours from turnaround_target")
    said = {TargetKind(row["kind"]): row["hours"] for row in await cursor.fetchall()}
    return {**DEFAULT_HOURS, **said}


async def set_targets(
    connection: Connection, establishment_id: UUID, hours: dict[TargetKind, float]
) -> None:
    """Change targets; open cases are due by them at once."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into turnaround_target (establishment_id, kind, hours) values (%s, %s, %s)
               on conflict (establishment_id, kind) do update set hours = excluded.hours""",
            [[establishment_id, kind, value] for kind, value in hours.items()],
        )
    await connection.execute(_DUE + "where c.open", _usual())


async def measured(connection: Connection, days: int) -> list[Turnaround]:
    """By kind: of the cases signed out in the last days, how long they took."""
    cursor = await connection.execute(
        """select case when extemporane then 'extemporane' else priority end as kind,
               count(*) as cases,
               count(*) filter (where signed_out_at <= due_at) as in_time,
               percentile_cont(array[0.5, 0.9]) within group (
                   order by extract(epoch from signed_out_at - received_at) / 3600) as hours
           from lab_case
           where state = 'signed_out' and signed_out_at > now() - make_interval(days => %s)
           group by 1""",
        [days],
    )
    rows = {TargetKind(row["kind"]): row for row in await cursor.fetchall()}
    wanted = await targets(connection)
    found = []
    for kind in TargetKind:
        row = rows.get(kind)
        if row is None:
            found.append(Turnaround(kind, wanted[kind], 0, 0, None, None))
            continue
        median, ninth = (float(hours) for hours in row["hours"])
        found.append(Turnaround(kind, wanted[kind], row["cases"], row["in_time"], median, ninth))
    return found
