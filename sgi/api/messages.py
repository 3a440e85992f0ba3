"""`/api/v1/messages`: every message that came or went, what came of it, and reading it again."""

import asyncio
import base64
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from sgi.api.language import requested_language
from sgi.api.services import WITHOUT_NUL, Services, actor_of, services_of, session_of
from sgi.catalogue import audit, kept_messages
from sgi.catalogue.audit import Action
from sgi.catalogue.kept_messages import Filter, Kept
from sgi.domain.interface import Direction, NoticeKind, Outcome
from sgi.domain.link_words import link_words
from sgi.domain.words import Language
from sgi.errors import ConflictError, InvalidRequestError, NotFoundError
from sgi.hl7.encodings import Charset
from sgi.hl7.errors import MessageError
from sgi.hl7.interfaces import Interface, interfaces_of
from sgi.hl7.message import parse_message
from sgi.hl7.receive import Receiver

router = APIRouter(prefix="/api/v1/messages", tags=["interfaces"])

_SHOWN_BYTES = 1 << 20
"""Of one message: the documents that some carry are shown with their case."""

Text = Annotated[str | None, Query(max_length=200, pattern=WITHOUT_NUL)]


class ChangeOut(BaseModel):
    """One thing that a message changed: codes and ids."""

    what: str
    """Such as "patient.recorded"; "ignored" for what was not read, and why."""
    id: UUID | None = None
    detail: str | None = None


class MessageOut(BaseModel):
    """One message, without what stands in it."""

    id: UUID
    interface: str
    direction: Direction
    received_at: datetime
    """Of one that went out: when it was first sent."""
    said_at: datetime | None
    """When what it says was true."""
    control_id: str
    sender: str
    """Application and facility, with `|` between."""
    type: str
    """Such as `OML^O21`."""
    notice: NoticeKind | None
    """What one that went out tells."""
    size_bytes: int
    outcome: Outcome
    error: str | None
    """Why it was refused, in the language asked for; names fields, never what stood in them."""
    changes: list[ChangeOut]
    accession_number: str | None
    patient_id: UUID | None
    replay_of: UUID | None
    reuses_control_id: bool
    """True when another message had come under its control id."""
    repeats: int
    """How often it came again; each time it was answered as before, and nothing changed."""
    repeated_at: datetime | None


class MessagesOut(BaseModel):
    """One page, the newest first."""

    items: list[MessageOut]
    next: str | None
    """Give it as `after` for the next page; None on the last."""


class ContentOut(BaseModel):
    """A message as it came or went, and its answer."""

    raw: str
    """Segments end with CR."""
    answer: str | None
    charset: Charset | None
    """What its bytes are in; None where that is not known."""
    is_whole: bool
    """False when it is longer than is shown here."""


@router.get("")
async def list_messages(
    request: Request,
    interface: Text = None,
    direction: Direction | None = None,
    outcome: Outcome | None = None,
    type: Text = None,  # noqa: A002 - what HL7 calls it
    accession_number: Text = None,
    control_id: Text = None,
    patient_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 60,
) -> MessagesOut:
    """What came and went; `type` is `ADT` or `ADT^A40`, times are those of coming."""
    wanted = Filter(
        interface=interface,
        direction=direction,
        outcome=outcome,
        type=type,
        accession_number=accession_number,
        control_id=control_id,
        patient_id=patient_id,
        since=since,
        until=until,
    )
    position = None if after is None else _parse_cursor(after)
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await kept_messages.list_(connection, wanted, limit + 1, position)
    page = found[:limit]
    return MessagesOut(
        items=[_out(message, requested_language(request)) for message in page],
        next=_cursor(page[-1]) if len(found) > limit else None,
    )


@router.get("/{message_id}")
async def get_message(message_id: UUID, request: Request) -> MessageOut:
    """What came of one message."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        found = await kept_messages.by_id(connection, message_id)
    if found is None:
        raise NotFoundError("There is no such message.")
    return _out(found, requested_language(request))


@router.get("/{message_id}/content")
async def get_content(message_id: UUID, request: Request) -> ContentOut:
    """The message itself; each view is in the audit, since it names patients."""
    establishment_id = session_of(request).establishment_id
    async with services_of(request).database.transaction(establishment_id) as connection:
        content = await kept_messages.content(connection, message_id)
        if content is None:
            raise NotFoundError("There is no such message.")
        await audit.record(
            connection, establishment_id, actor_of(request), Action.VIEW_MESSAGE, message_id
        )
    charset = await asyncio.to_thread(_charset, content.raw)
    return ContentOut(
        raw=_text(content.raw, charset),
        answer=None if content.answer is None else _text(content.answer, charset),
        charset=charset,
        is_whole=len(content.raw) <= _SHOWN_BYTES,
    )


@router.post("/{message_id}/replay")
async def replay(message_id: UUID, request: Request) -> MessageOut:
    """Read it again with today's mapping: a new row says what came of it.

    Nothing changes where it says nothing new; one that is older than what is known neither.
    """
    services, session = services_of(request), session_of(request)
    async with services.database.transaction(session.establishment_id) as connection:
        kept = await kept_messages.by_id(connection, message_id)
        if kept is None:
            raise NotFoundError("There is no such message.")
        await audit.record(
            connection,
            session.establishment_id,
            actor_of(request),
            Action.REPLAY_MESSAGE,
            message_id,
        )
    interface = await _interface(services, kept)
    receiver = Receiver(services.database, session.establishment_id, interface)
    result = await receiver.replay(message_id)
    if result.message_id is None:
        raise ConflictError("The message could not be read again just now; try again.")
    return await get_message(result.message_id, request)


async def _interface(services: Services, kept: Kept) -> Interface:
    """As its file is now."""
    known = await asyncio.to_thread(interfaces_of, services.settings)
    for interface in known:
        if interface.name == kept.interface:
            return interface
    raise ConflictError("The interface that the message came through is not there any more.")


def _charset(raw: bytes) -> Charset | None:
    try:
        return parse_message(raw).charset
    except MessageError:
        return None


def _text(raw: bytes, charset: Charset | None) -> str:
    return raw[:_SHOWN_BYTES].decode(charset.codec if charset else "latin-1", "replace")


def _cursor(message: Kept) -> str:
    text = f"{message.received_at.isoformat()} {message.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, message_id = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(at), UUID(message_id)
    except ValueError as error:
        raise InvalidRequestError("The cursor is not one that was given out.") from error


def _out(message: Kept, language: Language) -> MessageOut:
    return MessageOut(
        id=message.id,
        interface=message.interface,
        direction=message.direction,
        received_at=message.received_at,
        said_at=message.said_at,
        control_id=message.control_id,
        sender=message.sender,
        type=message.type,
        notice=message.notice,
        size_bytes=message.size_bytes,
        outcome=message.outcome,
        error=link_words(message.error, language),
        changes=[
            ChangeOut.model_validate(
                {**change, "detail": link_words(change.get("detail"), language)}
            )
            for change in message.changes
        ],
        accession_number=message.accession_number,
        patient_id=message.patient_id,
        replay_of=message.replay_of,
        reuses_control_id=message.reuses_control_id,
        repeats=message.repeats,
        repeated_at=message.repeated_at,
    )
