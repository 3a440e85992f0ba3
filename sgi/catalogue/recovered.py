"""Rows of a database that came back from an earlier moment, led on to what the stores know."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from sgi.catalogue import incidents
from sgi.domain.retention import Destruction, DestructionState
from sgi.domain.tier import Tier

Owner = AsyncConnection[DictRow]
"""The owner of the database, past the walls."""
_STEPS = (
    DestructionState.ASKED,
    DestructionState.APPROVED,
    DestructionState.DESTROYING,
    DestructionState.DONE,
)


async def forget_earlier(connection: Owner, told: Destruction) -> None:
    """Make room for a destruction that has gone further than its row says."""
    withdrawn = told.state is DestructionState.WITHDRAWN
    earlier = _STEPS[:2] if withdrawn else _STEPS[: _STEPS.index(told.state)]
    await connection.execute(
        """delete from destruction
           where id = %s and slide_id = %s and establishment_id = %s and state = any(%s)""",
        [told.id, told.slide_id, told.establishment_id, list(earlier)],
    )


async def remove_destroyed(connection: Owner, told: Destruction) -> None:
    """No slide, and no file of it, has come back with the database.

    Raises psycopg.errors.RestrictViolation for a slide that is held.
    """
    cursor = await connection.execute(
        "delete from slide where id = %s and establishment_id = %s",
        [told.slide_id, told.establishment_id],
    )
    await incidents.end_with_slide(connection, told.slide_id)
    if cursor.rowcount:
        await connection.execute(
            """delete from arrival where id = %s and establishment_id = %s
               and not exists (select from slide where arrival_id = %s)""",
            [told.arrival_id, told.establishment_id, told.arrival_id],
        )


@dataclass(frozen=True, slots=True)
class Doubtful:
    """An instance that may lie elsewhere than its row says."""

    slide_id: UUID
    sop_uid: str
    tier: Tier
    size_bytes: int


async def doubtful(connection: Owner, packed: Sequence[str]) -> list[Doubtful]:
    """`packed` has the SOP Instance UIDs of everything that lies in the cold store."""
    cursor = await connection.execute(
        """select slide_id, sop_uid, tier, size_bytes from instance
           where (tier = 'warm') = (sop_uid = any(%s)) order by slide_id, sop_uid""",
        [list(packed)],
    )
    return [
        Doubtful(row["slide_id"], row["sop_uid"], Tier(row["tier"]), row["size_bytes"])
        for row in await cursor.fetchall()
    ]


async def set_cold(connection: Owner, sop_uid: str, packed_bytes: int) -> None:
    """The instance lies in the cold store alone; its copy is read again before it is believed."""
    await connection.execute(
        """update instance set tier = 'cold', cold_size_bytes = %s, cold_sha256 = null,
               warm_left_at = null
           where sop_uid = %s""",
        [packed_bytes, sop_uid],
    )
