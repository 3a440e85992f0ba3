"""Who a patient is, and how identities come together: PID, MRG and ZFA of PAM-FR 2.11.

Sentences name fields, never what stands in them.
"""

from sgi.domain.patient import Identifier, Identity, reliability
from sgi.hl7.errors import (
    Location,
    MissingFieldError,
    SegmentSequenceError,
    UnsupportedEventError,
)
from sgi.hl7.identifiers import day_of, ins_of, is_ins, locals_of
from sgi.hl7.interface import Interface
from sgi.hl7.message import Message, Segment
from sgi.hl7.statements import (
    IdentifierChanged,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    Statement,
)
from sgi.hl7.traits import died_on_of, dmp_of, traits_of

SAID = frozenset(
    {"A01", "A02", "A03", "A04", "A05", "A06", "A07", "A08", "A11", "A12", "A13", "A28", "A31"}
)
"""Events that say who a patient is; of a stay, only its last day is kept."""

STAYS = frozenset({"A01", "A02", "A03", "A04", "A06", "A07", "A13"})
"""Those after which somebody is there, or was until then: an admission, a transfer, a discharge,
an outpatient's visit. One that is cancelled (A11, A12) may still have been there."""


def statements_of_adt(
    message: Message, interface: Interface, notes: list[str] | None = None
) -> list[Statement]:
    """What an ADT says, in the order in which it says it; raises MessageError.

    What is left aside is told in `notes`.
    """
    aside = [] if notes is None else notes
    event = message.event
    if event in SAID:
        died_on = died_on_of(message.required("PID"))
        return [PatientSaid(identity_of(message, interface, aside), event, died_on)]
    if event == "A40":
        return _merges(message, interface, aside)
    if event == "A47":
        return _changes(message, interface, aside)
    if event in {"A24", "A37"}:
        return [_link(message, interface, event == "A24")]
    place = message.header.at(9, component=2)
    raise UnsupportedEventError(f"{place} is an event that is not taken here.", place)


def identity_of(message: Message, interface: Interface, notes: list[str] | None = None) -> Identity:
    """What the one PID says of the patient, with ZFA; raises MessageError, for a second one too.

    There may be no identifier in it; of an event of the administration there is.
    """
    pid = message.only("PID") or message.required("PID")
    identity = _identity(message, pid, interface, [] if notes is None else notes)
    if message.code == "ADT" and not identity.identifiers:
        raise _no_identifier(pid, 3)
    return identity


def _identity(message: Message, pid: Segment, interface: Interface, notes: list[str]) -> Identity:
    local = locals_of(pid, 3, interface, on=day_of(message))
    ins = ins_of(message, pid, interface, notes)
    codes = [code for repetition in pid.field(32).repetitions if (code := repetition.value())]
    found = reliability(codes, ins)
    notes.extend(found.notes)
    identifiers = (*local, ins) if ins is not None else tuple(local)
    return Identity(
        identifiers, traits_of(pid, notes), found.status, found.attributes, dmp_of(message, notes)
    )


def _merges(message: Message, interface: Interface, notes: list[str]) -> list[Statement]:
    """A40: each PID with its MRG, whose identifiers go."""
    return [
        PatientsMerged(
            _kept(message, pid, interface, notes),
            _ins_alone(message, mrg, interface, notes) or _gone(mrg, interface),
        )
        for pid, mrg in _pairs(message)
    ]


def _ins_alone(
    message: Message, mrg: Segment, interface: Interface, notes: list[str]
) -> tuple[Identifier, ...]:
    """Of who has nothing else in MRG-1: an order may have come before their IPP."""
    ins = None if locals_of(mrg, 1, interface) else ins_of(message, mrg, interface, notes, number=1)
    return () if ins is None else (ins,)


def _changes(message: Message, interface: Interface, notes: list[str]) -> list[Statement]:
    """A47: another IPP; or another INS, which is one of the traits."""
    found: list[Statement] = []
    for pid, mrg in _pairs(message):
        new = _kept(message, pid, interface, notes)
        is_of_ins = any(map(is_ins, mrg.field(1).repetitions))
        if is_of_ins and set(locals_of(mrg, 1, interface)) <= set(new.identifiers):
            found.append(PatientSaid(new, "A47"))
        else:
            found.append(IdentifierChanged(new, _gone(mrg, interface)))
    return found


def _link(message: Message, interface: Interface, linked: bool) -> PatientsLinked:
    """A24 and A37: two PID."""
    pids = message.segments("PID")
    if len(pids) != 2:
        raise SegmentSequenceError(
            "A link is between two patients; send two PID.", Location("PID", len(pids) or 1)
        )
    one, other = (_named(message, pid, interface) for pid in pids)
    return PatientsLinked(one, other, linked)


def _named(message: Message, pid: Segment, interface: Interface) -> tuple[Identifier, ...]:
    local = locals_of(pid, 3, interface, on=day_of(message))
    if not local:
        raise _no_identifier(pid, 3)
    return tuple(local)


def _pairs(message: Message) -> list[tuple[Segment, Segment]]:
    """Each PID with the MRG that follows it; every one has its own."""
    found: list[tuple[Segment, Segment]] = []
    for group in message.groups("PID"):
        mrg = next((segment for segment in group if segment.name == "MRG"), None)
        if mrg is None:
            place = Location("MRG", len(found) + 1)
            raise SegmentSequenceError(f"{place} is missing after its PID; send it.", place)
        found.append((group[0], mrg))
    if not found:
        message.required("PID")
    return found


def _kept(message: Message, pid: Segment, interface: Interface, notes: list[str]) -> Identity:
    identity = _identity(message, pid, interface, notes)
    if identity.local is None:
        raise _no_identifier(pid, 3)
    return identity


def _gone(mrg: Segment, interface: Interface) -> tuple[Identifier, ...]:
    found = locals_of(mrg, 1, interface)
    if not found:
        raise _no_identifier(mrg, 1)
    return tuple(found)


def _no_identifier(segment: Segment, number: int) -> MissingFieldError:
    place = segment.at(number)
    return MissingFieldError(f"{place} has no IPP (type PI); send one.", place)
