"""Patients as they are believed to be, by their ids."""

from collections.abc import Sequence
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


async def _patients(connection: Connection, rows: Sequence[dict[str, Any]]) -> list[Patient]:
    """Living patients with their identifiers and links, in the order of their rows.

    Of who was merged the identifiers of who was kept are first: the first is told to others.
    """
    ids = [row["id"] for row in rows]
    cursor = await connection.execute(
        """select i.*, coalesce(p.merged_into, p.id) as living
           from patient_identifier i join patient p on p.id = i.patient_id
           where p.id = any(%(ids)s) or p.merged_into = any(%(ids)s)
           order by p.merged_into is not null, i.created_at, i.id""",
        {"ids": ids},
    )
    borne: dict[UUID, list[Identifier]] = {i: [] for i in ids}
    retired: dict[UUID, list[Identifier]] = {i: [] for i in ids}
    for row in await cursor.fetchall():
        known = borne_of(row)
        (retired if known.is_retired else borne)[row["living"]].append(known.identifier)
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
