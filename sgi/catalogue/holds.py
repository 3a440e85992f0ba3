"""Legal holds as rows: placed and lifted, never removed."""

from typing import Any
from uuid import UUID

import psycopg

from sgi.catalogue.database import Connection
from sgi.domain.retention import Hold
from sgi.errors import ConflictError


def _hold(row: dict[str, Any]) -> Hold:
    return Hold(**{name: row[name] for name in Hold.__slots__})


async def of_slide(connection: Connection, slide_id: UUID) -> list[Hold]:
    """Every hold that the slide ever had, oldest first."""
    cursor = await connection.execute(
        "select * from legal_hold where slide_id = %s order by placed_at, id", [slide_id]
    )
    return [_hold(row) for row in await cursor.fetchall()]


async def open_hold(connection: Connection, slide_id: UUID) -> Hold | None:
    """The one that holds the slide now."""
    cursor = await connection.execute(
        "select * from legal_hold where slide_id = %s and lifted_at is null", [slide_id]
    )
    row = await cursor.fetchone()
    return None if row is None else _hold(row)


async def held(connection: Connection) -> list[Hold]:
    """Every hold of the establishment that lasts, newest first."""
    cursor = await connection.execute(
        "select * from legal_hold where lifted_at is null order by placed_at desc, id"
    )
    return [_hold(row) for row in await cursor.fetchall()]


async def place(
    connection: Connection, establishment_id: UUID, slide_id: UUID, reason: str, by: str
) -> None:
    """Hold a slide of this establishment.

    Raises ConflictError when it is held already, or is being destroyed.
    """
    try:
        await connection.execute(
            """insert into legal_hold (establishment_id, slide_id, reason, placed_by)
               values (%s, %s, %s, %s)""",
            [establishment_id, slide_id, reason, by],
        )
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError(
            "The slide is held already; one hold keeps it, and its reason is with the slide."
        ) from error
    except psycopg.errors.RestrictViolation as error:
        raise ConflictError(
            "The slide is being destroyed: a hold comes too late; look at its destruction."
        ) from error


async def lift(connection: Connection, slide_id: UUID, reason: str, by: str) -> bool:
    """False when the slide is not held."""
    cursor = await connection.execute(
        """update legal_hold set lifted_at = now(), lifted_by = %s, lift_reason = %s
           where slide_id = %s and lifted_at is null""",
        [by, reason, slide_id],
    )
    return cursor.rowcount == 1
