"""Whom an identifier names: each names one record for ever, and a record leads to who lives."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.patient import Identifier, IdentifierKind, Identity
from sgi.errors import IdentityConflictError


@dataclass(frozen=True, slots=True)
class Borne:
    """A row of `patient_identifier`."""

    id: UUID
    patient_id: UUID
    """The record; not always the living patient."""
    identifier: Identifier
    is_retired: bool


def borne_of(row: dict[str, Any]) -> Borne:
    identifier = Identifier(row["value"], row["assigner"], IdentifierKind(row["kind"]))
    is_retired = row["retired_at"] is not None
    return Borne(row["id"], row["patient_id"], identifier, is_retired)


async def bearer_of(
    connection: Connection,
    establishment_id: UUID,
    identity: Identity,
    *,
    adding: bool,
    on_record: Mapping[Identifier, Borne] | None = None,
) -> Borne:
    """The identifier that says who is meant: the first that is borne, else known, else the first.

    The others become identifiers of the same record where that is `adding`. `on_record` is for who
    has looked already, and has the locks of these identifiers: those of them that are there. Raises
    IdentityConflictError when there is none.
    """
    offered = naming(identity)
    if on_record is None:
        found = await known(connection, offered)
    else:
        found = [on_record[each] for each in offered if each in on_record]
    used = next((one for one in found if not one.is_retired), None)
    if used is None:
        used = found[0] if found else await made(connection, establishment_id, offered[0])
    if adding:
        taken = {one.identifier for one in (*found, used)}
        await add(connection, establishment_id, used, [i for i in offered if i not in taken])
    return used


def naming(identity: Identity) -> list[Identifier]:
    """Its IPPs; the INS of who has none. Raises IdentityConflictError where there is neither."""
    found = [i for i in identity.identifiers if i.kind is IdentifierKind.LOCAL]
    found = found or [i for i in identity.identifiers if i.kind is IdentifierKind.INS]
    if not found:
        raise IdentityConflictError("The patient has no identifier; send an IPP or an INS.")
    return found


async def find(connection: Connection, identifier: Identifier) -> Borne | None:
    cursor = await connection.execute(
        "select * from patient_identifier where kind = %s and assigner = %s and value = %s",
        [identifier.kind, identifier.assigner, identifier.value],
    )
    row = await cursor.fetchone()
    return None if row is None else borne_of(row)


async def made(connection: Connection, establishment_id: UUID, identifier: Identifier) -> Borne:
    """As `find`; whom nobody knew is made."""
    cursor = await connection.execute(
        "select * from identifier_made(%s, %s, %s, %s)",
        [establishment_id, identifier.kind, identifier.assigner, identifier.value],
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - it is there or made
    return borne_of(row)


async def known(connection: Connection, identifiers: Sequence[Identifier]) -> list[Borne]:
    """Those that somebody bears or bore, in their order."""
    cursor = await connection.execute(
        """select i.* from patient_identifier i
               join unnest(%s::text[], %s::text[], %s::text[]) with ordinality
                   as wanted (kind, assigner, value, place) using (kind, assigner, value)
           order by wanted.place""",
        [
            [identifier.kind for identifier in identifiers],
            [identifier.assigner for identifier in identifiers],
            [identifier.value for identifier in identifiers],
        ],
    )
    return [borne_of(row) for row in await cursor.fetchall()]


async def add(
    connection: Connection,
    establishment_id: UUID,
    used: Borne,
    others: Iterable[Identifier],
    going: Collection[Identifier] = (),
) -> None:
    """More identifiers of a record, but those of which its patient bears another of that assigner.

    One that is `going` does not count as borne. What is not taken stays nobody's.
    """
    for other in others:
        await connection.execute(
            """insert into patient_identifier (establishment_id, patient_id, kind, assigner, value)
               select %(establishment)s, own.id, %(kind)s, %(assigner)s, %(value)s
               from patient own
               where own.id = %(patient)s and not exists (
                   select from patient_identifier i
                   where i.patient_id = any(array(
                           select coalesce(own.merged_into, own.id)
                           union all
                           select p.id from patient p
                           where p.merged_into = coalesce(own.merged_into, own.id)))
                     and i.kind = %(kind)s and i.assigner = %(assigner)s
                     and i.retired_at is null and i.value <> all(%(going)s))
               on conflict do nothing""",
            {
                "establishment": establishment_id,
                "patient": used.patient_id,
                "kind": other.kind,
                "assigner": other.assigner,
                "value": other.value,
                "going": [each.value for each in going if each.assigner == other.assigner],
            },
        )


async def bearer(connection: Connection, identifier: Identifier) -> UUID | None:
    """The record that an identifier names, living or not; None when nobody bears it."""
    found = await find(connection, identifier)
    return None if found is None else found.patient_id


async def named(connection: Connection, identifier: Identifier) -> UUID | None:
    """The living patient whom an identifier names, be it one that was merged away.

    An INS names whoever bears it when that is only one.
    """
    found = await bearer(connection, identifier)
    if found is not None:
        cursor = await connection.execute(
            "select coalesce(merged_into, id) as id from patient where id = %s", [found]
        )
    elif identifier.kind is IdentifierKind.INS:
        cursor = await connection.execute(
            """select id from patient
               where ins_value = %s and ins_oid = %s and merged_into is null limit 2""",
            [identifier.value, identifier.assigner],
        )
    else:
        return None
    rows = await cursor.fetchall()
    return rows[0]["id"] if len(rows) == 1 else None
