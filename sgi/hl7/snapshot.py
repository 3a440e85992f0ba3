"""What a message changed, found by looking before and after: new rows, and columns that differ.

Only ids and names of columns come of it, never what stands in them.
"""

from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sgi.catalogue.messages import Change
from sgi.domain.patient import Traits, contradicted
from sgi.hl7.mapping import ORDER
from sgi.hl7.seen import Seen
from sgi.hl7.statements import PatientSaid, Statement

_KINDS = ("patient", "identifier", "link", "case", "specimen", "glass", "order", "report")
_LONGEST_DETAIL = 300


def differences(before: Seen, after: Seen) -> list[Change]:
    """What became new, and which columns changed, kind by kind."""
    changes = []
    for (what, row_id), told in after.rows.items():
        old = before.rows.get((what, row_id))
        if old is None:
            changes.append(Change(f"{what}.new", row_id))
        elif old != told:
            columns = sorted(key for key in told if told[key] != old.get(key))
            changes.append(Change(f"{what}.changed", row_id, ", ".join(columns)[:_LONGEST_DETAIL]))
    return sorted(changes, key=lambda change: _KINDS.index(change.what.partition(".")[0]))


def contradictions(
    statements: Iterable[Statement], patient_id: UUID | None, before: Seen, after: Seen
) -> list[Change]:
    """Which traits an order has otherwise than what was known: it may be somebody else's."""
    row = before.patient(patient_id) or after.patient(patient_id)
    if row is None:
        return []
    born = row["birth_date"]
    known = Traits(
        birth_name=row["birth_name"],
        sex=row["sex"],
        birth_date=None if born is None else date.fromisoformat(born),
    )
    found = []
    for statement in statements:
        if isinstance(statement, PatientSaid) and statement.event == ORDER:
            differing = contradicted(statement.identity.traits, known)
            if differing:
                words = ", ".join(sorted(differing))
                found.append(Change("patient.contradicted", patient_id, words))
    return found
