"""Before a message is applied: whether it takes one patient for another.

What it refuses is kept, and a person who has looked may have it read again.
"""

from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.catalogue.patient_identifiers import naming
from sgi.domain.patient import IdentityStatus
from sgi.hl7.acceptance_guard import guard_acceptance
from sgi.hl7.case_guard import (
    Order,
    Places,
    guard_asset,
    guard_cancelled_asset,
    guard_cancelled_case,
    guard_case,
)
from sgi.hl7.identity_guard import guard_identity, living_of
from sgi.hl7.mapping import Reading
from sgi.hl7.seen import Seen
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    PatientSaid,
    Statement,
    WorkOrderAccepted,
)


async def guard(
    connection: Connection, reading: Reading, counts_from: datetime, seen: Seen
) -> list[Change]:
    """What somebody should know of a message that may be applied; `seen` is before it is.

    Raises ContradictionError or InsMismatchError for one that a person must look at first.
    """
    told = list(zip(reading.statements, reading.places, strict=False))
    told = told or [(statement, {}) for statement in reading.statements]
    for statement, places in told:
        guard_identity(seen, statement, places)
    order = _order(connection, reading, counts_from, seen)
    notes = []
    slides: dict[str, UUID] = {}
    for statement, places in told:
        notes += await _work(order, statement, places, slides)
    return notes


def _order(connection: Connection, reading: Reading, counts_from: datetime, seen: Seen) -> Order:
    said = next((one.identity for one in reading.statements if isinstance(one, PatientSaid)), None)
    if said is None:
        return Order(connection, counts_from, seen, False, None, None)
    living = next(iter(living_of(seen, naming(said))), None)  # one at most, by now
    return Order(connection, counts_from, seen, True, living, seen.known_by(said.ins))


async def _work(
    order: Order, statement: Statement, places: Places, slides: dict[str, UUID]
) -> list[Change]:
    """`slides` are what work orders become, as far as the message was looked at."""
    match statement:
        case CaseRecorded(said):
            number = said.accession_number
            return await guard_case(order, number, places, moves=statement.moves)
        case CaseCancelled(accession_number):
            await guard_cancelled_case(order, accession_number, places)
        case AssetRecorded(asset):
            return await guard_asset(order, asset, places, moves=statement.moves)
        case AssetCancelled(asset):
            guard_cancelled_asset(order, asset, places)
        case WorkOrderAccepted():
            return await guard_acceptance(
                order.connection, statement, places, order.is_anothers, slides
            )
    return []


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
