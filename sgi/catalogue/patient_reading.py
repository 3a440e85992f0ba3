"""Patients as they are believed to be, by their ids and found."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_identifiers import borne_of
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    IdentityAttribute,
    IdentityStatus,
    Patient,
    Traits,
    folded,
)
from sgi.domain.portrait import dmp_of

_TRAITS = tuple(Traits.__slots__)


async def by_id(connection: Connection, patient_id: UUID) -> Patient | None:
    """The living patient whose id this is, or to whom this record leads."""
    cursor = await connection.execute(
        """select l.* from patient p join patient l on l.id = coalesce(p.merged_into, p.id)
           where p.id = %s""",
        [patient_id],
    )
    found = await _patients(connection, await cursor.fetchall())
    return found[0] if found else None


async def search(
    connection: Connection,
    text: str = "",
    *,
    birth_date: date | None = None,
    limit: int = 20,
) -> list[Patient]:
    """Living patients by an identifier as it is written, or by the beginnings of names.

    Single letters find nobody, and neither does nothing at all.
    """
    text = text.strip()[:_LONGEST]
    words = [word for word in folded(text).split() if len(word) > 1][:_MOST_WORDS]
    found = _NAMED
    if words:
        found += " union " + " intersect ".join(_BEGINNING % {"n": n} for n in range(len(words)))
    elif not text and birth_date is not None:
        found = "select id from patient where birth_date = %(birth_date)s"
    values = {f"from{n}": word for n, word in enumerate(words)}
    values |= {f"to{n}": f"{word}~" for n, word in enumerate(words)}  # after all letters
    cursor = await connection.execute(
        f"""select l.* from patient l where l.merged_into is null and l.id in ({found})
              and (%(birth_date)s::date is null or l.birth_date = %(birth_date)s)
            order by l.birth_name, l.first_given_name, l.id limit %(limit)s""",  # noqa: S608 - ours
        {**values, "birth_date": birth_date, "text": text, "limit": limit},
    )
    return await _patients(connection, await cursor.fetchall())


_LONGEST = 200
_MOST_WORDS = 6
_NAMED = """select coalesce(p.merged_into, p.id)
                from patient_identifier i join patient p on p.id = i.patient_id
                where i.value = %(text)s
            union select id from patient where ins_value = %(text)s"""
_BEGINNING = """select patient_id from patient_word
                where word >= %%(from%(n)d)s and word < %%(to%(n)d)s"""


async def _patients(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Patient]:
    """Living patients with their identifiers and links, in the order of their rows."""
    ids = [row["id"] for row in rows]
    cursor = await connection.execute(
        """select i.*, coalesce(p.merged_into, p.id) as living
           from patient_identifier i join patient p on p.id = i.patient_id
           where p.id = any(%(ids)s) or p.merged_into = any(%(ids)s)
           order by i.created_at, i.id""",
        {"ids": ids},
    )
    borne: dict[UUID, list[Identifier]] = {i: [] for i in ids}
    retired: dict[UUID, list[Identifier]] = {i: [] for i in ids}
    for row in await cursor.fetchall():
        known = borne_of(row)
        (borne if known.retired_at is None else retired)[row["living"]].append(known.identifier)
    linked = await _linked(connection, ids)
    return [_patient(row, borne[row["id"]], retired[row["id"]], linked[row["id"]]) for row in rows]


async def _linked(connection: Connection, ids: list[UUID]) -> dict[UUID, frozenset[UUID]]:
    """The other living patients whom each is linked with, by the newest word on the two."""
    cursor = await connection.execute(
        """with mine as (
               select id, coalesce(merged_into, id) as living from patient
               where id = any(%(ids)s) or merged_into = any(%(ids)s)),
           words as (
               select m.living, coalesce(p.merged_into, p.id) as other, l.kind, l.said_at, l.rank
               from mine m join patient_link l on l.one = m.id join patient p on p.id = l.other
               where l.kind in ('link', 'unlink')
               union all
               select m.living, coalesce(p.merged_into, p.id), l.kind, l.said_at, l.rank
               from mine m join patient_link l on l.other = m.id join patient p on p.id = l.one
               where l.kind in ('link', 'unlink')),
           newest as (
               select distinct on (living, other) * from words
               where living <> other order by living, other, said_at desc, rank desc)
           select living, other from newest where kind = 'link'""",
        {"ids": ids},
    )
    found: dict[UUID, set[UUID]] = {i: set() for i in ids}
    for row in await cursor.fetchall():
        found[row["living"]].add(row["other"])
    return {i: frozenset(others) for i, others in found.items()}


def _patient(
    row: dict[str, Any],
    borne: list[Identifier],
    retired: list[Identifier],
    linked: frozenset[UUID],
) -> Patient:
    status, ins = row["status"], row["ins_value"]
    if ins is not None:
        # One who is known by an INS alone bears it twice, as a name and as what was said.
        borne = [i for i in borne if i.kind is IdentifierKind.LOCAL]
        borne.append(Identifier(ins, row["ins_oid"], IdentifierKind.INS))
    return Patient(
        id=row["id"],
        identifiers=tuple(borne),
        traits=Traits(**{name: row[name] for name in _TRAITS}),
        status=None if status is None else IdentityStatus(status),
        attributes=frozenset(map(IdentityAttribute, row["attributes"])),
        dmp=None if row["dmp"] is None else dmp_of(row["dmp"]),
        retired=tuple(retired),
        linked=linked,
        said_at=row["said_at"],
    )
