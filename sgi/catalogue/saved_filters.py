"""Searches that accounts keep, each its own."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.worklist import Worklist
from sgi.errors import ConflictError

_MOST = 100


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """A list, and what is searched for in it."""

    id: UUID
    name: str
    worklist: Worklist
    q: str


def _saved(row: dict[str, Any]) -> SavedFilter:
    said = row["filter"]
    return SavedFilter(row["id"], row["name"], Worklist(said["worklist"]), said["q"])


async def of_account(connection: Connection, account_id: UUID) -> list[SavedFilter]:
    """By name."""
    cursor = await connection.execute(
        "select * from saved_filter where account_id = %s order by name", [account_id]
    )
    return [_saved(row) for row in await cursor.fetchall()]


async def save(
    connection: Connection,
    establishment_id: UUID,
    account_id: UUID,
    name: str,
    worklist: Worklist,
    text: str,
) -> SavedFilter:
    """Keep one, in place of another of that name; raises ConflictError for more than a hundred."""
    cursor = await connection.execute(
        """insert into saved_filter (establishment_id, account_id, name, filter)
           values (%s, %s, %s, %s)
           on conflict (account_id, name) do update set filter = excluded.filter
           returning *""",
        [establishment_id, account_id, name, Jsonb({"worklist": worklist, "q": text})],
    )
    row = await cursor.fetchone()
    if row is None or len(await of_account(connection, account_id)) > _MOST:
        raise ConflictError("The account keeps as many searches as it may.")
    return _saved(row)


async def forget(connection: Connection, account_id: UUID, filter_id: UUID) -> bool:
    """False when the account keeps no such search."""
    cursor = await connection.execute(
        "delete from saved_filter where account_id = %s and id = %s", [account_id, filter_id]
    )
    return cursor.rowcount == 1
