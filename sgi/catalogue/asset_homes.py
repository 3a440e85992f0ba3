"""Which case a specimen, block or glass comes to by its parent, and what comes along with it.

One that waits for its case is kept with whom it was named: it joins no case of another patient.
"""

from typing import Any
from uuid import UUID

from psycopg import sql

from sgi.catalogue import case_history, cases
from sgi.catalogue.asset_rows import Row
from sgi.catalogue.case_history import Author, Happening
from sgi.catalogue.case_rows import KINDS
from sgi.catalogue.database import Connection
from sgi.domain.case import Asset, AssetKind

NAMED = "patient"
"""In `said`: the record of whom it was named with, where it was named without a case."""
_MOST_DEEP = 3
"""Specimen, block, glass: a loop in what the laboratory says ends here."""
_PARENTS = """
select s.case_id from specimen s
where s.establishment_id = %(establishment)s and s.identifier = %(parent)s
  and (s.identifier, s.kind) is distinct from (%(identifier)s, %(kind)s)
  and s.case_id is not null and (%(named)s::uuid is null or exists (
      select from lab_case c join patient p on p.id = c.patient_id
          join patient named on named.id = %(named)s
      where c.id = s.case_id
        and coalesce(p.merged_into, p.id) = coalesce(named.merged_into, named.id)))
order by s.kind limit 1
"""
_CHILDREN = sql.SQL("""
select id, identifier, case_id from {} child
where parent_identifier = %(parent)s and not times ? 'case'
  and (case_id is not null or not said ? 'patient' or exists (
      select from lab_case c join patient p on p.id = c.patient_id
          join patient named on named.id = (child.said ->> 'patient')::uuid
      where c.id = %(home)s
        and coalesce(p.merged_into, p.id) = coalesce(named.merged_into, named.id)))
order by identifier for no key update of child
""")
_BRING = sql.SQL("update {} set case_id = %s where id = %s")


async def case_of_parent(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    before: Row,
    taken: dict[str, Any],
) -> UUID | None:
    """The case of what it comes from, if that is the case of whom it was named with."""
    parent = taken.get("parent", before["parent_identifier"])
    if parent is None:
        return None
    cursor = await connection.execute(
        _PARENTS,
        {
            "establishment": establishment_id,
            "parent": parent,
            "identifier": asset.identifier,
            "kind": KINDS.get(asset.kind),
            "named": taken.get(NAMED, before["said"].get(NAMED)),
        },
    )
    row = await cursor.fetchone()
    return None if row is None else row["case_id"]


async def moved(
    connection: Connection, asset: Asset, before: UUID | None, home: UUID, author: Author
) -> set[UUID | None]:
    """Its descendants whose case nobody said come along; returns the cases touched."""
    touched = {before, home}
    if before != home:
        await _trace(connection, asset.identifier, before, home, author)
    if asset.kind is not AssetKind.SLIDE:
        if before not in {None, home}:  # what stays there comes from it no more
            await connection.execute("select tell_slides_of_case(%s, false)", [before])
        touched |= await _bring_children(connection, asset.identifier, home, author, _MOST_DEEP)
    return touched


async def _bring_children(
    connection: Connection, identifier: str, home: UUID, author: Author, depth: int
) -> set[UUID | None]:
    touched: set[UUID | None] = set()
    for table in ("specimen", "glass"):
        name = sql.Identifier(table)
        about = {"parent": identifier, "home": home}
        cursor = await connection.execute(_CHILDREN.format(name), about)
        for child in await cursor.fetchall():
            touched.add(child["case_id"])
            if child["case_id"] != home:
                await connection.execute(_BRING.format(name), [home, child["id"]])
                await _trace(connection, child["identifier"], child["case_id"], home, author)
            if table == "specimen" and depth > 1 and child["identifier"] != identifier:
                touched |= await _bring_children(
                    connection, child["identifier"], home, author, depth - 1
                )
    return touched


async def _trace(
    connection: Connection, identifier: str, before: UUID | None, after: UUID, author: Author
) -> None:
    """In both cases, where it was another's before."""
    if before is None:
        return
    numbers = {}
    for case_id in (before, after):
        case = await cases.by_id(connection, case_id)
        numbers[case_id] = None if case is None else case.accession_number
    await case_history.add(
        connection, before, Happening.WENT, author, before=identifier, after=numbers[after]
    )
    await case_history.add(
        connection, after, Happening.CAME, author, before=numbers[before], after=identifier
    )
