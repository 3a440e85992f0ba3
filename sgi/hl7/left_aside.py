"""What a message says of identifiers that nothing came of: a person should know of it."""

from collections.abc import Iterable
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.domain.patient import Identifier, IdentifierKind, Identity
from sgi.hl7.mapping import ORDER
from sgi.hl7.seen import Seen
from sgi.hl7.statements import (
    IdentifierChanged,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    Statement,
)


async def left_aside(
    connection: Connection, statements: Iterable[Statement], after: Seen
) -> list[Change]:
    """IPPs of somebody who bears another of the same assigner, and links within one patient.

    `after` is once the message is applied. A question is asked only of an order with an IPP that
    nobody bears, which is usual: orders add none.
    """
    notes = []
    for statement in statements:
        match statement:
            case PatientSaid(identity, event) if event == ORDER:
                notes += await _not_theirs(connection, identity, after)
            case PatientSaid(identity) | PatientsMerged(identity) | IdentifierChanged(identity):
                notes += _noted(_nobodys(identity, after), _patient(identity, after))
            case PatientsLinked(one, other):
                living = {after.living(each) for each in (*one, *other)} - {None}
                notes += [Change("link.of_one", each) for each in living if len(living) == 1]
    return notes


def _noted(identifiers: Iterable[Identifier], patient_id: UUID | None) -> list[Change]:
    return [Change("identifier.left_aside", patient_id, each.assigner) for each in identifiers]


def _nobodys(identity: Identity, after: Seen) -> list[Identifier]:
    return [
        each
        for each in identity.identifiers
        if each.kind is IdentifierKind.LOCAL and after.living(each) is None
    ]


def _patient(identity: Identity, after: Seen) -> UUID | None:
    named = (after.living(each) for each in identity.identifiers)
    return next((each for each in named if each is not None), None)


async def _not_theirs(connection: Connection, identity: Identity, after: Seen) -> list[Change]:
    unknown, patient_id = _nobodys(identity, after), _patient(identity, after)
    if not unknown or patient_id is None:
        return []
    cursor = await connection.execute(
        """select i.assigner from patient_identifier i join patient p on p.id = i.patient_id
           where p.id in (select id from patient where id = %s or merged_into = %s)
             and i.kind = 'PI' and i.retired_at is null and i.assigner = any(%s)""",
        [patient_id, patient_id, [each.assigner for each in unknown]],
    )
    others = {row["assigner"] for row in await cursor.fetchall()}
    return _noted((each for each in unknown if each.assigner in others), patient_id)
