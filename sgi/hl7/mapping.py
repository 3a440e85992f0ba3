"""What a message says, by its interface's file: statements, free of HL7. Nothing is touched.

What is not right is one of `sgi.hl7.errors`, with its place and without what stands there; what is
right but not used is a note.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sgi.domain.patient import Identifier
from sgi.hl7 import identities
from sgi.hl7.errors import (
    Location,
    MessageError,
    MissingFieldError,
    SenderNotAllowedError,
    UnreadableMessageError,
    UnsupportedEventError,
    UnsupportedMessageError,
    UnsupportedProcessingError,
    UnsupportedVersionError,
)
from sgi.hl7.events import EVENTS, Treatment
from sgi.hl7.header import header_of
from sgi.hl7.interface import Interface
from sgi.hl7.message import Message, parse_message
from sgi.hl7.orders import Placed, is_for_us, profile_of, read_orders
from sgi.hl7.replies import parse_reply, read_reply
from sgi.hl7.reports import read_reports
from sgi.hl7.scanner import read_scanner
from sgi.hl7.statements import PatientSaid, Source, Statement
from sgi.hl7.times import is_likely, parse_time

ORDER = "order"
"""The event of a patient who is only named with an order."""
_AHEAD = timedelta(minutes=10)
"""Clocks differ: so much of the future is no matter for a note."""
_ANSWERS = {
    name.partition("^")[0] for name, treatment in EVENTS.items() if treatment is Treatment.ANSWER
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says."""

    statements: list[Statement]
    source: Source
    ignored: list[str]
    """What was left aside, in sentences without anything of the patient."""
    places: list[dict[str, Location]] = field(default_factory=list)
    """Of each statement, where its parts were read."""


def read_message(raw: bytes, interface: Interface) -> Message:
    """The message, in the encoding that its interface's file lets it have; raises MessageError."""
    try:
        return parse_message(raw, unnamed=interface.encodings, in_spite=interface.encoding_always)
    except UnreadableMessageError:
        if header_of(raw).code not in _ANSWERS:
            raise
        return parse_reply(raw, interface)


def statements_of(message: Message, interface: Interface, received_at: datetime) -> Reading:
    """What a message says; raises MessageError.

    `received_at` has an offset.
    """
    notes: list[str] = []
    _check_header(message, interface)
    source = _source(message, interface, received_at, notes)
    treatment = _treatment(message, interface)
    if treatment is None:
        notes.append("The interface's file says that such messages are to be ignored.")
        return Reading([], source, notes)
    if treatment is not Treatment.ANSWER:
        _check_processing(message, interface)
    placed = _READERS[treatment](message, interface, notes)
    return Reading(
        [statement for statement, _ in placed], source, notes, [places for _, places in placed]
    )


def _check_header(message: Message, interface: Interface) -> None:
    header = message.header
    header.required(9)
    header.required(10)
    version = header.value(12)
    if version is not None and not version.startswith("2."):
        raise UnsupportedVersionError("MSH-12 must be a version 2.x.", header.at(12))
    for number, allowed in ((3, interface.sender.applications), (4, interface.sender.facilities)):
        if allowed and header.value(number) not in allowed:
            place = header.at(number)
            raise SenderNotAllowedError(
                f"{place} is not a sender that this interface's file names.", place
            )


def _check_processing(message: Message, interface: Interface) -> None:
    """A message of tests says nothing that is true of a patient (table 0103)."""
    processing, place = message.header.value(11), message.header.at(11)
    if processing is not None and processing not in interface.events.processing:
        raise UnsupportedProcessingError(
            f"{place} is none that this interface takes: events.processing in its file.", place
        )


def _treatment(message: Message, interface: Interface) -> Treatment | None:
    """Who reads it; None where it is to be ignored.

    Raises UnsupportedMessageError or UnsupportedEventError.
    """
    type_ = message.code if message.code == "ACK" else message.type
    if {type_, message.code} & set(interface.events.ignore):
        return None
    if message.code not in {name.partition("^")[0] for name in EVENTS}:
        place = message.header.at(9, component=1)
        raise UnsupportedMessageError(
            f"{place} is a type of message that is not taken here.", place
        )
    treatment = EVENTS.get(type_)
    take = set(interface.events.take)
    is_left_out = take and not take & {type_, message.code}
    # What is said to messages of ours is heard in any case: who has us send them is told here.
    if treatment is None or (is_left_out and treatment is not Treatment.ANSWER):
        place = message.header.at(9, component=2)
        raise UnsupportedEventError(f"{place} is an event that is not taken here.", place)
    return treatment


