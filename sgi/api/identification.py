"""`/api/v1/identification`: slides that nobody could name, the glasses that they may be of, what
choosing one will do; attaching and taking back by a person.
"""

import base64
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sgi.api.retention import ReasonText
from sgi.api.services import WITHOUT_NUL, actor_of, services_of, session_of
from sgi.catalogue import attachments, audit, candidates, identification, patients, slides
from sgi.catalogue.attachments import Attachment
from sgi.catalogue.audit import Action
from sgi.catalogue.candidates import Candidate, Why
from sgi.catalogue.database import Connection
from sgi.catalogue.identification import Waiting
from sgi.catalogue.turns import transacted
from sgi.domain.datamatrix import Whose, identity_of, whose
from sgi.domain.identification import How, Unidentified, codes_of
from sgi.errors import InvalidRequestError, NotFoundError
from sgi.jobs.identity import defer_telling

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
    codes: list[str]
    """As they were read: the file's own first."""
    has_label: bool


class IdentificationOut(BaseModel):
    """One page, newest first."""

    items: list[WaitingOut]
    next: str | None
    """Give it as `after` for the next page; None on the last."""
    total: int
    """At most 1000."""


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
    will: list[Effect]
    """What attaching the slide to it does, in that order."""


class CandidatesOut(BaseModel):
    """The likeliest first."""

    items: list[CandidateOut]


class AttachmentOut(BaseModel):
    """What a slide was held to be the image of; the last three are None while it is."""

    id: UUID
    slide_id: UUID
    glass_id: UUID
    glass_identifier: str
    case_id: UUID | None
    accession_number: str | None
    case_signed_out: bool
    """Taking the slide away changes what somebody has signed."""
    how: How
    attached_at: datetime
    attached_by: str | None
    """An account's name; None for the SGI itself."""
    undone_at: datetime | None
    undone_by: str | None
    undo_reason: str | None


class AttachmentsOut(BaseModel):
    """Oldest first of a slide; the newest first of the establishment."""

    items: list[AttachmentOut]


class AttachIn(BaseModel):
    """The glass that a slide is of."""

    glass: UUID


class DetachIn(BaseModel):
    """Why a slide is not of its glass."""

    reason: ReasonText


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
    page = found[:limit]
    return IdentificationOut(
        items=[WaitingOut.model_validate(each, from_attributes=True) for each in page],
        next=_cursor(page[-1]) if len(found) > limit else None,
        total=total,
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
        refused = await _refused(connection, slide)
        said = await _code_says(connection, slide, found)
        await audit.record(
            connection, session.establishment_id, actor_of(request), Action.VIEW_IDENTIFICATION
        )
    return CandidatesOut(items=[_candidate(each, refused, said) for each in found])


@router.get("/identification/attachments")
async def list_attachments(request: Request) -> AttachmentsOut:
    """What persons attached and took back lately."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        return _attachments(await attachments.latest(connection))


@router.get("/identification/{slide_id}/candidates")
async def list_candidates(slide_id: UUID, request: Request) -> CandidatesOut:
    """Glasses that the slide may be of, with their patients; put on record."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        slide = await slides.by_id(connection, slide_id)
        if slide is None:
            raise NotFoundError("There is no such slide.")
        found = await candidates.likely(connection, slide_id, codes_of(slide.facts))
        refused = await _refused(connection, slide_id)
        said = await _code_says(connection, slide_id, found)
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.VIEW_IDENTIFICATION,
            slide_id,
        )
    return CandidatesOut(items=[_candidate(each, refused, said) for each in found])


@router.get("/slides/{slide_id}/attachments")
async def list_attachments_of_slide(slide_id: UUID, request: Request) -> AttachmentsOut:
    """Every glass that the slide was held to be of, oldest first."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        if await slides.by_id(connection, slide_id) is None:
            raise NotFoundError("There is no such slide.")
        return _attachments(await attachments.of_slide(connection, slide_id))


@router.post("/slides/{slide_id}/attach")
async def attach(slide_id: UUID, body: AttachIn, request: Request) -> AttachmentsOut:
    """The slide is of this glass. 409 where it has another, or the glass was cancelled."""
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await attachments.attach(connection, home, slide_id, body.glass, How.PERSON, actor)
        await defer_telling(connection)
        return _attachments(await attachments.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


@router.post("/slides/{slide_id}/detach")
async def detach(slide_id: UUID, body: DetachIn, request: Request) -> AttachmentsOut:
    """The slide is not of its glass: it is nobody's again. 409 where it has none."""
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await attachments.undo(connection, home, slide_id, body.reason, actor)
        await defer_telling(connection)
        return _attachments(await attachments.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


@router.post("/slides/{slide_id}/show-first")
async def show_first(slide_id: UUID, request: Request) -> AttachmentsOut:
    """Of several scans of its glass this is the one to look at. 409 where it has no glass."""
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await attachments.show_first(connection, home, slide_id, actor)
        return _attachments(await attachments.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


async def _refused(connection: Connection, slide_id: UUID | None) -> set[UUID]:
    """Glasses that persons took the slide away from."""
    if slide_id is None:
        return set()
    known = await attachments.of_slide(connection, slide_id)
    return {each.glass_id for each in known if each.undone_by is not None}


async def _code_says(
    connection: Connection, slide_id: UUID | None, found: list[Candidate]
) -> dict[UUID, Whose]:
    """Of each glass, whether its patient is the one of the label's INS datamatrix."""
    slide = None if slide_id is None else await slides.by_id(connection, slide_id)
    scanned = None if slide is None else identity_of(slide.facts.barcodes)
    if scanned is None:
        return {}
    of_patient: dict[UUID | None, Whose] = {None: Whose.CANNOT_TELL}
    for patient_id in {each.patient_id for each in found if each.patient_id is not None}:
        patient = await patients.by_id(connection, patient_id)
        of_patient[patient_id] = Whose.CANNOT_TELL if patient is None else whose(scanned, patient)
    return {each.glass_id: of_patient[each.patient_id] for each in found}


def _candidate(found: Candidate, refused: set[UUID], said: dict[UUID, Whose]) -> CandidateOut:
    fields = {name: getattr(found, name) for name in Candidate.__slots__}
    return CandidateOut(
        **{**fields, "stains": list(found.stains)},
        was_refused=found.glass_id in refused,
        code_says=said.get(found.glass_id),
        will=_effects(found),
    )


def _effects(found: Candidate) -> list[Effect]:
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
    return [*effects, "tell_laboratory"]


def _attachments(found: list[Attachment]) -> AttachmentsOut:
    return AttachmentsOut(
        items=[
            AttachmentOut(
                id=each.id,
                slide_id=each.slide_id,
                glass_id=each.glass_id,
                glass_identifier=each.glass_identifier,
                case_id=each.case_id,
                accession_number=each.accession_number,
                case_signed_out=each.case_signed_out,
                how=each.how,
                attached_at=each.attached_at,
                attached_by=each.attached_name,
                undone_at=each.undone_at,
                undone_by=each.undone_name,
                undo_reason=each.undo_reason,
            )
            for each in found
        ]
    )


def _cursor(last: Waiting) -> str:
    text = f"{last.published_at.isoformat()} {last.slide_id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, slide_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), UUID(slide_id)
    except ValueError as error:
        raise InvalidRequestError("The cursor is not one that was given out.") from error
