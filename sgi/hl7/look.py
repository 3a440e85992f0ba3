"""The names that a message gives are looked up: once before it is applied, and once after.

Whom they name and whose they are is judged by it before anything changes, and what changed after.
"""

from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.identification import folded
from sgi.hl7.seen import Belonging, Row, Seen
from sgi.hl7.subjects import Subjects

_NAMES = {
    "identifier": ("kind", "assigner", "value"),
    "case": ("accession_number",),
    "specimen": ("kind", "identifier"),
    "glass": ("identifier",),
}


async def look_before(connection: Connection, subjects: Subjects) -> Seen:
    """The rows that these names lead to now, and whether labels wait for them; in one question."""
    return await _look(connection, subjects, [_LABELS, _WAITING] if subjects.assets else [])


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
        if row["number"] is not None or row["living"] is not None:
            belonging[row_id] = Belonging(row_id, row["number"], row["living"], row["since"])
    return Seen(rows, names, belonging, "label" in noted, "due" in noted)


_LABELS = """
    (select 'label' as what, null::uuid as id, null::jsonb as told,
            null as number, null::uuid as living, null::timestamptz as since
        from slide_code where code = any(%(codes)s) limit 1)"""
# Whom `said` names is a question of its own: the wall lets no index be asked by what the JSON of
# another table's row says, and all patients would be read.
_WAITING = """
    (select 'waiting' as what, s.id, jsonb_build_object('name', s.identifier,
                'parent', s.parent_identifier) as told,
            null as number, (select coalesce(w.merged_into, w.id) from patient w
                where w.id = (s.said ->> 'patient')::uuid) as living, null::timestamptz as since
        from specimen s
        where s.parent_identifier = any(%(assets)s) and s.case_id is null and s.said ? 'patient'
    union all
    select 'waiting', g.id, jsonb_build_object('name', g.identifier,
                'parent', g.parent_identifier),
            null, (select coalesce(w.merged_into, w.id)
                from patient w where w.id = (g.said ->> 'patient')::uuid), null
        from glass g
        where g.parent_identifier = any(%(assets)s) and g.case_id is null and g.said ? 'patient')"""
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
                c.accession_number as number, coalesce(p.merged_into, p.id, (
                    select coalesce(w.merged_into, w.id) from patient w
                    where s.case_id is null and w.id = (s.said ->> 'patient')::uuid)) as living,
                (s.times ->> 'case')::timestamptz as since
            from specimen s left join lab_case c on c.id = s.case_id
                left join patient p on p.id = c.patient_id
            where s.kind in ('part', 'block') and s.identifier = any(%(assets)s)
        union all
        select 'glass', g.id, to_jsonb(g) - '{said_at,times,cancelled_at}'::text[]
                || jsonb_build_object('cancelled', g.cancelled_at is not null),
                c.accession_number, coalesce(p.merged_into, p.id, (
                    select coalesce(w.merged_into, w.id) from patient w
                    where g.case_id is null and w.id = (g.said ->> 'patient')::uuid)),
                (g.times ->> 'case')::timestamptz
            from glass g left join lab_case c on c.id = g.case_id
                left join patient p on p.id = c.patient_id
            where g.identifier = any(%(assets)s))""",
    "placer_numbers": """
        (select 'order' as what, id, to_jsonb(w) - '{state_at}'::text[] as told,
                null as number, null::uuid as living, null::timestamptz as since
            from work_order w where placer_number = any(%(orders)s))""",
}
