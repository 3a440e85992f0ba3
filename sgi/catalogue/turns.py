"""Taking turns: locks by name that hold until the commit, and transactions begun again.

Rows are locked in one order everywhere, a case before its slides; where something moves from one
case to another that is not known beforehand, PostgreSQL ends one of two that wait for each other.
"""

from collections.abc import Awaitable, Callable, Iterable
from hashlib import blake2b
from typing import TypeVar
from uuid import UUID

import psycopg

from sgi.catalogue.database import Connection, Database

T = TypeVar("T")
_TRIES = 3
_LOST = (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)


def key_of_name(establishment_id: UUID, name: bytes) -> int:
    """Two names may have one key by chance: then they take turns too."""
    digest = blake2b(name, digest_size=8, key=establishment_id.bytes).digest()
    return int.from_bytes(digest, signed=True)


async def take(connection: Connection, keys: Iterable[int]) -> None:
    """Wait until nobody else has any of these locks; in the order of their numbers."""
    await connection.execute(
        "select pg_advisory_xact_lock(key) from unnest(%s::bigint[]) as key", [sorted(set(keys))]
    )


async def transacted(
    database: Database, establishment_id: UUID, act: Callable[[Connection], Awaitable[T]]
) -> T:
    """What `act` returns, in one transaction; from the beginning again where it lost a deadlock."""
    for _ in range(_TRIES - 1):
        try:
            async with database.transaction(establishment_id) as connection:
                return await act(connection)
        except _LOST:
            continue
    async with database.transaction(establishment_id) as connection:
        return await act(connection)
