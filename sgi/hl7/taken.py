"""A message as it was read, before anything is touched."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from sgi.catalogue.messages import MessageKeys
from sgi.errors import SgiError
from sgi.hl7 import apply
from sgi.hl7.errors import DefectError
from sgi.hl7.header import header_of
from sgi.hl7.interfaces import Interface
from sgi.hl7.mapping import Reading, read_message, statements_of
from sgi.hl7.message import Message
from sgi.hl7.mllp import HEAD_BYTES
from sgi.hl7.traces import where

_log = logging.getLogger(__name__)
_NOTHING_SAID = MessageKeys()


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as it was read, before anything is changed."""

    raw: bytes
    received_at: datetime
    said: MessageKeys = _NOTHING_SAID
    message: Message | None = None
    reading: Reading | None = None
    error: SgiError | None = None
    """Why it cannot be applied."""
    is_whole: bool = True
    """False where `raw` is only the beginning of what was sent."""


def read(raw: bytes, interface: Interface, received_at: datetime) -> Taken:
    """What a message says; touches nothing, and raises nothing for what is wrong with it."""
    taken = Taken(raw, received_at)
    try:
        message = read_message(raw, interface)
        taken = replace(taken, message=message, said=_keys(message))
        reading = statements_of(message, interface, received_at)
    except SgiError as error:
        if taken.message is None:
            taken = replace(taken, said=keys_of_head(raw[:HEAD_BYTES]))
        return replace(taken, error=error)
    except Exception as error:  # noqa: BLE001 - a defect of ours must not lose the message
        return replace(taken, error=defect(error))
    said = replace(
        taken.said,
        said_at=reading.source.said_at,
        accession_number=apply.accession_number_of(reading.statements),
    )
    return replace(taken, reading=reading, said=said)


def _keys(message: Message) -> MessageKeys:
    return MessageKeys(message.control_id, message.sender, message.type)


def keys_of_head(head: bytes) -> MessageKeys:
    """What the beginning of a message says of itself."""
    told = header_of(head)
    sender = "|".join(party[0] if party else "" for party in told.sender)
    type_ = "^".join(part for part in (told.code, told.event) if part)
    return MessageKeys(told.control_id, sender if sender != "|" else "", type_)


def defect(error: Exception) -> DefectError:
    """What is not the message's fault: it stands in the log, without anything of the message."""
    _log.error("a message could not be read or applied: %s", where(error))
    return DefectError(
        "Something unexpected happened here; the message is kept, and was not applied."
    )
