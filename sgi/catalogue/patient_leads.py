"""How records come together: merges (A40), changes of identifier (A47), links (A24) and their end.

Of whoever goes, every identifier leads to the record of who stays, and is not borne any more.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.patient_belief import refresh
from sgi.catalogue.patient_history import hear
from sgi.catalogue.patient_identifiers import Borne, add, bearer_of, known, made, naming
from sgi.domain.lineage import going_and_staying, naming_who_stays
from sgi.domain.patient import Identifier, IdentifierKind, Identity
from sgi.errors import IdentityConflictError


async def merge(
    connection: Connection,
    establishment_id: UUID,
    kept: Identity,
    *gone: Identifier,
    said_at: datetime,
    source: str,
) -> UUID:
    """A40: whom `gone` named is the same person as `kept`; the id of the record of who is kept.

    Any may be new here. Raises IdentityConflictError when nothing stays.
    """
    return await _lead(
        connection, establishment_id, "merge", kept, gone, said_at=said_at, source=source
    )


async def change_identifier(
    connection: Connection,
    establishment_id: UUID,
    new: Identity,
    *old: Identifier,
    said_at: datetime,
    source: str,
) -> UUID:
    """A47: the patient bears `new` in place of `old`; the id of the record of `new`.

    Raises IdentityConflictError when that would make one of two patients: it would be a merge.
    """
    going, staying = going_and_staying(naming(new), old)
    if await _are_two(connection, staying, going, said_at):
        raise IdentityConflictError(
            "Another patient bears the new identifier; merge the two (A40) if they are one person."
        )
    return await _lead(
        connection, establishment_id, "change", new, old, said_at=said_at, source=source
    )


async def link(
    connection: Connection,
    establishment_id: UUID,
    one: Sequence[Identifier],
    other: Sequence[Identifier],
    *,
    linked: bool,
    said_at: datetime,
    source: str,
) -> None:
    """A24 or A37: somebody holds the two for one person, or does not any more; both stay two.

    Each is named as by `bearer_of`. Raises IdentityConflictError when both are one record.
    """
    ends = [
        await bearer_of(connection, establishment_id, Identity(tuple(end)), adding=False)
        for end in (one, other)
    ]
    records = [end.patient_id for end in ends]
    if records[0] == records[1]:
        raise IdentityConflictError("A patient cannot be linked with itself; name the other one.")
    await connection.execute(
        """insert into patient_link (establishment_id, kind, one, other, said_at, source)
           values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [establishment_id, "link" if linked else "unlink", *sorted(records), said_at, source],
    )


async def _lead(
    connection: Connection,
    establishment_id: UUID,
    kind: str,
    kept: Identity,
    gone: Sequence[Identifier],
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    going, staying = going_and_staying(naming(kept), gone)
    ended = [await made(connection, establishment_id, each) for each in going]
    stays = await _who_stays(connection, establishment_id, staying, going, ended)
    heard = await hear(
        connection,
        establishment_id,
        stays,
        replace(kept, identifiers=_staying(kept, going)),
        by_order=False,
        said_at=said_at,
        source=source,
    )
    changed = False
    for each in ended:
        cursor = await connection.execute(
            """insert into patient_link
                   (establishment_id, kind, one, other, gone, kept, said_at, source)
               values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
            [
                establishment_id,
                kind,
                each.patient_id,
                stays.patient_id,
                each.id,
                stays.id,
                said_at,
                source,
            ],
        )
        changed = changed or cursor.rowcount > 0
    if heard or changed:
        records = {stays.patient_id, *(each.patient_id for each in ended)}
        await refresh(connection, records, led=True)
    return stays.patient_id


def _staying(kept: Identity, going: Sequence[Identifier]) -> tuple[Identifier, ...]:
    """An INS that went as the only name of a record stays as a trait of who is kept."""
    return tuple(i for i in kept.identifiers if i not in going or i.kind is IdentifierKind.INS)


async def _who_stays(
    connection: Connection,
    establishment_id: UUID,
    staying: Sequence[Identifier],
    going: Sequence[Identifier],
    ended: Sequence[Borne],
) -> Borne:
    """The identifier of who stays: of the assigner of what goes, whoever has the others.

    That of a record of its own goes before one that is on a record with what goes.
    """
    ending = {each.patient_id for each in ended}
    found = {each.identifier: each for each in await known(connection, staying)}

    def place(identifier: Identifier) -> int:
        borne = found.get(identifier)
        if borne is None:
            return 1
        if borne.patient_id in ending:
            return 2
        return 1 if borne.is_retired else 0

    name = min(naming_who_stays(staying, going), key=place)
    stays = found.get(name) or await made(connection, establishment_id, name)
    others = [i for i in staying if i != name and i not in found]
    await add(connection, establishment_id, stays, others, going)
    return stays


async def _are_two(
    connection: Connection,
    staying: Sequence[Identifier],
    going: Sequence[Identifier],
    said_at: datetime,
) -> bool:
    """Whether who goes was known for another before than anybody who is named with them.

    What is only known since then came out of order; so did what was told before.
    """
    named = [*going, *staying]
    cursor = await connection.execute(
        """with named as (
               select i.patient_id, coalesce(p.merged_into, p.id) as living, w.goes,
                      exists (select from patient_history where first_said_at <= %(said_at)s
                              and patient_id in (
                                  select id from patient
                                  where id = coalesce(p.merged_into, p.id)
                                     or merged_into = coalesce(p.merged_into, p.id))) as was_known
               from unnest(%(kinds)s::text[], %(assigners)s::text[], %(values)s::text[],
                           %(go)s::boolean[]) as w (kind, assigner, value, goes)
                   join patient_identifier i using (kind, assigner, value)
                   join patient p on p.id = i.patient_id)
           select from named o join named n on o.living <> n.living
           where o.goes and o.was_known and n.was_known and not exists (
               select from patient_link l join named s on s.patient_id = l.other and not s.goes
               where l.one = o.patient_id and l.kind = 'change' and l.said_at = %(said_at)s)""",
        {
            "kinds": [each.kind for each in named],
            "assigners": [each.assigner for each in named],
            "values": [each.value for each in named],
            "go": [each in going for each in named],
            "said_at": said_at,
        },
    )
    return await cursor.fetchone() is not None
