"""Establishments, accounts and sessions as rows."""

from datetime import timedelta
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.account import Account, Role, Session


async def establishments(connection: Connection) -> list[tuple[UUID, str]]:
    """Every `(id, name)`, oldest first."""
    cursor = await connection.execute("select id, name from establishments()")
    return [(row["id"], row["name"]) for row in await cursor.fetchall()]


async def add_establishment(connection: Connection, name: str) -> UUID:
    """Create one, and work within its walls from here to the transaction's end.

    Needs the owner's connection; raises psycopg.errors.UniqueViolation when the name is taken.
    """
    cursor = await connection.execute(
        """with made as (insert into establishment (name) values (%s) returning id)
           select id, set_config('sgi.establishment', id::text, true) from made""",
        [name],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    establishment_id: UUID = row["id"]
    return establishment_id


async def account_named(connection: Connection, name: str) -> Account | None:
    """The enabled account of that name, whatever its establishment."""
    cursor = await connection.execute("select * from account_named(%s)", [name])
    row = await cursor.fetchone()
    if row is None:
        return None
    return Account(
        row["id"], row["establishment_id"], row["name"], Role(row["role"]), row["password_hash"]
    )


async def add_account(
    connection: Connection, establishment_id: UUID, name: str, role: Role, password_hash: str
) -> UUID:
    """Create an account; raises psycopg.errors.UniqueViolation when the name is taken."""
    cursor = await connection.execute(
        """insert into account (establishment_id, name, role, password_hash)
           values (%s, %s, %s, %s) returning id""",
        [establishment_id, name, role, password_hash],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    account_id: UUID = row["id"]
    return account_id


async def set_password_hash(connection: Connection, account_id: UUID, password_hash: str) -> None:
    await connection.execute(
        "update account set password_hash = %s where id = %s", [password_hash, account_id]
    )


async def open_session(
    connection: Connection,
    account: Account,
    token_hash: bytes,
    csrf_token: str,
    lifetime: timedelta,
) -> UUID:
    """Insert a session and drop the account's expired ones; return the session's id."""
    await connection.execute("delete from session where expires_at < now()")
    cursor = await connection.execute(
        """insert into session (token_hash, account_id, establishment_id, csrf_token, expires_at)
           values (%s, %s, %s, %s, now() + %s) returning id""",
        [token_hash, account.id, account.establishment_id, csrf_token, lifetime],
    )
    row = await cursor.fetchone()
    assert row is not None, "insert ... returning gives a row"  # noqa: S101 - for the type checker
    session_id: UUID = row["id"]
    return session_id


async def session_of(connection: Connection, token_hash: bytes) -> Session | None:
    """The living session of that token."""
    cursor = await connection.execute("select * from session_of(%s)", [token_hash])
    row = await cursor.fetchone()
    return None if row is None else Session(**{**row, "role": Role(row["role"])})


async def close_sessions(connection: Connection, account_id: UUID) -> None:
    """Delete every session of an account; every server is told and forgets them."""
    await connection.execute("delete from session where account_id = %s", [account_id])


async def session_lives(connection: Connection, session_id: UUID) -> bool:
    """True until the session is closed or expires."""
    cursor = await connection.execute(
        "select 1 from session where id = %s and expires_at > now()", [session_id]
    )
    return await cursor.fetchone() is not None


async def close_session(connection: Connection, session_id: UUID) -> None:
    """Delete a session; every server is told by a trigger and forgets it."""
    await connection.execute("delete from session where id = %s", [session_id])


async def sign_in_failures(
    connection: Connection, name_hash: bytes, address: str, within: timedelta
) -> tuple[int, int, int]:
    """Recent failures `(of this name from this address, from this address, of this name)`.

    Others who ask about the name wait until this transaction ends, so that the answer holds.
    """
    await connection.execute(
        "select pg_advisory_xact_lock(%s)", [int.from_bytes(name_hash[:8], signed=True)]
    )
    cursor = await connection.execute(
        "select * from sign_in_failures(%s, %s, %s)", [name_hash, address, within]
    )
    row = await cursor.fetchone()
    return (0, 0, 0) if row is None else (row["of_pair"], row["of_address"], row["of_name"])


async def record_sign_in_failure(connection: Connection, name_hash: bytes, address: str) -> None:
    await connection.execute("select record_sign_in_failure(%s, %s)", [name_hash, address])


async def forget_sign_in_failures(connection: Connection, name_hash: bytes, address: str) -> None:
    await connection.execute("select forget_sign_in_failures(%s, %s)", [name_hash, address])
