"""`/api/v1/slides/{slide}/attach…`: which glass a slide is of, as persons say, and take back."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from sgi.api.label_codes import codes_out
from sgi.api.retention import ReasonText
from sgi.api.services import actor_of, services_of, session_of
from sgi.catalogue import attachment_rows, attachments, audit, doubts, slides
from sgi.catalogue.attachment_rows import Attachment, Recent
from sgi.catalogue.audit import Action
from sgi.catalogue.database import Connection
from sgi.catalogue.turns import transacted
from sgi.domain.identification import Doubt, How
from sgi.errors import NotFoundError
from sgi.jobs.identity import defer_telling

router = APIRouter(prefix="/api/v1", tags=["identification"])

Confirmed = Annotated[list[Doubt], Field(max_length=len(Doubt))]


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
    label_names: str | None
    """Another glass, which the label names and the laboratory registered after a person chose."""


class AttachmentsOut(BaseModel):
    """Oldest first."""

    items: list[AttachmentOut]


class RecentOut(AttachmentOut):
    """The same with what its label reads, and whose the glass is: to be looked at before it is
    taken back.
    """

    file_name: str
    codes: list[str | None]
    """As they were read: the file's own first; None for a patient's INS datamatrix."""
    has_label: bool
    has_overview: bool
    stains: list[str]
    patient_id: UUID | None
    patient_name: str | None
    birth_date: date | None
    sex: str | None


class RecentsOut(BaseModel):
    """What is to be looked at again first; then the newest first."""

    items: list[RecentOut]


class AttachIn(BaseModel):
    """The glass that a slide is of."""

    glass: UUID
    confirmed: Confirmed = Field(default_factory=list)
    """What speaks against it, and is known."""


class DetachIn(BaseModel):
    """Why a slide is not of its glass."""

    reason: ReasonText
    confirmed: Confirmed = Field(default_factory=list)
    """`signed_out` where the case is."""


@router.get("/identification/attachments")
async def list_attachments(request: Request) -> RecentsOut:
    """What the laboratory has contradicted since; what persons attached and took back lately.

    With their patients: on record, once a session.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        found = await attachment_rows.latest(connection)
        await audit.record_once(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.VIEW_IDENTIFICATION,
            session.id,
        )
    return RecentsOut(items=[_recent(each) for each in found])


@router.get("/slides/{slide_id}/attachments")
async def list_attachments_of_slide(slide_id: UUID, request: Request) -> AttachmentsOut:
    """Every glass that the slide was held to be of, oldest first."""
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        if await slides.by_id(connection, slide_id) is None:
            raise NotFoundError("There is no such slide.")
        return _attachments(await attachment_rows.of_slide(connection, slide_id))


@router.post("/slides/{slide_id}/attach")
async def attach(slide_id: UUID, body: AttachIn, request: Request) -> AttachmentsOut:
    """The slide is of this glass. 409 where it has another, or the glass was cancelled, and where
    something speaks against it that is not confirmed: then `confirm` says what.
    """
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await doubts.require_confirmed(connection, slide_id, body.glass, body.confirmed)
        await attachments.attach(connection, home, slide_id, body.glass, How.PERSON, actor)
        await defer_telling(connection)
        return _attachments(await attachment_rows.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


@router.post("/slides/{slide_id}/detach")
async def detach(slide_id: UUID, body: DetachIn, request: Request) -> AttachmentsOut:
    """The slide is not of its glass: it is nobody's again. 409 where it has none, and as above."""
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await doubts.require_confirmed_undoing(connection, slide_id, body.confirmed)
        await attachments.undo(connection, home, slide_id, body.reason, actor)
        await defer_telling(connection)
        return _attachments(await attachment_rows.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


@router.post("/slides/{slide_id}/show-first")
async def show_first(slide_id: UUID, request: Request) -> AttachmentsOut:
    """Of several scans of its glass this is the one to look at. 409 where it has no glass."""
    home, actor = session_of(request).establishment_id, actor_of(request)

    async def act(connection: Connection) -> AttachmentsOut:
        await attachments.show_first(connection, home, slide_id, actor)
        return _attachments(await attachment_rows.of_slide(connection, slide_id))

    return await transacted(services_of(request).database, home, act)


def _attachments(found: list[Attachment]) -> AttachmentsOut:
    return AttachmentsOut(items=[AttachmentOut.model_validate(_fields(each)) for each in found])


def _fields(each: Attachment) -> dict[str, object]:
    return {
        "id": each.id,
        "slide_id": each.slide_id,
        "glass_id": each.glass_id,
        "glass_identifier": each.glass_identifier,
        "case_id": each.case_id,
        "accession_number": each.accession_number,
        "case_signed_out": each.case_signed_out,
        "how": each.how,
        "attached_at": each.attached_at,
        "attached_by": each.attached_name,
        "undone_at": each.undone_at,
        "undone_by": each.undone_name,
        "undo_reason": each.undo_reason,
        "label_names": each.label_names,
    }


def _recent(each: Recent) -> RecentOut:
    own = {name: getattr(each, name) for name in Recent.__slots__ if name != "attachment"}
    own["codes"] = codes_out(each.codes)
    return RecentOut.model_validate(_fields(each.attachment) | own)
