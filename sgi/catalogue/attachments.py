"""Which glass a scan is of: attached, taken back, and every step of that kept.

What the instances say of it is told by a job (`sgi.identity`), which finds it in `identity_due`.
The notice to the laboratory is put here, before any of the case's state, and is sent once that job
has told: by then the UIDs that it names are those of instances that say whose they are.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue import (
    audit,
    case_states,
    cases,
    identification,
    outbox,
    rescans,
    scan_history,
    slides,
)
from sgi.catalogue.audit import SYSTEM, Action, Actor
from sgi.catalogue.database import Connection
from sgi.domain.identification import AUTOMATIC, How, Unidentified, contradicts, nothing_read
from sgi.errors import ConflictError, NotFoundError


@dataclass(frozen=True, slots=True)
class Attachment:
    """A slide is, or was, held for the image of a glass; the last three are None while it is."""

    id: UUID
    slide_id: UUID
    glass_id: UUID
    glass_identifier: str
    case_id: UUID | None
    accession_number: str | None
    case_signed_out: bool
    how: How
    attached_at: datetime
    attached_by: UUID | None
    attached_name: str | None
    undone_at: datetime | None
    undone_by: UUID | None
    undone_name: str | None
    undo_reason: str | None


_ATTACHMENTS = """
    select a.*, g.identifier, g.case_id, c.accession_number,
           coalesce(c.state = 'signed_out', false) as case_signed_out, one.name as attached_name,
           other.name as undone_name
    from attachment a join glass g on g.id = a.glass_id
        left join lab_case c on c.id = g.case_id
        left join account one on one.id = a.attached_by
        left join account other on other.id = a.undone_by
"""


def _attachment(row: dict[str, Any]) -> Attachment:
    return Attachment(
        id=row["id"],
        slide_id=row["slide_id"],
        glass_id=row["glass_id"],
        glass_identifier=row["identifier"],
        case_id=row["case_id"],
        accession_number=row["accession_number"],
        case_signed_out=row["case_signed_out"],
        how=How(row["how"]),
        attached_at=row["attached_at"],
        attached_by=row["attached_by"],
        attached_name=row["attached_name"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
        undone_name=row["undone_name"],
        undo_reason=row["undo_reason"],
    )


async def of_slide(connection: Connection, slide_id: UUID) -> list[Attachment]:
    """Every one that the slide ever had, oldest first."""
    cursor = await connection.execute(
        _ATTACHMENTS + "where a.slide_id = %s order by a.attached_at, a.id", [slide_id]
    )
    return [_attachment(row) for row in await cursor.fetchall()]


async def latest(connection: Connection, limit: int = 50) -> list[Attachment]:
    """What persons attached and took back lately, the newest first: what they may want undone."""
    cursor = await connection.execute(
        f"""with latest as materialized (
                select * from attachment where how = 'person' or undone_by is not null
                order by changed_at desc, id limit %s)
            {_ATTACHMENTS.replace("attachment a", "latest a")}
            order by a.changed_at desc, a.id""",  # noqa: S608 - constants
        [limit],
    )
    return [_attachment(row) for row in await cursor.fetchall()]


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
    glass = await _locked_glass(connection, glass_id)
    if glass is None:
        raise NotFoundError("There is no such glass.")
    known = await _locked(connection, slide_id)
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
    await _choose_current(connection, glass_id)
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
    glass = await _locked_with_glass(connection, slide_id)
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
    glass = await _locked_glass(connection, glass_id)
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
    await _choose_current(connection, glass_id)
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
    glass = await _locked_with_glass(connection, slide_id)
    await connection.execute(
        "update slide set current_said = false where glass_id = %s and current_said", [glass["id"]]
    )
    await connection.execute("update slide set current_said = true where id = %s", [slide_id])
    await _choose_current(connection, glass["id"])
    await audit.record(connection, establishment_id, actor, Action.CHOOSE_SCAN, slide_id)


@dataclass(frozen=True, slots=True)
class Leaving:
    """A slide with a glass, on its way to be destroyed."""

    establishment_id: UUID
    slide_id: UUID
    glass_id: UUID
    case_id: UUID | None


async def to_be_destroyed(connection: Connection, destruction_id: UUID) -> Leaving | None:
    """The slide of a destruction that has not begun; None where it has no glass."""
    cursor = await connection.execute(
        """select s.establishment_id, s.id, s.glass_id, g.case_id
           from destruction d join slide s on s.id = d.slide_id join glass g on g.id = s.glass_id
           where d.id = %s""",
        [destruction_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return Leaving(row["establishment_id"], row["id"], row["glass_id"], row["case_id"])


async def destroyed(connection: Connection, left: Leaving) -> None:
    """The slide is gone: the laboratory and the case hear that it is no image any more."""
    await _choose_current(connection, left.glass_id)
    await outbox.image(
        connection, left.establishment_id, left.glass_id, left.slide_id, available=False
    )
    if left.case_id is not None:
        await cases.reassess(connection, left.case_id)


async def attach_waiting(
    connection: Connection, establishment_id: UUID, glass_id: UUID
) -> list[UUID]:
    """To be called when the laboratory has registered or changed a glass: scans that wait for it
    find it now, those that it lost when it was cancelled too. Returns those that were attached.
    """
    again = [
        slide_id
        for slide_id in await identification.slides_lost(connection, glass_id)
        if await attach(connection, establishment_id, slide_id, glass_id, How.LATE)
    ]
    return again + [
        slide_id
        for slide_id in await identification.slides_named(connection, glass_id)
        if await _identify(connection, establishment_id, slide_id, How.LATE)
    ]


async def attach_by_label(
    connection: Connection, establishment_id: UUID, slide_id: UUID, *, is_contradicted: bool
) -> bool:
    """Compare a slide's codes, which are on record, with the glasses; True where it has one now."""
    if is_contradicted:
        await identification.set_reason(connection, slide_id, Unidentified.CONTRADICTION)
        return False
    return await _identify(connection, establishment_id, slide_id, How.BARCODE)


