"""Which glass a scan is of: attached, taken back, and every step of that kept.

What the instances say of it is told by a job (`sgi.identity`), which finds it in `identity_due`.
The notice to the laboratory is put here, before any of the case's state, and is sent once that job
has told: by then the UIDs that it names are those of instances that say whose they are.
"""

from typing import Any
from uuid import UUID

from sgi.catalogue import audit, cases, glass_scans, outbox, rescans, scan_history
from sgi.catalogue.audit import SYSTEM, Action, Actor
from sgi.catalogue.database import Connection
from sgi.domain.identification import How, Unidentified
from sgi.errors import ConflictError, NotFoundError


async def attach(
    connection: Connection,
    establishment_id: UUID,
    slide_id: UUID,
    glass_id: UUID,
    how: How,
    actor: Actor = SYSTEM,
) -> bool:
    """The slide is the glass's image; False where it was already.

    It is shown first of the glass's scans when it is the newest, unless a person chose another. A
    new scan that was asked for is there with it. Raises NotFoundError, and ConflictError for a
    slide that has another glass and for a glass that the laboratory has cancelled.
    """
    glass = await glass_scans.locked_glass(connection, glass_id)
    if glass is None:
        raise NotFoundError("There is no such glass.")
    known = await glass_scans.locked(connection, slide_id)
    if known["glass_id"] == glass_id:
        return False
    if known["glass_id"] is not None:
        raise ConflictError("The slide is attached to another glass; take it away from that first.")
    if glass["cancelled_at"] is not None:
        raise ConflictError("The laboratory has cancelled this glass.")
    await connection.execute(
        """insert into attachment (establishment_id, slide_id, glass_id, how, attached_by)
           values (%s, %s, %s, %s, %s)""",
        [establishment_id, slide_id, glass_id, how, actor.account_id],
    )
    await connection.execute(
        "update slide set glass_id = %s, unidentified = null, current_said = false where id = %s",
        [glass_id, slide_id],
    )
    await glass_scans.choose_current(connection, glass_id)
    await rescans.close(connection, glass_id, slide_id)
    await outbox.image(connection, establishment_id, glass_id, slide_id, available=True)
    await scan_history.attached(connection, glass_id, how, actor)
    await _changed(connection, establishment_id, slide_id, glass["case_id"])
    await audit.record(connection, establishment_id, actor, Action.ATTACH_SLIDE, slide_id)
    return True


async def undo(
    connection: Connection, establishment_id: UUID, slide_id: UUID, reason: str, actor: Actor
) -> UUID:
    """The slide is nobody's again; returns the glass that it was attached to.

    No label and no message attaches it there again by itself; a new scan that it had ended is asked
    for again. Raises NotFoundError, and ConflictError for a slide that has no glass.
    """
    glass = await glass_scans.locked_with_glass(connection, slide_id)
    glass_id: UUID = glass["id"]
    await rescans.open_again(connection, glass_id, slide_id)
    await _take_away(
        connection, establishment_id, slide_id, glass, Unidentified.UNDONE, reason, actor
    )
    return glass_id


async def glass_cancelled(
    connection: Connection, establishment_id: UUID, glass_id: UUID
) -> list[UUID]:
    """To be called when the laboratory has cancelled a glass: its scans are nobody's image, and a
    person's to name. Once it is a glass again, it has them again.

    Returns the slides that were taken away; none of a glass that stays.
    """
    glass = await glass_scans.locked_glass(connection, glass_id)
    if glass is None or glass["cancelled_at"] is None:
        return []
    why = Unidentified.CANCELLED
    cursor = await connection.execute(
        "select id from slide where glass_id = %s order by id for no key update", [glass_id]
    )
    taken: list[UUID] = [row["id"] for row in await cursor.fetchall()]
    for slide_id in taken:
        await _take_away(connection, establishment_id, slide_id, glass, why, why, SYSTEM)
    return taken


async def _take_away(
    connection: Connection,
    establishment_id: UUID,
    slide_id: UUID,
    glass: dict[str, Any],
    unidentified: Unidentified,
    reason: str,
    actor: Actor,
) -> None:
    glass_id: UUID = glass["id"]
    await connection.execute(
        """update attachment set undone_at = clock_timestamp(), undone_by = %s, undo_reason = %s
           where slide_id = %s and undone_at is null""",
        [actor.account_id, reason, slide_id],
    )
    await connection.execute(
        """update slide set glass_id = null, unidentified = %s, current = false,
               current_said = false
           where id = %s""",
        [unidentified, slide_id],
    )
    await glass_scans.choose_current(connection, glass_id)
    await outbox.image(connection, establishment_id, glass_id, slide_id, available=False)
    await scan_history.detached(connection, glass_id, reason, actor)
    await _changed(connection, establishment_id, slide_id, glass["case_id"])
    await audit.record(connection, establishment_id, actor, Action.DETACH_SLIDE, slide_id)


async def show_first(
    connection: Connection, establishment_id: UUID, slide_id: UUID, actor: Actor
) -> None:
    """A person says that of several scans of a glass this is the one to look at.

    Raises as `undo`.
    """
    glass = await glass_scans.locked_with_glass(connection, slide_id)
    await connection.execute(
        "update slide set current_said = false where glass_id = %s and current_said", [glass["id"]]
    )
    await connection.execute("update slide set current_said = true where id = %s", [slide_id])
    await glass_scans.choose_current(connection, glass["id"])
    await audit.record(connection, establishment_id, actor, Action.CHOOSE_SCAN, slide_id)


async def _changed(
    connection: Connection, establishment_id: UUID, slide_id: UUID, case_id: UUID | None
) -> None:
    await connection.execute(
        "insert into identity_due (establishment_id, slide_id, turn) values (%s, %s, 0)",
        [establishment_id, slide_id],
    )
    if case_id is not None:
        await cases.reassess(connection, case_id)
