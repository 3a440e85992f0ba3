"""Rows of specimens, blocks and glasses: found and locked behind their cases, written at once."""

from collections.abc import Mapping
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from sgi.catalogue.case_rows import KINDS
from sgi.catalogue.case_states import LOCKED
from sgi.catalogue.database import Connection
from sgi.domain.case import Asset, AssetKind

Row = dict[str, Any]

_JSON = frozenset({"said", "times", "stains", "technique"})


def _of(kind: AssetKind, question: LiteralString) -> sql.Composed:
    """`{table}` is its table, `{named}` what finds its row there."""
    named: LiteralString = "establishment_id = %(establishment)s and identifier = %(identifier)s"
    if kind is not AssetKind.SLIDE:
        named += " and kind = %(kind)s"
    return sql.SQL(question).format(table=table_of(kind), named=sql.SQL(named))


def table_of(kind: AssetKind) -> sql.Identifier:
    return sql.Identifier("glass" if kind is AssetKind.SLIDE else "specimen")


_HOMES: LiteralString = """ where c.id = any(array(
    select case_id from {table} where {named}
    union all
    select id from lab_case
    where establishment_id = %(establishment)s and accession_number = %(number)s))
order by c.id for no key update of c
"""
_CASES = {kind: _of(kind, LOCKED + _HOMES) for kind in AssetKind}
_ASSET = {
    kind: _of(kind, "select * from {table} where {named} for no key update") for kind in AssetKind
}


async def locked_cases(
    connection: Connection, establishment_id: UUID, asset: Asset
) -> dict[UUID, Row]:
    """By their ids the case that it is in and the one that it is said to be of, where they are
    there; locked in the order in which everybody locks them.
    """
    cursor = await connection.execute(
        _CASES[asset.kind], {**_names(establishment_id, asset), "number": asset.accession_number}
    )
    return {row["id"]: row for row in await cursor.fetchall()}


async def locked_asset(connection: Connection, establishment_id: UUID, asset: Asset) -> Row | None:
    """Its own row, once its cases are locked."""
    cursor = await connection.execute(_ASSET[asset.kind], _names(establishment_id, asset))
    return await cursor.fetchone()


def untold(asset: Asset) -> Row:
    """What a row holds of which nothing was said yet."""
    row: Row = {
        "case_id": None,
        "parent_identifier": None,
        "said": {},
        "times": {},
        "cancelled_at": None,
    }
    if asset.kind is AssetKind.SLIDE:
        row |= {"stains": [], "technique": None, "to_be_scanned": True}
    return row


async def insert(
    connection: Connection, establishment_id: UUID, asset: Asset, columns: Mapping[str, Any]
) -> UUID | None:
    """The new row's id; None where somebody else has made one meanwhile, who is waited for."""
    values = {
        "establishment_id": establishment_id,
        "identifier": asset.identifier,
        **({} if asset.kind is AssetKind.SLIDE else {"kind": KINDS[asset.kind]}),
        **_values(columns),
    }
    cursor = await connection.execute(
        sql.SQL("insert into {} ({}) values ({}) on conflict do nothing returning id").format(
            table_of(asset.kind),
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join([sql.Placeholder()] * len(values)),
        ),
        list(values.values()),
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def update(
    connection: Connection, kind: AssetKind, asset_id: UUID, columns: Mapping[str, Any]
) -> None:
    """The columns are named by us, never by a message."""
    if columns:
        taken = [sql.SQL("{} = %s").format(sql.Identifier(name)) for name in columns]
        await connection.execute(
            sql.SQL("update {} set {} where id = %s").format(
                table_of(kind), sql.SQL(", ").join(taken)
            ),
            [*_values(columns).values(), asset_id],
        )


def _names(establishment_id: UUID, asset: Asset) -> dict[str, object]:
    return {
        "establishment": establishment_id,
        "identifier": asset.identifier,
        "kind": KINDS.get(asset.kind),
    }


def _values(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Jsonb(value) if name in _JSON and value is not None else value
        for name, value in columns.items()
    }
