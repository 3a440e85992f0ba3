"""What a message changed, found by looking before and after: new rows, and columns that differ.

Only ids and names of columns come of it, never what stands in them.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.domain.patient import Trait, Traits
from sgi.domain.patient import differences as traits_apart
from sgi.hl7.mapping import ORDER
from sgi.hl7.statements import PatientSaid, Statement
from sgi.hl7.subjects import Subjects

_KINDS = ("patient", "identifier", "link", "case", "specimen", "glass", "order", "report")
_LONGEST_DETAIL = 300


Rows = Mapping[tuple[str, UUID], Mapping[str, Any]]


async def snapshot(connection: Connection, subjects: Subjects) -> Rows:
    """The rows that these names lead to now."""
    parts = [part for part in _PARTS if getattr(subjects, part)]
    if not parts:
        return {}
    cursor = await connection.execute(
        " union all ".join(_PARTS[part] for part in parts),
        {
            "kinds": [each.kind for each in subjects.identifiers],
            "assigners": [each.assigner for each in subjects.identifiers],
            "values": [each.value for each in subjects.identifiers],
            "cases": list(subjects.accession_numbers),
            "assets": list(subjects.assets),
            "orders": list(subjects.placer_numbers),
            "reports_of": list(subjects.reports_of),
        },
    )
    return {(row["what"], row["id"]): row["told"] for row in await cursor.fetchall()}


# Times of the newest statement say nothing new by themselves; text for searches follows the rest.
_PARTS = {
    "identifiers": """
        (with own as (
            select i.* from patient_identifier i
            join unnest(%(kinds)s::text[], %(assigners)s::text[], %(values)s::text[])
                as wanted (kind, assigner, value) using (kind, assigner, value)),
        whole as (
            select id from patient p where id in (select patient_id from own)
            union
            select merged_into from patient p
                where id in (select patient_id from own) and merged_into is not null)
        select 'identifier' as what, id, to_jsonb(own) - '{retired_at}'::text[]
            || jsonb_build_object('retired', retired_at is not null) as told from own
        union all
        select 'patient', id, to_jsonb(p) - '{said_at,words}'::text[]
            from patient p where id in (select id from whole)
        union all
        select 'link', id, to_jsonb(l) - '{rank,received_at}'::text[]
            from patient_link l
            where one in (select id from whole) or other in (select id from whole))""",
    "accession_numbers": """
        (select 'case' as what, id, to_jsonb(c) - '{said_at,times,cancel_said_at,state_at}'::text[]
                as told
            from lab_case c where accession_number = any(%(cases)s))""",
    "reports_of": """
        (select 'report' as what, id, jsonb_build_object('status', status, 'case', case_id,
                'withdrawn', withdrawn_at is not null) as told
            from report where case_id in (
                select id from lab_case where accession_number = any(%(reports_of)s))
        union all
        select 'report', id, jsonb_build_object('status', status, 'case', case_id,
                'withdrawn', withdrawn_at is not null)
            from report where case_id is null and accession_number = any(%(reports_of)s))""",
    "assets": """
        (select 'specimen' as what, id, to_jsonb(s) - '{said_at,times,cancelled_at}'::text[]
                || jsonb_build_object('cancelled', cancelled_at is not null) as told
            from specimen s where kind in ('part', 'block') and identifier = any(%(assets)s)
        union all
        select 'glass', id, to_jsonb(g) - '{said_at,times,cancelled_at}'::text[]
                || jsonb_build_object('cancelled', cancelled_at is not null)
            from glass g where identifier = any(%(assets)s))""",
    "placer_numbers": """
        (select 'order' as what, id, to_jsonb(w) - '{state_at}'::text[] as told
            from work_order w where placer_number = any(%(orders)s))""",
}


def differences(before: Rows, after: Rows) -> list[Change]:
    """What became new, and which columns changed, kind by kind."""
    changes = []
    for (what, row_id), told in after.items():
        old = before.get((what, row_id))
        if old is None:
            changes.append(Change(f"{what}.new", row_id))
        elif old != told:
            columns = sorted(key for key in told if told[key] != old.get(key))
            changes.append(Change(f"{what}.changed", row_id, ", ".join(columns)[:_LONGEST_DETAIL]))
    return sorted(changes, key=lambda change: _KINDS.index(change.what.partition(".")[0]))


_TELLING = frozenset({Trait.BIRTH_NAME, Trait.SEX, Trait.BIRTH_DATE})
"""In these a person does not change: another value means another person, or an error."""


def contradictions(
    statements: Iterable[Statement], patient_id: UUID | None, before: Rows, after: Rows
) -> list[Change]:
    """Which traits an order has otherwise than what was known: it may be somebody else's."""
    row = _living(before, patient_id) or _living(after, patient_id)
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
            differing = _TELLING.intersection(traits_apart(statement.identity.traits, known))
            if differing:
                words = ", ".join(sorted(differing))
                found.append(Change("patient.contradicted", patient_id, words))
    return found


def _living(rows: Rows, patient_id: UUID | None) -> Mapping[str, Any] | None:
    row = None if patient_id is None else rows.get(("patient", patient_id))
    if row is not None and row["merged_into"] is not None:
        return rows.get(("patient", UUID(row["merged_into"])))
    return row