def _source(
    message: Message, interface: Interface, received_at: datetime, notes: list[str]
) -> Source:
    return Source(
        interface=interface.name,
        control_id=message.control_id,
        said_at=_said_at(message, interface, received_at, notes),
        sender=message.sender,
    )


def _said_at(
    message: Message, interface: Interface, received_at: datetime, notes: list[str]
) -> datetime:
    """EVN-2, else MSH-7, else when it came; never later than that, or nothing said afterwards
    would count.
    """
    event = message.segment("EVN")
    for segment, number in ((event, 2), (message.header, 7)):
        value = segment.value(number) if segment is not None else None
        if segment is None or value is None:
            continue
        place = segment.at(number)
        try:
            said_at = parse_time(value, interface.timezone, place)
        except MessageError:
            notes.append(f"{place} is no date or time; it was left aside.")
            continue
        if said_at is None:
            notes.append(f"{place} has no day; it was left aside.")
            continue
        if said_at > received_at + _AHEAD:
            notes.append(f"{place} is in the future; the message counts from when it came.")
        elif not is_likely(said_at, received_at):
            notes.append(f"{place} is before 1970; it was left aside.")
            continue
        return min(said_at, received_at)
    return received_at


def _read_identity(message: Message, interface: Interface, notes: list[str]) -> list[Placed]:
    found = identities.statements_of_adt(message, interface, notes)
    return [(statement, _identity_places(message)) for statement in found]


def _read_order(message: Message, interface: Interface, notes: list[str]) -> list[Placed]:
    if not is_for_us(message, notes):
        return []
    patient, said = _patient(message, interface, notes)
    if patient is None and (profile_of(message) is not None or _means_somebody(message)):
        # Who is not known for another would be given another's case without a look.
        raise MissingFieldError(
            "PID-3 has neither an IPP (type PI) nor an INS that is in force; send one.",
            message.required("PID").at(3),
        )
    return [*said, *read_orders(message, interface, patient, notes)]


def _read_scanner(message: Message, interface: Interface, notes: list[str]) -> list[Placed]:
    """A scanner's PID is a copy of the order's: nothing is taken from it."""
    return read_scanner(message, interface, notes)


def _read_report(message: Message, interface: Interface, notes: list[str]) -> list[Placed]:
    patient, said = _patient(message, interface, notes)
    if patient is None and _means_somebody(message):
        notes.append(
            "PID-3 has neither an IPP (type PI) nor an INS that is in force; the patient was left"
            " aside."
        )
    return [*said, *read_reports(message, interface, patient, notes)]


def _read_answer(message: Message, _: Interface, __: list[str]) -> list[Placed]:
    return [read_reply(message)]


_READERS: dict[Treatment, Callable[[Message, Interface, list[str]], list[Placed]]] = {
    Treatment.IDENTITY: _read_identity,
    Treatment.ORDER: _read_order,
    Treatment.SCANNER: _read_scanner,
    Treatment.REPORT: _read_report,
    Treatment.ANSWER: _read_answer,
}


def _patient(
    message: Message, interface: Interface, notes: list[str]
) -> tuple[Identifier | None, list[Placed]]:
    """Whom an order or a report is about, where it says so."""
    if message.segment("PID") is None:
        return None, []
    identity = identities.identity_of(message, interface, notes)
    patient = identity.local or identity.ins
    if patient is None:
        return None, []
    return patient, [(PatientSaid(identity, ORDER), _identity_places(message))]


def _means_somebody(message: Message) -> bool:
    """Whether the PID has identifiers, a name or a birth date, whatever they are."""
    pid = message.segment("PID")
    return pid is not None and any(pid.field(number) for number in (3, 5, 7))


_IDENTITY_FIELDS = (
    ("PID", 3, "identifiers"),
    ("PID", 5, "names"),
    ("PID", 7, "birth_date"),
    ("PID", 8, "sex"),
    ("PID", 11, "birth_place"),
    ("PID", 30, "died"),
    ("PID", 32, "status"),
    ("MRG", 1, "gone"),
)


def _identity_places(message: Message) -> dict[str, Location]:
    places = {}
    for name, number, what in _IDENTITY_FIELDS:
        segment = message.segment(name)
        if segment is not None and segment.field(number):
            places[what] = segment.at(number)
    return places
