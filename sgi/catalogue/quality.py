"""Each establishment's limits of the quality gate; without a row, the usual ones."""

from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.quality import DEFAULTS, QualityThresholds


async def limits(connection: Connection) -> QualityThresholds:
    """Of the establishment whose transaction this is."""
    cursor = await connection.execute("select limits from quality_limits")
    row = await cursor.fetchone()
    return DEFAULTS if row is None else QualityThresholds.model_validate(row["limits"])


async def set_limits(
    connection: Connection, establishment_id: UUID, wanted: QualityThresholds
) -> datetime:
    """For every slide that is taken in from now on; when that is."""
    cursor = await connection.execute(
        """insert into quality_limits (establishment_id, limits) values (%s, %s)
           on conflict (establishment_id) do update
           set limits = excluded.limits, updated_at = now()
           returning updated_at""",
        [establishment_id, Jsonb(wanted.model_dump(mode="json"))],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    updated_at: datetime = row["updated_at"]
    return updated_at
