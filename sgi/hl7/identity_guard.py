"""Before an identity is applied: whether two people become one without a merge that says so."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

from sgi.catalogue.patient_identifiers import naming
from sgi.domain.lineage import going_and_staying, naming_who_stays
from sgi.domain.patient import Identifier, IdentifierKind, Identity, IdentityStatus
from sgi.hl7.errors import (
    ContradictionError,
    InsMismatchError,
    Location,
    UnknownPatientError,
)
from sgi.hl7.seen import Seen
from sgi.hl7.statements import (
    IdentifierChanged,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    Statement,
)


def guard_identity(seen: Seen, statement: Statement, places: Mapping[str, Location]) -> None:
    """Raises ContradictionError where a PID names two patients, InsMismatchError where two INS that
    are qualified would be of one, UnknownPatientError where an INS that goes names no record.
    `seen` is before the message is applied.
    """
    place = places.get("identifiers", Location("PID", field=3))
    match statement:
        case PatientSaid(identity, event):
            living = _one(seen, naming(identity), place)
            if event != "A47":  # which is how an INS is replaced
                _one_ins(seen, living, identity, place)
        case PatientsMerged(kept, gone):
            _known_alone(seen, gone, places.get("gone", Location("MRG", field=1)))
            stays, goes = _who_stays(seen, kept, gone, place)
            _one_ins(seen, stays, kept, place)
            if len(_qualified(seen, stays | goes, kept)) > 1:
                raise InsMismatchError(
                    f"{place}: the two patients have each an INS that is qualified; look at both.",
                    place,
                )
        case IdentifierChanged(new, old):
            _who_stays(seen, new, old, place)
        case PatientsLinked(one, other):
            _one(seen, one, place)
            _one(seen, other, Location("PID", 2, 3))


def _known_alone(seen: Seen, gone: Iterable[Identifier], place: Location) -> None:
    """An INS names who goes where a record is known by nothing else: others have it as a trait."""
    if any(each.kind is IdentifierKind.INS and seen.living(each) is None for each in gone):
        raise UnknownPatientError(
            f"{place} has an INS that nobody is known by alone; send the IPP that goes.", place
        )


def living_of(seen: Seen, identifiers: Iterable[Identifier]) -> frozenset[UUID]:
    """An INS that nobody is known by is of a new record, though a patient may have it too."""
    found = {seen.living(identifier) for identifier in identifiers}
    return frozenset(each for each in found if each is not None)


def _one(seen: Seen, identifiers: Iterable[Identifier], place: Location) -> frozenset[UUID]:
    living = living_of(seen, identifiers)
    if len(living) > 1:
        raise ContradictionError(
            f"{place} has identifiers of two patients; merge the two (A40) if they are one person.",
            place,
        )
    return living


def _who_stays(
    seen: Seen, kept: Identity, gone: Sequence[Identifier], place: Location
) -> tuple[frozenset[UUID], frozenset[UUID]]:
    """The living patient who stays, if there is one, and the records that go.

    Raises ContradictionError where anybody else is named. What is on a record that goes, or leads
    to it, goes along; where somebody was merged with another by mistake, that other does not.
    """
    going, staying = going_and_staying(naming(kept), gone)
    records = {seen.bearer(each) for each in going} - {None}
    others = [i for i in staying if not {seen.bearer(i), seen.living(i)} & records]
    living = living_of(seen, [i for i in naming_who_stays(staying, going) if i in others])
    if len(living) > 1 or living_of(seen, others) - living:
        raise ContradictionError(
            f"{place} has an identifier of a third patient; leave it out, or merge the two first.",
            place,
        )
    return living, frozenset(each for each in records if each is not None)


def _one_ins(seen: Seen, living: Collection[UUID], identity: Identity, place: Location) -> None:
    if identity.ins is not None and len(_qualified(seen, living, identity)) > 1:
        raise InsMismatchError(
            f"{place}: the patient has another INS that is qualified; look at both.", place
        )


def _qualified(seen: Seen, records: Iterable[UUID], identity: Identity) -> set[str]:
    """The INS of one kind that these records and this identity have, where they differ."""
    found: dict[str, set[str]] = {}
    for each in records:
        row = seen.rows.get(("patient", each))
        if row is not None and row["status"] == IdentityStatus.QUALIFIED:
            found.setdefault(row["ins_oid"], set()).add(row["ins_value"])
    if identity.ins is not None:
        found.setdefault(identity.ins.assigner, set()).add(identity.ins.value)
    return max(found.values(), key=len, default=set())
