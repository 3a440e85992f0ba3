"""`/api/v1/identification`: slides that nobody could name, the glasses that they may be of, and
what choosing one will do.
"""

import base64
from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sgi.api.label_codes import codes_out
from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import (
    attachment_rows,
    audit,
    candidates,
    doubts,
    identification,
    interfaces,
    slides,
)
from sgi.catalogue.audit import Action
from sgi.catalogue.candidates import Candidate, Why
from sgi.catalogue.database import Connection
from sgi.catalogue.identification import Waiting
from sgi.domain.datamatrix import Whose
from sgi.domain.identification import Doubt, Unidentified, codes_of
from sgi.domain.interface import OF_IMAGES
from sgi.errors import InvalidRequestError, NotFoundError

router = APIRouter(prefix="/api/v1", tags=["identification"])

Effect = Literal[
    "join_case",
    "wait_for_case",
    "change_signed_out",
    "bear_patient",
    "shown_first",
    "close_rescan",
    "complete_case",
    "tell_laboratory",
]


class WaitingOut(BaseModel):
    """A slide without a glass; its label is at `/slides/{id}/label`."""

    slide_id: UUID
    file_name: str
    published_at: datetime
    reason: Unidentified
    codes: list[str | None]
    """As they were read: the file's own first; None for a patient's INS datamatrix."""
    has_label: bool
    has_overview: bool
    first_is_scanners: bool
    """Whether the scanner read the first code, and the label's picture shows the others: they
    contradict each other."""


class IdentificationOut(BaseModel):
    """One page, newest first."""

    items: list[WaitingOut]
    next: str | None
    """Give it as `after` for the next page; None on the last."""
    total: int
    """At most 1000."""
    contradicted: int
    """Slides that a person attached, whose labels name a glass that was registered since; at most
    1000."""


class CandidateOut(BaseModel):
    """A glass that a slide may be of."""

    glass_id: UUID
    identifier: str
    why: Why
    distance: int | None
    """Edits between its identifier and the nearest code."""
    is_living: bool
    """False for one that the laboratory has cancelled: it cannot be chosen."""
    case_id: UUID | None
    accession_number: str | None
    patient_id: UUID | None
    patient_name: str | None
    birth_date: date | None
    sex: str | None
    stains: list[str]
    scans: int
    rescan_asked: bool
    case_signed_out: bool
    completes_case: bool
    was_refused: bool
    """A person has taken the slide away from it: it would come back."""
    code_says: Whose | None
    """Whether the INS datamatrix of the slide's label is this patient's; None where none was read.
    """
    doubts: list[Doubt]
    """What speaks against it: who attaches the slide has to say that they know each."""
    will: list[Effect]
    """What attaching the slide to it does, in that order."""


class CandidatesOut(BaseModel):
    """The likeliest first."""

    items: list[CandidateOut]


@router.get("/identification")
async def list_unidentified(
    request: Request,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> IdentificationOut:
    """Slides without a glass; without a patient's data, but their labels may show names."""
    position = None if after is None else _parse_cursor(after)
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await identification.unidentified(connection, limit=limit + 1, after=position)
        total = await identification.count(connection)
        contradicted = await attachment_rows.count_contradicted(connection)
    page = found[:limit]
    return IdentificationOut(
        items=[_waiting(each) for each in page],
        next=_cursor(page[-1]) if len(found) > limit else None,
        total=total,
        contradicted=contradicted,
    )


@router.get("/identification/glass")
async def find_glass(
    request: Request,
    q: Annotated[str, Query(min_length=2, max_length=200, pattern=WITHOUT_NUL)],
    slide: Annotated[UUID | None, Query()] = None,
) -> CandidatesOut:
    """Glasses by the beginning of their identifier, or their case's number; put on record.

    `slide` is the one that they are looked for: those that it was taken away from are marked.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await candidates.glasses_found(connection, q)
        told = await _candidates(connection, slide, found)
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.VIEW_IDENTIFICATION
        )
    return told


@router.get("/identification/{slide_id}/candidates")
async def list_candidates(slide_id: UUID, request: Request) -> CandidatesOut:
    """Glasses that the slide may be of, with their patients; put on record."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        slide = await slides.by_id(connection, slide_id)
        if slide is None:
            raise NotFoundError("There is no such slide.")
        found = await candidates.likely(connection, slide_id, codes_of(slide.facts))
        told = await _candidates(connection, slide_id, found)
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.VIEW_IDENTIFICATION,
            slide_id,
        )
    return told


def _waiting(found: Waiting) -> WaitingOut:
    return WaitingOut(
        slide_id=found.slide_id,
        file_name=found.file_name,
        published_at=found.published_at,
        reason=found.reason,
        codes=codes_out(found.codes),
        has_label=found.has_label,
        has_overview=found.has_overview,
        first_is_scanners=found.first_is_scanners,
    )


async def _candidates(
    connection: Connection, slide_id: UUID | None, found: list[Candidate]
) -> CandidatesOut:
    """What choosing each for the slide means; nothing of the slide's where none is said."""
    slide = None if slide_id is None else await slides.by_id(connection, slide_id)
    told = not OF_IMAGES.isdisjoint(await interfaces.told(connection))
    if slide is None:
        return CandidatesOut(items=[_candidate(each, told=told) for each in found])
    said = await doubts.code_says(connection, slide, found)
    doubted = await doubts.doubts_of(connection, slide, found)
    return CandidatesOut(
        items=[
            _candidate(each, doubted[each.glass_id], said.get(each.glass_id), told=told)
            for each in found
        ]
    )


def _candidate(
    found: Candidate, doubted: Sequence[Doubt] = (), said: Whose | None = None, *, told: bool
) -> CandidateOut:
    fields = {name: getattr(found, name) for name in Candidate.__slots__}
    return CandidateOut(
        **{**fields, "stains": list(found.stains)},
        was_refused=Doubt.TAKEN_AWAY in doubted,
        code_says=said,
        doubts=list(doubted),
        will=_effects(found, told=told),
    )


def _effects(found: Candidate, *, told: bool) -> list[Effect]:
    """`told` where some interface tells the laboratory of images."""
    effects: list[Effect] = ["wait_for_case" if found.case_id is None else "join_case"]
    if found.case_signed_out:
        effects.append("change_signed_out")
    if found.patient_id is not None:
        effects.append("bear_patient")
    if found.scans:
        effects.append("shown_first")
    if found.rescan_asked:
        effects.append("close_rescan")
    if found.completes_case and not found.case_signed_out:
        effects.append("complete_case")
    if told:
        effects.append("tell_laboratory")
    return effects


def _cursor(last: Waiting) -> str:
    text = f"{last.published_at.isoformat()} {last.slide_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, slide_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), UUID(slide_id)
    except ValueError as error:
        raise InvalidRequestError("The cursor is not one that was given out.") from error
