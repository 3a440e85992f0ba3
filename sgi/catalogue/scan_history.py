"""What a case's history says of its images: attached and taken away, by whom and why."""

from uuid import UUID

from sgi.catalogue import case_history
from sgi.catalogue.audit import Actor
from sgi.catalogue.case_history import Author, Happening
from sgi.catalogue.database import Connection
from sgi.domain.case import CaseState
from sgi.domain.identification import How
from sgi.domain.retention import Destruction


async def attached(connection: Connection, glass_id: UUID, how: How, actor: Actor) -> None:
    """A glass has an image more.

    What comes by itself before sign-out is what everybody waits for, and needs no entry.
    """
    await _add(connection, glass_id, Happening.SCAN_ATTACHED, actor, is_usual=how is not How.PERSON)


async def detached(connection: Connection, glass_id: UUID, reason: str, actor: Actor) -> None:
    """It has one less, and why."""
    await _add(connection, glass_id, Happening.SCAN_DETACHED, actor, why=reason)


async def destroyed(
    connection: Connection, case_id: UUID, glass_identifier: str, destruction: Destruction
) -> None:
    """An image is destroyed: who asked, who approved, and the certificate's number.

    Not why: those words are of the destruction, and may name somebody.
    """
    asked, approved = destruction.asked_by, destruction.approved_by
    await case_history.add(
        connection,
        case_id,
        Happening.SCAN_DESTROYED,
        Author(asked.account_id, asked.name),
        before=glass_identifier,
        after=str(destruction.id),
        approved_name=None if approved is None else approved.name,
    )


async def _add(
    connection: Connection,
    glass_id: UUID,
    kind: Happening,
    actor: Actor,
    *,
    why: str | None = None,
    is_usual: bool = False,
) -> None:
    cursor = await connection.execute(
        """select g.identifier, c.id, c.state, a.name
           from glass g join lab_case c on c.id = g.case_id left join account a on a.id = %s
           where g.id = %s""",
        [actor.account_id, glass_id],
    )
    row = await cursor.fetchone()
    if row is None or (is_usual and row["state"] != CaseState.SIGNED_OUT):
        return
    author = Author(actor.account_id, row["name"])
    await case_history.add(connection, row["id"], kind, author, before=row["identifier"], why=why)
