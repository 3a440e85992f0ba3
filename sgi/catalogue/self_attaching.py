"""Scans that come to their glass by themselves: by their label, or once the laboratory names it."""

from uuid import UUID

from sgi.catalogue import attachments, identification, slides
from sgi.catalogue.database import Connection
from sgi.domain.identification import AUTOMATIC, How, Unidentified, contradicts, nothing_read


async def attach_waiting(
    connection: Connection, establishment_id: UUID, glass_id: UUID
) -> list[UUID]:
    """To be called when the laboratory has registered or changed a glass: scans that wait for it
    find it now, those that it lost when it was cancelled too. Returns those that were attached.
    """
    attached: list[UUID] = []
    for each in await identification.slides_waiting(connection, glass_id):
        if each.slide_id in attached:
            continue
        found = (connection, establishment_id, each.slide_id)
        if each.was_its:
            is_attached = await attachments.attach(*found, glass_id, How.LATE)
        else:
            is_attached = await _identify(*found, How.LATE)
        if is_attached:
            attached.append(each.slide_id)
    return attached


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
        return await attachments.attach(connection, establishment_id, slide_id, living[0].id, how)
    if len(living) > 1:
        reason = Unidentified.SEVERAL
    elif named:
        reason = Unidentified.CANCELLED
    else:
        reason = Unidentified.UNKNOWN if row["coded"] else nothing_read(slide.facts)
    await identification.set_reason(connection, slide_id, reason)
    return False
