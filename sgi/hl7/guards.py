"""Before a message is applied: whether it takes one patient for another.

What it refuses is kept, and a person who has looked may have it read again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.domain.case import Asset
from sgi.domain.patient import Identifier, IdentifierKind, Identity, IdentityStatus
from sgi.hl7.acceptance_guard import guard_acceptance
from sgi.hl7.errors import ContradictionError, InsMismatchError, Location
from sgi.hl7.mapping import Reading
from sgi.hl7.seen import Seen
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    IdentifierChanged,
    PatientSaid,
    PatientsMerged,
    Statement,
    WorkOrderAccepted,
)

_NO_CASE = "{place} names a case of another patient; look at both before it is sent again."
_NO_ASSET = "{place} names something of another patient; look at both before it is sent again."

Places = Mapping[str, Location]


@dataclass(frozen=True, slots=True)
class _Message:
    connection: Connection
    counts_from: datetime
    seen: Seen
    names_patient: bool
    patient: UUID | None
    """The living one to whom a case would go; None where that is somebody new."""

    def is_anothers(self, living: UUID | None) -> bool:
        return self.names_patient and living is not None and living != self.patient


async def guard(
    connection: Connection, reading: Reading, counts_from: datetime, seen: Seen
) -> list[Change]:
    """What somebody should know of a message that may be applied; `seen` is before it is.

    Raises ContradictionError or InsMismatchError for one that a person must look at first.
    """
    told = list(zip(reading.statements, reading.places, strict=False))
    told = told or [(statement, {}) for statement in reading.statements]
    for statement, places in told:
        await _identity(connection, seen, statement, _gone(reading), places)
    said = next((one.identity for one in reading.statements if isinstance(one, PatientSaid)), None)
    living = frozenset() if said is None else _living(seen, _naming(said))  # one at most, by now
    message = _Message(connection, counts_from, seen, said is not None, next(iter(living), None))
    notes = []
    for statement, places in told:
        notes += await _work(message, statement, places)
    return notes


def _gone(reading: Reading) -> frozenset[Identifier]:
    return frozenset(
        each.gone if isinstance(each, PatientsMerged) else each.old
        for each in reading.statements
        if isinstance(each, PatientsMerged | IdentifierChanged)
    )


def _naming(identity: Identity) -> list[Identifier]:
    local = [i for i in identity.identifiers if i.kind is IdentifierKind.LOCAL]
    return local or list(identity.identifiers)


def _living(seen: Seen, identifiers: Collection[Identifier]) -> frozenset[UUID]:
    """An INS that nobody is known by is of a new record, though a patient may have it too."""
    found = {seen.living(identifier) for identifier in identifiers}
    return frozenset(each for each in found if each is not None)


async def _identity(
    connection: Connection,
    seen: Seen,
    statement: Statement,
    gone: frozenset[Identifier],
    places: Places,
) -> None:
    match statement:
        case PatientSaid(identity, event):
            pass
        case PatientsMerged(identity):
            event = "A40"
        case IdentifierChanged(identity):
            event = "A47"
        case _:
            return
    place = places.get("identifiers", Location("PID", field=3))
    staying = [each for each in _naming(identity) if each not in gone]
    living = _living(seen, staying)
    if len(living) > 1:
        raise ContradictionError(
            f"{place} has identifiers of two patients; merge the two (A40) if they are one person.",
            place,
        )
    ins = identity.ins
    if ins is None or not living or event == "A47":  # which is how an INS is replaced
        return
    cursor = await connection.execute(
        """select from patient where id = any(%s) and status = %s
               and ins_oid = %s and ins_value <> %s""",
        [list(living), IdentityStatus.QUALIFIED, ins.assigner, ins.value],
    )
    if await cursor.fetchone() is not None:
        raise InsMismatchError(
            f"{place}: the patient has another INS that is qualified; look at both.", place
        )


async def _work(message: _Message, statement: Statement, places: Places) -> list[Change]:
    match statement:
        case CaseRecorded(said):
            return _case(message, said.accession_number, places, moves=statement.moves)
        case CaseCancelled(accession_number):
            return _case(message, accession_number, places, moves=False)
        case AssetRecorded(asset):
            return _recorded(message, asset, places, moves=statement.moves)
        case AssetCancelled(asset):
            _cancelled(message, asset, places)
        case WorkOrderAccepted():
            return await guard_acceptance(
                message.connection, statement, places, message.is_anothers
            )
    return []


def _case(message: _Message, accession_number: str, places: Places, *, moves: bool) -> list[Change]:
    case = message.seen.case(accession_number)
    if case is None or case.is_newer_than(message.counts_from):
        return []
    if not message.is_anothers(case.living):
        return []
    if moves:
        return [Change("case.moved", case.id)]
    place = places.get("accession_number", Location("ORC"))
    raise ContradictionError(_NO_CASE.format(place=place), place)


def _recorded(message: _Message, asset: Asset, places: Places, *, moves: bool) -> list[Change]:
    known = message.seen.asset(asset)
    if known is None or known.is_newer_than(message.counts_from):
        return []
    if asset.accession_number in {None, known.accession_number}:
        return []
    moved = [Change("asset.moved", known.id, asset.identifier)]
    if moves or not message.is_anothers(known.living):
        return moved
    place = places.get("identifier", Location("SPM"))
    raise ContradictionError(_NO_ASSET.format(place=place), place)


def _cancelled(message: _Message, asset: Asset, places: Places) -> None:
    known = message.seen.asset(asset)
    if known is None:
        return
    place = places.get("identifier", Location("SPM"))
    if asset.accession_number not in {None, known.accession_number}:
        raise ContradictionError(
            f"{place} names something of another case; nothing is cancelled before you look.",
            place,
        )
    if message.is_anothers(known.living):
        raise ContradictionError(_NO_ASSET.format(place=place), place)


async def shared_ins(connection: Connection, patient_id: UUID | None, seen: Seen) -> list[Change]:
    """That a living patient has come to the qualified INS of another; `seen` is after that."""
    own = seen.patient(patient_id)
    if own is None or own["status"] != IdentityStatus.QUALIFIED:
        return []
    cursor = await connection.execute(
        """select from patient own join patient other
               on other.ins_value = own.ins_value and other.ins_oid = own.ins_oid
               and other.establishment_id = own.establishment_id and other.id <> own.id
           where own.id = %(id)s and other.status = own.status
             and other.merged_into is null limit 1""",
        {"id": own["id"]},
    )
    return [] if await cursor.fetchone() is None else [Change("patient.ins_shared", patient_id)]
