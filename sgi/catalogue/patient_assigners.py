"""Who gave an IPP: its universal id decides where there is one, else the name of its namespace."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.patient import Identifier, IdentifierKind
from sgi.errors import IdentityConflictError

_LONGEST = 250


async def assigned(
    connection: Connection, establishment_id: UUID, identifiers: Iterable[Identifier]
) -> list[Identifier]:
    """Each identifier, in their order, under the one name that its assigner has here.

    A universal id keeps the name under which it was first heard, unless another was heard with
    that: then it is `namespace&id&ISO`. Raises IdentityConflictError for a namespace alone of which
    several are known.
    """
    wanted = list(identifiers)
    names = await _names(
        connection,
        {
            (each.oid, each.assigner)
            for each in wanted
            if each.kind is IdentifierKind.LOCAL and each.oid is not None
        },
    )
    found = []
    for each in wanted:
        if each.kind is not IdentifierKind.LOCAL:
            found.append(each)
        elif each.oid is None:
            found.append(await _by_namespace(connection, each))
        else:
            heard = (each.oid, each.assigner)
            if heard not in names:
                names[heard] = await _made(connection, establishment_id, *heard)
            found.append(replace(each, assigner=names[heard], oid=None))
    return found


async def _by_namespace(connection: Connection, identifier: Identifier) -> Identifier:
    """What it named before any id was heard with its namespace it names for ever."""
    cursor = await connection.execute(
        """select distinct a.assigner from patient_assigner a
           where a.namespace = %(namespace)s and not exists (
               select from patient_identifier i
               where i.kind = %(kind)s and i.assigner = %(namespace)s and i.value = %(value)s
                 and not exists (select from patient_assigner where assigner = %(namespace)s))
           limit 2""",
        {
            "kind": identifier.kind,
            "namespace": identifier.assigner,
            "value": identifier.value,
        },
    )
    names = [row["assigner"] for row in await cursor.fetchall()]
    if len(names) > 1:
        raise IdentityConflictError(
            "Several assigners of IPPs have this name in CX-4.1; send the OID in CX-4.2."
        )
    return replace(identifier, assigner=names[0]) if names else identifier


async def _names(
    connection: Connection, heard: Collection[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Of those universal ids and namespaces that were heard together before."""
    if not heard:
        return {}
    oids, namespaces = zip(*heard, strict=True)
    cursor = await connection.execute(
        """select oid, namespace, assigner from patient_assigner
               join unnest(%s::text[], %s::text[]) as wanted (oid, namespace)
                   using (oid, namespace)""",
        [list(oids), list(namespaces)],
    )
    return {(row["oid"], row["namespace"]): row["assigner"] for row in await cursor.fetchall()}


async def _made(connection: Connection, establishment_id: UUID, oid: str, namespace: str) -> str:
    """One after the other: of two at once, one has the namespace's name."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(%s, 0))",
        [f"patient_assigner {establishment_id}"],
    )
    cursor = await connection.execute(
        """select (select min(assigner) from patient_assigner where oid = %(oid)s) as known,
               exists (select from patient_assigner
                       where assigner = %(namespace)s or namespace = %(namespace)s) as taken""",
        {"oid": oid, "namespace": namespace},
    )
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - one row of two questions
    name: str = row["known"] or (f"{namespace}&{oid}&ISO" if row["taken"] else namespace)
    if len(name) > _LONGEST:
        name = oid
    await connection.execute(
        """insert into patient_assigner (establishment_id, oid, namespace, assigner)
           values (%s, %s, %s, %s) on conflict do nothing""",
        [establishment_id, oid, namespace, name],
    )
    return name
