"""Notices made into messages, which are kept before the first byte of them leaves."""

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sgi.catalogue import kept_messages, messages, outbox
from sgi.catalogue.messages import MessageKeys, ToKeep
from sgi.catalogue.outbox import Notice
from sgi.domain.interface import Direction, NoticeState, Outcome
from sgi.errors import SgiError
from sgi.hl7 import notices
from sgi.hl7.away import is_away
from sgi.hl7.errors import BadAnswerError
from sgi.hl7.interfaces import Interface
from sgi.hl7.notices import Gathered, NotYet, Written
from sgi.hl7.traces import where

_log = logging.getLogger(__name__)
DEFECT = BadAnswerError("Something unexpected happened here; report it.")
_CONTROL_ID_BYTES = 10
"""20 characters of MSH-10, which is all that v2.5.1 has."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A notice with its message, which is kept."""

    notice: Notice
    message_id: UUID
    raw: bytes


async def outgoing(
    gathered: Gathered, notice: Notice, interface: Interface, now: datetime, pause: timedelta
) -> Outgoing | None:
    """What is to be sent for a notice that was claimed; the same at every try, while it is true.

    None where there is nothing to say of it, which its row tells, or not yet: it waits for `pause`.
    """
    connection = gathered.connection
    if notice.message_id is not None:
        if not await notices.may_go(connection, notice):
            await outbox.end(connection, notice.id, NoticeState.GIVEN_UP, outbox.UNTRUE)
            return None
        content = await kept_messages.content(connection, notice.message_id)
        if content is not None:
            return Outgoing(notice, notice.message_id, content.raw)
    control_id = secrets.token_hex(_CONTROL_ID_BYTES)
    try:
        async with connection.transaction():
            written = await notices.write(gathered, notice, interface, control_id, now)
    except SgiError as error:
        await outbox.end(connection, notice.id, NoticeState.DEAD, str(error))
        return None
    except Exception as error:  # a defect of ours must not hold up the others
        if is_away(error):
            raise
        _log.error("%s: a notice could not be written: %s", interface.name, where(error))
        await outbox.end(connection, notice.id, NoticeState.DEAD, str(DEFECT))
        return None
    if isinstance(written, NotYet):
        await outbox.try_later(connection, notice.id, pause, written.words, counts=False)
        return None
    if written is None:
        await outbox.end(connection, notice.id, NoticeState.GIVEN_UP, outbox.UNTRUE)
        return None
    kept = _to_keep(interface, control_id, written, now)
    message_id = await messages.keep(connection, notice.establishment_id, kept)
    await outbox.set_message(connection, notice.id, control_id, message_id)
    notice = replace(notice, control_id=control_id, message_id=message_id)
    return Outgoing(notice, message_id, written.raw)


def _to_keep(interface: Interface, control_id: str, written: Written, now: datetime) -> ToKeep:
    sender = interface.out.sender
    said = MessageKeys(
        control_id,
        f"{sender.application}|{sender.facility}",
        written.type,
        now,
        written.accession_number,
        written.patient_id,
    )
    return ToKeep(interface.name, Direction.OUT, written.raw, said, Outcome.SENT)
