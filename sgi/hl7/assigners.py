"""The statements of a message, with each identifier under the name that its assigner has here."""

from collections.abc import Callable, Iterable, Sequence
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

_Heard = tuple[Identifier, str | None]
"""Two may have one namespace and value, and be of two assigners."""


async def with_assigners(
    connection: Connection, establishment_id: UUID, statements: Sequence[Statement]
) -> list[Statement]:
    """As they are where they name nobody; raises IdentityConflictError."""
    heard: dict[_Heard, Identifier] = {}
    for statement in statements:
        _renamed(statement, lambda identifier: heard.setdefault(_heard(identifier), identifier))
    names = dict(
        zip(heard, await assigned(connection, establishment_id, heard.values()), strict=True)
    )
    return [
        _renamed(statement, lambda identifier: names[_heard(identifier)])
        for statement in statements
    ]


def _heard(identifier: Identifier) -> _Heard:
    return identifier, identifier.oid


def _renamed(statement: Statement, one: Callable[[Identifier], Identifier]) -> Statement:
    def each(identifiers: Iterable[Identifier]) -> tuple[Identifier, ...]:
        return tuple(dict.fromkeys(one(identifier) for identifier in identifiers))

    def whole(identity: Identity) -> Identity:
        return replace(identity, identifiers=each(identity.identifiers))

    match statement:
        case PatientSaid(identity):
            return replace(statement, identity=whole(identity))
        case PatientsMerged(kept, gone):
            return replace(statement, kept=whole(kept), gone=each(gone))
        case IdentifierChanged(new, old):
            return replace(statement, new=whole(new), old=each(old))
        case PatientsLinked(first, other):
            return replace(statement, one=each(first), other=each(other))
        case CaseRecorded(patient=Identifier() as patient):
            return replace(statement, patient=one(patient))
        case ReportSaid(patient=Identifier() as patient):
            return replace(statement, patient=one(patient))
    return statement
