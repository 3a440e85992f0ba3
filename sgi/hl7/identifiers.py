"""PID-3 and MRG-1: the identifiers that decide who a patient is, as PAM-FR writes them."""

from collections.abc import Iterable
from datetime import date

from sgi.domain.ins import InsFault, is_unusual, matricule_fault
from sgi.domain.patient import INS_OIDS, OBSOLETE_OID, TEST_OIDS, Identifier, IdentifierKind
from sgi.hl7.errors import InsIncompleteError, InsMismatchError, Location, WrongTypeError
from sgi.hl7.interface import Interface
from sgi.hl7.message import Field, Message, Repetition, Segment
from sgi.hl7.times import parse_date

_LONGEST = 250
_INS_TYPE = "INS"
_NO_TRUTH = frozenset({"T", "D"})
"""MSH-11 of tests and demonstrations, whose people may have an INS of test."""


def locals_of(
    segment: Segment, number: int, interface: Interface, *, on: date | None = None
) -> list[Identifier]:
    """The IPPs of a CX field, but those that had ended `on` that day."""
    found: dict[tuple[str, str], Identifier] = {}
    for repetition in segment.field(number).repetitions:
        if _has_ended(repetition, on):
            continue
        value, kind = repetition.value(), repetition.value(5)
        if value is None or kind not in {None, IdentifierKind.LOCAL} or _has_ins_root(repetition):
            continue
        assigner = repetition.value(4) or repetition.value(4, 2) or interface.patients.assigner
        place = segment.at(number)
        universal = repetition.value(4, 2)
        oid = None if universal is None else plain(universal, place)
        identifier = Identifier(plain(value, place), plain(assigner, place), oid=oid)
        found.setdefault((oid or identifier.assigner, identifier.value), identifier)
    return list(found.values())


def is_ins(repetition: Repetition) -> bool:
    """Whether a CX means to be an INS, by its type or its root."""
    return repetition.value(5) == _INS_TYPE or _has_ins_root(repetition)


def _has_ins_root(repetition: Repetition) -> bool:
    return repetition.value(4, 2) in {*INS_OIDS, OBSOLETE_OID}


def ins_of(
    message: Message, segment: Segment, interface: Interface, notes: list[str], *, number: int = 3
) -> Identifier | None:
    """The INS in force of a CX field; raises when it is not whole, or when there are two."""
    tests = interface.patients.test_ins or message.header.value(11) in _NO_TRUTH
    said_on = day_of(message)
    found: list[Identifier] = []
    for count, repetition in sent(segment.field(number)):
        if not is_ins(repetition):
            continue
        place = segment.at(number, repetition=count)
        ins = _sound_ins(repetition, place, notes)
        if ins is None or _has_ended(repetition, said_on):
            continue
        if ins.assigner in TEST_OIDS and not tests:
            notes.append(f"{place} is an INS of test, which this interface does not take.")
        elif ins not in found:
            found.append(ins)
    roots = [ins.assigner for ins in found]
    if len(set(roots)) < len(roots):
        place = segment.at(number)
        raise InsMismatchError(f"{place} has two INS of one kind; send the one in force.", place)
    return min(found, key=lambda ins: list(INS_OIDS).index(ins.assigner), default=None)


def sent(field: Field) -> Iterable[tuple[int, Repetition]]:
    """Repetitions with their numbers as they were sent."""
    count = field.raw.count(field.delimiters.repetition) + 1
    return ((number, field.repetition(number)) for number in range(1, count + 1))


def _sound_ins(repetition: Repetition, place: Location, notes: list[str]) -> Identifier | None:
    """None where it is an INS-C or empty."""
    matricule, oid = repetition.value(), repetition.value(4, 2)
    if oid == OBSOLETE_OID:
        notes.append(f"{place} is an INS-C, which is not used any more; it was left aside.")
        return None
    if matricule is None:
        return None
    if oid not in INS_OIDS:
        raise InsIncompleteError(
            f"{place} has an INS without one of its OIDs in CX-4.2; send it with it.", place
        )
    fault = matricule_fault(matricule)
    if fault is InsFault.KEY:
        raise InsIncompleteError(f"{place}: the key of the INS is not right; correct it.", place)
    if fault is not None:
        raise InsIncompleteError(
            f"{place}: an INS has 15 characters, the key included; send all of it.", place
        )
    if is_unusual(matricule):
        notes.append(f"{place}: the INS begins with neither 1 nor 2; make sure that it is right.")
    return Identifier(matricule, oid, IdentifierKind.INS)


def day_of(message: Message) -> date | None:
    """When a message was written (MSH-7)."""
    return _day(message.header.value(7))


def _has_ended(repetition: Repetition, said_on: date | None) -> bool:
    """CX-8, the last day of an identifier, was past when the message was written."""
    ended = _day(repetition.value(8))
    return ended is not None and said_on is not None and ended < said_on


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else parse_date(text)
    except WrongTypeError:
        return None


def plain(text: str, place: Location) -> str:
    """A value that can be kept; raises WrongTypeError."""
    if len(text) > _LONGEST or not text.isprintable():
        raise WrongTypeError(
            f"{place} has more than {_LONGEST} characters, or signs that cannot be printed.", place
        )
    return text