async def _identify(
    connection: Connection, establishment_id: UUID, slide_id: UUID, how: How
) -> bool:
    slide = await slides.by_id(connection, slide_id)
    cursor = await connection.execute(
        """select s.unidentified, exists (select from slide_code c where c.slide_id = s.id) as coded
           from slide s where s.id = %s""",
        [slide_id],
    )
    row = await cursor.fetchone()
    if slide is None or row is None or row["unidentified"] is None:
        return False
    reason = Unidentified(row["unidentified"])
    if reason not in AUTOMATIC and reason is not Unidentified.SEVERAL:
        return False
    if reason is Unidentified.WAITING and how is How.LATE and contradicts(slide.facts):
        return False  # the look that is to come has the patterns to decide this
    named = await identification.glasses_of_label(connection, slide_id)
    living = [each for each in named if each.is_living]
    if len(living) == 1:
        return await attach(connection, establishment_id, slide_id, living[0].id, how)
    if len(living) > 1:
        reason = Unidentified.SEVERAL
    elif named:
        reason = Unidentified.CANCELLED
    else:
        reason = Unidentified.UNKNOWN if row["coded"] else nothing_read(slide.facts)
    await identification.set_reason(connection, slide_id, reason)
    return False


async def _locked_glass(connection: Connection, glass_id: UUID) -> dict[str, Any] | None:
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


async def _locked_with_glass(connection: Connection, slide_id: UUID) -> dict[str, Any]:
    """The glass of the slide; nobody else changes either. Raises as `undo`."""
    cursor = await connection.execute("select glass_id from slide where id = %s", [slide_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such slide.")
    glass = await _locked_glass(connection, row["glass_id"])
    known = await _locked(connection, slide_id)
    if glass is None or known["glass_id"] != glass["id"]:
        raise ConflictError("The slide is not attached to a glass.")
    return glass


async def _locked(connection: Connection, slide_id: UUID) -> dict[str, Any]:
    cursor = await connection.execute(
        "select id, glass_id, published_at from slide where id = %s for no key update", [slide_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such slide.")
    return row


async def _choose_current(connection: Connection, glass_id: UUID) -> None:
    """All images of one file are current together: the newest file's, unless a person chose."""
    await connection.execute(
        """update slide s set current = (s.arrival_id = first.arrival_id)
           from (select arrival_id from slide where glass_id = %(glass)s
                 order by current_said desc, published_at desc, id desc limit 1) first
           where s.glass_id = %(glass)s
             and s.current <> (s.arrival_id = first.arrival_id)""",
        {"glass": glass_id},
    )


async def _changed(
    connection: Connection, establishment_id: UUID, slide_id: UUID, case_id: UUID | None
) -> None:
    await connection.execute(
        "insert into identity_due (establishment_id, slide_id, turn) values (%s, %s, 0)",
        [establishment_id, slide_id],
    )
    if case_id is not None:
        await cases.reassess(connection, case_id)
