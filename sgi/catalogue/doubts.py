"""What speaks against a glass that a person chooses for a slide, and whether they have said that
they know it: the same for whoever is shown the choice, and for whoever makes it.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from sgi.catalogue import (
    attachment_rows,
    candidates,
    glass_scans,
    identification,
    patients,
    slides,
)
from sgi.catalogue.candidates import Candidate
from sgi.catalogue.database import Connection
from sgi.domain.datamatrix import Whose, whose
from sgi.domain.identification import Doubt, whose_label
from sgi.domain.slide import Slide
from sgi.errors import NotFoundError, UnconfirmedError


async def code_says(
    connection: Connection, slide: Slide, found: Sequence[Candidate]
) -> dict[UUID, Whose]:
    """Of each glass, whether its patient is the one of the label's INS datamatrix; nothing where
    the label has none.
    """
    scanned = whose_label(slide.facts)
    if scanned is None:
        return {}
    of_patient: dict[UUID | None, Whose] = {None: Whose.CANNOT_TELL}
    for patient_id in {each.patient_id for each in found if each.patient_id is not None}:
        patient = await patients.by_id(connection, patient_id)
        of_patient[patient_id] = Whose.CANNOT_TELL if patient is None else whose(scanned, patient)
    return {each.glass_id: of_patient[each.patient_id] for each in found}


async def taken_away_from(connection: Connection, slide_id: UUID) -> set[UUID]:
    """Glasses that persons took the slide away from."""
    known = await attachment_rows.of_slide(connection, slide_id)
    return {each.glass_id for each in known if each.undone_by is not None}


async def doubts_of(
    connection: Connection, slide: Slide, found: Sequence[Candidate]
) -> dict[UUID, list[Doubt]]:
    """Of each glass, all that is to be confirmed before the slide is attached to it."""
    named = await identification.all_named(connection, slide.id)
    said = await code_says(connection, slide, found)
    refused = await taken_away_from(connection, slide.id)

    def doubts(glass: Candidate) -> list[Doubt]:
        known = {
            Doubt.ANOTHER_PATIENT: said.get(glass.glass_id) is Whose.ANOTHER,
            Doubt.ANOTHER_GLASS: bool(named) and glass.glass_id not in named,
            Doubt.NOT_NAMED: not named,
            Doubt.TAKEN_AWAY: glass.glass_id in refused,
            Doubt.SIGNED_OUT: glass.case_signed_out,
        }
        return [doubt for doubt, is_so in known.items() if is_so]

    return {each.glass_id: doubts(each) for each in found}


async def require_confirmed(
    connection: Connection, slide_id: UUID, glass_id: UUID, confirmed: Collection[Doubt]
) -> None:
    """Before a person attaches the slide: nobody changes glass and case until the commit.

    Raises UnconfirmedError with all that they have not confirmed, and NotFoundError.
    """
    await glass_scans.locked_glass(connection, glass_id)
    glass = await candidates.of_glass(connection, glass_id)
    slide = await slides.by_id(connection, slide_id)
    if glass is None or slide is None:
        raise NotFoundError("There is no such slide or glass.")
    if (await glass_scans.locked(connection, slide_id))["glass_id"] == glass_id:
        return  # it is there already
    doubts = (await doubts_of(connection, slide, [glass]))[glass_id]
    _require(doubts, confirmed)


async def require_confirmed_undoing(
    connection: Connection, slide_id: UUID, confirmed: Collection[Doubt]
) -> None:
    """Before a person takes the slide away from its glass. Raises as `require_confirmed`, and
    ConflictError for a slide that has none.
    """
    glass = await glass_scans.locked_with_glass(connection, slide_id)
    known = await candidates.of_glass(connection, glass["id"])
    is_signed_out = known is not None and known.case_signed_out
    _require([Doubt.SIGNED_OUT] if is_signed_out else [], confirmed)


def _require(doubts: Sequence[Doubt], confirmed: Collection[Doubt]) -> None:
    left = [doubt for doubt in doubts if doubt not in confirmed]
    if left:
        raise UnconfirmedError("Something speaks against it; say that it is known.", left)
