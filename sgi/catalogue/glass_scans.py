"""The scans of one glass: locked in one order by whoever changes them, one of them shown first."""

from typing import Any
from uuid import UUID

from sgi.catalogue import case_states
from sgi.catalogue.database import Connection
from sgi.errors import ConflictError, NotFoundError


async def locked_glass(connection: Connection, glass_id: UUID) -> dict[str, Any] | None:
    """The glass, and its case before it, as everybody locks them; None where there is none.

    One after the other: which scan is shown first is decided for all of a glass at once.
    """
    cursor = await connection.execute("select case_id from glass where id = %s", [glass_id])
    row = await cursor.fetchone()
    if row is not None and row["case_id"] is not None:
        await case_states.locked(connection, row["case_id"])
    cursor = await connection.execute(
        "select id, case_id, cancelled_at from glass where id = %s for no key update", [glass_id]
    )
    return await cursor.fetchone()


async def locked_with_glass(connection: Connection, slide_id: UUID) -> dict[str, Any]:
    """The glass of the slide; nobody else changes either.

    Raises NotFoundError, and ConflictError for a slide that has no glass.
    """
    cursor = await connection.execute("select glass_id from slide where id = %s", [slide_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such slide.")
    glass = await locked_glass(connection, row["glass_id"])
    known = await locked(connection, slide_id)
    if glass is None or known["glass_id"] != glass["id"]:
        raise ConflictError("The slide is not attached to a glass.")
    return glass


async def locked(connection: Connection, slide_id: UUID) -> dict[str, Any]:
    """A slide, which nobody else attaches or takes away meanwhile. Raises NotFoundError."""
    cursor = await connection.execute(
        "select id, glass_id, published_at from slide where id = %s for no key update", [slide_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such slide.")
    return row


async def choose_current(connection: Connection, glass_id: UUID) -> None:
    """All images of one file are current together: the newest file's, unless a person chose."""
    await connection.execute(
        """update slide s set current = (s.arrival_id = first.arrival_id)
           from (select arrival_id from slide where glass_id = %(glass)s
                 order by current_said desc, published_at desc, id desc limit 1) first
           where s.glass_id = %(glass)s
             and s.current <> (s.arrival_id = first.arrival_id)""",
        {"glass": glass_id},
    )
