"""The mark of a database that came back from an earlier moment, until `sgi rebuild` has told it
what was decided since.

A setting of the database itself: it needs no table, whatever version the catalogue came back in.
"""

from typing import Any

import psycopg
from psycopg import AsyncConnection, sql

_MARK = sql.SQL("alter database {} set sgi.recovered = 'on'")
_CLEAR = sql.SQL("alter database {} reset sgi.recovered")


def mark(connection: psycopg.Connection[Any]) -> None:
    """As the owner of the database."""
    connection.execute(_MARK.format(sql.Identifier(connection.info.dbname)))


async def is_marked(connection: AsyncConnection[Any]) -> bool:
    """As anybody, and at once: a connection that is open for long is told too."""
    cursor = await connection.execute(
        """select 1 from pg_db_role_setting s join pg_database d on d.oid = s.setdatabase
           where d.datname = current_database() and 'sgi.recovered=on' = any(s.setconfig)"""
    )
    return await cursor.fetchone() is not None


async def clear(connection: AsyncConnection[Any]) -> None:
    """With the caller's transaction, as the owner of the database."""
    await connection.execute(_CLEAR.format(sql.Identifier(connection.info.dbname)))
