"""Who did what to which object: rows that are written and read, never changed."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sgi.catalogue.database import Connection


class Action(StrEnum):
    """What was done."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    VIEW_SLIDE = "view_slide"
    PUBLISH_SLIDE = "publish_slide"
    RETRY_ARRIVAL = "retry_arrival"
    CREATE_ACCOUNT = "create_account"
    SET_PASSWORD = "set_password"  # noqa: S105 - the name of an action


@dataclass(frozen=True, slots=True)
class Actor:
    """On whose behalf; all None for the system itself."""

    account_id: UUID | None = None
    session_id: UUID | None = None
    address: str | None = None


SYSTEM = Actor()


async def record(
    connection: Connection,
    establishment_id: UUID,
    actor: Actor,
    action: Action,
    object_id: UUID | None = None,
    outcome: str = "success",
) -> None:
    """Add one audit row, in the transaction of what it records."""
    await connection.execute(
        """insert into audit
               (establishment_id, account_id, session_id, action, object_id, outcome, address)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        [
            establishment_id,
            actor.account_id,
            actor.session_id,
            action,
            object_id,
            outcome,
            actor.address,
        ],
    )


async def was_viewed(connection: Connection, session_id: UUID, slide_id: UUID) -> bool:
    """True when this session has a view of this slide on record."""
    cursor = await connection.execute(
        """select 1 from audit
           where session_id = %s and object_id = %s and action = %s limit 1""",
        [session_id, slide_id, Action.VIEW_SLIDE],
    )
    return await cursor.fetchone() is not None
