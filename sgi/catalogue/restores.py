"""Restores that somebody asked for and that are over: told to them until they have seen it."""

from datetime import timedelta
from uuid import UUID

from sgi.catalogue import tiers
from sgi.catalogue.database import Connection
from sgi.domain.tiers import TierMove

_TOLD_FOR = timedelta(days=90)
"""Nobody who comes back later waits for it still."""


async def unseen(connection: Connection, account_id: UUID, limit: int) -> list[TierMove]:
    """Those of an account that came to their end, well or not, the newest first."""
    cursor = await connection.execute(
        """select id from tier_move
           where asked_by = %s and target = 'warm' and state in ('done', 'failed')
             and seen_at is null and ended_at > now() - %s
           order by ended_at desc, id limit %s""",
        [account_id, _TOLD_FOR, limit],
    )
    found = [await tiers.move(connection, row["id"]) for row in await cursor.fetchall()]
    return [each for each in found if each is not None]


async def set_seen(connection: Connection, account_id: UUID, move_id: UUID) -> bool:
    """Whoever asked has seen it; False where it is not theirs, or not over. Safe to do again."""
    cursor = await connection.execute(
        """update tier_move set seen_at = coalesce(seen_at, now())
           where id = %s and asked_by = %s and target = 'warm' and ended_at is not null""",
        [move_id, account_id],
    )
    return cursor.rowcount == 1
