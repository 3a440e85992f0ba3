"""What is on record under the names that a message gives: read once before it, and once after.

Whom they name and whose they are is judged by it before anything changes, and what changed after.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.case_rows import KINDS
from sgi.catalogue.database import Connection
from sgi.catalogue.patient_identifiers import Borne
from sgi.domain.case import Asset, AssetKind
from sgi.domain.identification import folded
from sgi.domain.patient import Identifier, IdentifierKind
from sgi.hl7.subjects import Subjects

Row = Mapping[str, Any]
"""As JSON: ids and times are text."""
Rows = Mapping[tuple[str, UUID], Row]
"""By kind and id."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose a case or an asset is."""

    id: UUID
    accession_number: str
    living: UUID | None
    """The living patient of the case."""
    said_at: datetime | None
    """When that was said; None where nobody said it."""

    def is_newer_than(self, at: datetime) -> bool:
        return self.said_at is not None and self.said_at > at


@dataclass(frozen=True, slots=True)
class Seen:
    """The rows, without what says nothing new by itself."""

    rows: Rows
    names: Mapping[tuple[str, ...], UUID]
    belonging: Mapping[UUID, Belonging]
    is_label_read: bool = False
    """Some scan's label reads the name of an asset; told of what is there before."""
    is_telling_due: bool = False
    """Instances are due to be told anew; told of what is there after."""

    def bearers(self) -> dict[Identifier, Borne]:
        """All that the message's identifiers name."""
        rows = [told for (what, _), told in self.rows.items() if what == "identifier"]
        found = [
            Borne(
                UUID(told["id"]),
                UUID(told["patient_id"]),
                Identifier(told["value"], told["assigner"], IdentifierKind(told["kind"])),
                is_retired=told["retired"],
            )
            for told in rows
        ]
        return {each.identifier: each for each in found}

    def living(self, identifier: Identifier) -> UUID | None:
        """Whom it names, be it one that was merged away; None where nobody bears it."""
        found = self.names.get(
            ("identifier", identifier.kind, identifier.assigner, identifier.value)
        )
        if found is None:
            return None
        record = UUID(self.rows["identifier", found]["patient_id"])
        return self._leads_to(record)

    def patient(self, patient_id: UUID | None) -> Row | None:
        """The living one to whom a record leads."""
        if patient_id is None or ("patient", patient_id) not in self.rows:
            return None
        return self.rows.get(("patient", self._leads_to(patient_id)))

    def case(self, accession_number: str) -> Belonging | None:
        found = self.names.get(("case", accession_number))
        return None if found is None else self.belonging.get(found)

    def knows(self, asset: Asset) -> bool:
        """Whether it is on record."""
        return _name_of(asset) in self.names

    def asset(self, asset: Asset) -> Belonging | None:
        """None also where it has no case."""
        found = self.names.get(_name_of(asset))
        return None if found is None else self.belonging.get(found)

    def _leads_to(self, record: UUID) -> UUID:
        living: str | None = self.rows["patient", record]["merged_into"]
        return record if living is None else UUID(living)


def _name_of(asset: Asset) -> tuple[str, ...]:
    if asset.kind is AssetKind.SLIDE:
        return "glass", asset.identifier
    return "specimen", KINDS[asset.kind], asset.identifier


_NAMES = {
    "identifier": ("kind", "assigner", "value"),
    "case": ("accession_number",),
    "specimen": ("kind", "identifier"),
    "glass": ("identifier",),
}


async def look_before(connection: Connection, subjects: Subjects) -> Seen:
    """The rows that these names lead to now, and whether labels wait for them; in one question."""
    return await _look(connection, subjects, [_LABELS] if subjects.assets else [])


async def look_after(connection: Connection, subjects: Subjects) -> Seen:
    """As they are now, and whether by that, or by something else, slides are to be told anew."""
    return await _look(connection, subjects, [_DUE])


