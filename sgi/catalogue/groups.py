"""Groups of pathologists, and the numbers by which the laboratory knows them."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

from sgi.catalogue.database import Connection
from sgi.domain.account import GRANTS, Permission
from sgi.errors import ConflictError, NotFoundError

READERS = frozenset(role for role, may in GRANTS.items() if Permission.READ_CASES in may)
"""Roles of those whom cases are given to."""


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a group."""

    account_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """Pathologists who share cases."""

    id: UUID
    name: str
    members: tuple[Member, ...]


async def all_groups(connection: Connection) -> list[Group]:
    """By name."""
    cursor = await connection.execute(
        """select g.id, g.name, m.account_id, a.name as account_name
           from pathologist_group g
               left join group_member m on m.group_id = g.id
               left join account a on a.id = m.account_id and a.disabled_at is null
           order by g.name, a.name"""
    )
    found: dict[UUID, Group] = {}
    for row in await cursor.fetchall():
        group = found.setdefault(row["id"], Group(row["id"], row["name"], ()))
        if row["account_name"] is not None:
            member = Member(row["account_id"], row["account_name"])
            found[row["id"]] = Group(group.id, group.name, (*group.members, member))
    return list(found.values())


async def readers(connection: Connection) -> list[Member]:
    """Every account that may read cases, by name."""
    cursor = await connection.execute(
        """select id as account_id, name from account
           where disabled_at is null and role = any(%s) order by name""",
        [list(READERS)],
    )
    return [Member(**row) for row in await cursor.fetchall()]


async def of_account(connection: Connection, account_id: UUID) -> list[UUID]:
    """The groups that an account is in."""
    cursor = await connection.execute(
        "select group_id from group_member where account_id = %s", [account_id]
    )
    return [row["group_id"] for row in await cursor.fetchall()]


async def set_group(
    connection: Connection,
    establishment_id: UUID,
    name: str,
    accounts: list[UUID],
    group_id: UUID | None = None,
) -> UUID:
    """Make a group, or change one's name and members; those who stay keep their turn.

    Raises NotFoundError for a group or an account that is not there, ConflictError when another
    group has the name.
    """
    try:
        if group_id is None:
            cursor = await connection.execute(
                """insert into pathologist_group (establishment_id, name) values (%s, %s)
                   returning id""",
                [establishment_id, name],
            )
        else:
            cursor = await connection.execute(
                "update pathologist_group set name = %s where id = %s returning id",
                [name, group_id],
            )
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError("Another group has this name.") from error
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such group.")
    made: UUID = row["id"]
    cursor = await connection.execute("select id from account where id = any(%s)", [accounts])
    if len(await cursor.fetchall()) != len(set(accounts)):
        raise NotFoundError("There is no such account.")
    await connection.execute(
        "delete from group_member where group_id = %s and account_id <> all(%s)", [made, accounts]
    )
    await connection.execute(
        """insert into group_member (group_id, account_id, establishment_id)
           select %s, unnest(%s::uuid[]), %s on conflict do nothing""",
        [made, accounts, establishment_id],
    )
    return made


async def set_number(
    connection: Connection, establishment_id: UUID, account_id: UUID, number: str | None
) -> None:
    """By which number (RPPS) the laboratory names an account's pathologist; None: by none.

    Raises NotFoundError for an account that is not there, ConflictError when another has it.
    """
    cursor = await connection.execute("select id from account where id = %s", [account_id])
    if await cursor.fetchone() is None:
        raise NotFoundError("There is no such account.")
    await connection.execute("delete from professional where account_id = %s", [account_id])
    if number is None:
        return
    try:
        await connection.execute(
            "insert into professional (account_id, establishment_id, number) values (%s, %s, %s)",
            [account_id, establishment_id, number],
        )
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError("Another account has this number.") from error
