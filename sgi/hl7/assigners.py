"""The statements of a message, with each identifier under the name that its assigner has here."""

from dataclasses import replace
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_assigners import assigned
from sgi.domain.patient import Identifier, Identity
from sgi.hl7.statements import (
    CaseRecorded,
    IdentifierChanged,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    ReportSaid,
    Statement,
)


async def with_assigners(
    connection: Connection, establishment_id: UUID, statement: Statement
) -> Statement:
    """As it is where it names nobody; raises IdentityConflictError."""

    async def one(identifier: Identifier) -> Identifier:
        return await assigned(connection, establishment_id, identifier)

    async def whole(identity: Identity) -> Identity:
        found = [await one(identifier) for identifier in identity.identifiers]
        return replace(identity, identifiers=tuple(dict.fromkeys(found)))

    match statement:
        case PatientSaid(identity):
            return replace(statement, identity=await whole(identity))
        case PatientsMerged(kept, gone):
            return replace(statement, kept=await whole(kept), gone=await one(gone))
        case IdentifierChanged(new, old):
            return replace(statement, new=await whole(new), old=await one(old))
        case PatientsLinked(first, other):
            return replace(statement, one=await one(first), other=await one(other))
        case CaseRecorded(patient=Identifier() as patient):
            return replace(statement, patient=await one(patient))
        case ReportSaid(patient=Identifier() as patient):
            return replace(statement, patient=await one(patient))
    return statement