async def _look(connection: Connection, subjects: Subjects, more: list[str]) -> Seen:
    parts = [_PARTS[part] for part in _PARTS if getattr(subjects, part)] + more
    if not parts:
        return Seen({}, {}, {})
    cursor = await connection.execute(
        " union all ".join(parts),
        {
            "kinds": [each.kind for each in subjects.identifiers],
            "assigners": [each.assigner for each in subjects.identifiers],
            "values": [each.value for each in subjects.identifiers],
            "cases": list(subjects.accession_numbers),
            "assets": list(subjects.assets),
            "codes": [folded(name) for name in subjects.assets],
            "orders": list(subjects.placer_numbers),
            "reports_of": list(subjects.reports_of),
        },
    )
    rows: dict[tuple[str, UUID], Row] = {}
    names, belonging, noted = {}, {}, set()
    for row in await cursor.fetchall():
        what, row_id, told = row["what"], row["id"], row["told"]
        if told is None:
            noted.add(what)
            continue
        rows[what, row_id] = told
        if what in _NAMES:
            names[what, *(told[column] for column in _NAMES[what])] = row_id
        if row["number"] is not None:
            belonging[row_id] = Belonging(row_id, row["number"], row["living"], row["since"])
    return Seen(rows, names, belonging, "label" in noted, "due" in noted)


_LABELS = """
    (select 'label' as what, null::uuid as id, null::jsonb as told,
            null as number, null::uuid as living, null::timestamptz as since
        from slide_code where code = any(%(codes)s) limit 1)"""
_DUE = """
    (select 'due' as what, null::uuid as id, null::jsonb as told,
            null as number, null::uuid as living, null::timestamptz as since
        from identity_due limit 1)"""
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
                || jsonb_build_object('retired', retired_at is not null) as told,
                null as number, null::uuid as living, null::timestamptz as since
            from own
        union all
        select 'patient', id, to_jsonb(p) - '{said_at,words}'::text[], null, null, null
            from patient p where id in (select id from whole)
        union all
        select 'link', id, to_jsonb(l) - '{rank,received_at}'::text[], null, null, null
            from patient_link l where one in (select id from whole)
        union all
        select 'link', id, to_jsonb(l) - '{rank,received_at}'::text[], null, null, null
            from patient_link l where other in (select id from whole))""",
    "accession_numbers": """
        (select 'case' as what, c.id,
                to_jsonb(c) - '{said_at,times,cancel_said_at,state_at}'::text[] as told,
                c.accession_number as number, coalesce(p.merged_into, p.id) as living,
                (c.times ->> 'patient_id')::timestamptz as since
            from lab_case c left join patient p on p.id = c.patient_id
            where c.accession_number = any(%(cases)s))""",
    "reports_of": """
        (select 'report' as what, id, jsonb_build_object('status', status, 'case', case_id,
                'withdrawn', withdrawn_at is not null) as told,
                null as number, null::uuid as living, null::timestamptz as since
            from report where case_id in (
                select id from lab_case where accession_number = any(%(reports_of)s))
        union all
        select 'report', id, jsonb_build_object('status', status, 'case', case_id,
                'withdrawn', withdrawn_at is not null), null, null, null
            from report where case_id is null and accession_number = any(%(reports_of)s))""",
    "assets": """
        (select 'specimen' as what, s.id, to_jsonb(s) - '{said_at,times,cancelled_at}'::text[]
                || jsonb_build_object('cancelled', s.cancelled_at is not null) as told,
                c.accession_number as number, coalesce(p.merged_into, p.id) as living,
                (s.times ->> 'case')::timestamptz as since
            from specimen s left join lab_case c on c.id = s.case_id
                left join patient p on p.id = c.patient_id
            where s.kind in ('part', 'block') and s.identifier = any(%(assets)s)
        union all
        select 'glass', g.id, to_jsonb(g) - '{said_at,times,cancelled_at}'::text[]
                || jsonb_build_object('cancelled', g.cancelled_at is not null),
                c.accession_number, coalesce(p.merged_into, p.id),
                (g.times ->> 'case')::timestamptz
            from glass g left join lab_case c on c.id = g.case_id
                left join patient p on p.id = c.patient_id
            where g.identifier = any(%(assets)s))""",
    "placer_numbers": """
        (select 'order' as what, id, to_jsonb(w) - '{state_at}'::text[] as told,
                null as number, null::uuid as living, null::timestamptz as since
            from work_order w where placer_number = any(%(orders)s))""",
}
