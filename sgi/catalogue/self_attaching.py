"""Scans that come to their glass by themselves: by their label, or once the laboratory names it."""

from uuid import UUID

from sgi.catalogue import (
    attachment_rows,
    attachments,
    candidates,
    doubts,
    identification,
    slides,
)
from sgi.catalogue.database import Connection
from sgi.domain.datamatrix import Whose
from sgi.domain.identification import (
    AUTOMATIC,
    How,
    Unidentified,
    contradicts,
    nothing_read,
    whose_label,
)
from sgi.domain.slide import Slide


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
            is_attached = await _attach_again(*found, glass_id)
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


async def _attach_again(
    connection: Connection, establishment_id: UUID, slide_id: UUID, glass_id: UUID
) -> bool:
    """What came to the glass by itself is looked at anew: it may be another patient's now."""
    slide = await slides.by_id(connection, slide_id)
    if slide is not None and await _is_of_another(connection, slide, glass_id):
        known = await attachment_rows.of_slide(connection, slide_id)
        if known and known[-1].how is not How.PERSON:
            await identification.set_reason(connection, slide_id, Unidentified.ANOTHER_PATIENT)
            return False
    return await attachments.attach(connection, establishment_id, slide_id, glass_id, How.LATE)


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
    if len(living) == 1 and await _is_of_another(connection, slide, living[0].id):
        reason = Unidentified.ANOTHER_PATIENT
    elif len(living) == 1:
        return await attachments.attach(connection, establishment_id, slide_id, living[0].id, how)
    elif len(living) > 1:
        reason = Unidentified.SEVERAL
    elif named:
        reason = Unidentified.CANCELLED
    else:
        reason = Unidentified.UNKNOWN if row["coded"] else nothing_read(slide.facts)
    await identification.set_reason(connection, slide_id, reason)
    return False


async def _is_of_another(connection: Connection, slide: Slide, glass_id: UUID) -> bool:
    """Whether the label's INS code is another person's than the glass's patient."""
    if whose_label(slide.facts) is None:
        return False
    glass = await candidates.of_glass(connection, glass_id)
    if glass is None:
        return False
    said = await doubts.code_says(connection, slide, [glass])
    return said[glass_id] is Whose.ANOTHER
