"""The statements of a message, with each identifier under the name that its assigner has here."""

from collections.abc import Callable, Sequence
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
    connection: Connection, establishment_id: UUID, statements: Sequence[Statement]
) -> list[Statement]:
    """As they are where they name nobody; raises IdentityConflictError."""
    heard: dict[Identifier, Identifier] = {}
    for statement in statements:
        _renamed(statement, lambda identifier: heard.setdefault(identifier, identifier))
    names = await assigned(connection, establishment_id, heard)
    return [_renamed(statement, names.__getitem__) for statement in statements]


def _renamed(statement: Statement, one: Callable[[Identifier], Identifier]) -> Statement:
    def whole(identity: Identity) -> Identity:
        found = [one(identifier) for identifier in identity.identifiers]
        return replace(identity, identifiers=tuple(dict.fromkeys(found)))

    match statement:
        case PatientSaid(identity):
            return replace(statement, identity=whole(identity))
        case PatientsMerged(kept, gone):
            return replace(statement, kept=whole(kept), gone=one(gone))
        case IdentifierChanged(new, old):
            return replace(statement, new=whole(new), old=one(old))
        case PatientsLinked(first, other):
            return replace(statement, one=one(first), other=one(other))
        case CaseRecorded(patient=Identifier() as patient):
            return replace(statement, patient=one(patient))
        case ReportSaid(patient=Identifier() as patient):
            return replace(statement, patient=one(patient))
    return statement
