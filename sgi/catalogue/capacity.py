"""Bytes by month and tier, and what an establishment typed in for its forecast."""

from datetime import UTC, date, datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.capacity import StoredMonth
from sgi.domain.forecast import Activity
from sgi.domain.tier import Tier


async def by_month(connection: Connection) -> list[StoredMonth]:
    """What is stored, by month of publication and tier, oldest first.

    Triggers note each change of an instance in a row of its own, and keep those rows few.
    """
    cursor = await connection.execute(
        """select month, tier, sum(slides)::bigint as slides,
                  sum(original_bytes)::bigint as original_bytes,
                  sum(stored_bytes)::bigint as stored_bytes
           from capacity_change group by 1, 2 order by 1, 2 desc"""
    )
    return [
        StoredMonth(
            month=row["month"],
            tier=Tier(row["tier"]),
            slides=row["slides"],
            original_bytes=row["original_bytes"],
            stored_bytes=row["stored_bytes"],
        )
        for row in await cursor.fetchall()
        if row["stored_bytes"] or row["slides"]
    ]


async def first_day(connection: Connection) -> date | None:
    """On which the oldest slide was published, in UTC; None while there is none."""
    cursor = await connection.execute(
        "select published_at from slide order by published_at limit 1"
    )
    row = await cursor.fetchone()
    return None if row is None else row["published_at"].astimezone(UTC).date()


async def activity(connection: Connection) -> Activity | None:
    """What was typed in; None while nothing was."""
    cursor = await connection.execute("select activity from forecast_activity")
    row = await cursor.fetchone()
    return None if row is None else Activity.model_validate(row["activity"])


async def set_activity(
    connection: Connection, establishment_id: UUID, wanted: Activity
) -> datetime:
    """What was typed in, and when that is."""
    cursor = await connection.execute(
        """insert into forecast_activity (establishment_id, activity) values (%s, %s)
           on conflict (establishment_id) do update
           set activity = excluded.activity, updated_at = now()
           returning updated_at""",
        [establishment_id, Jsonb(wanted.model_dump(mode="json"))],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    updated_at: datetime = row["updated_at"]
    return updated_at
