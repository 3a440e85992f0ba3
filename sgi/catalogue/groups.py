"""Groups of pathologists, and the numbers by which the laboratory knows them."""

from dataclasses import dataclass
from uuid import UUID

import psycopg

from sgi.catalogue import case_history
from sgi.catalogue.case_history import Author, Happening
from sgi.catalogue.database import Connection
from sgi.domain.account import GRANTS, Permission
from sgi.errors import InUseError, NotFoundError, TakenError

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
    """By name, with those members who may read cases now."""
    cursor = await connection.execute(
        """select g.id, g.name, m.account_id, a.name as account_name
           from pathologist_group g
               left join group_member m on m.group_id = g.id
               left join account a on a.id = m.account_id and a.disabled_at is null
                   and a.role = any(%s)
           where g.removed_at is null
           order by g.name, a.name""",
        [list(READERS)],
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

    Raises NotFoundError for a group that is not there and for an account that does not read cases,
    TakenError when another group has the name.
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
                """update pathologist_group set name = %s where id = %s and removed_at is null
                   returning id""",
                [name, group_id],
            )
    except psycopg.errors.UniqueViolation as error:
        raise TakenError("Another group has this name.") from error
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such group.")
    made: UUID = row["id"]
    cursor = await connection.execute(
        "select id from account where id = any(%s) and disabled_at is null and role = any(%s)",
        [accounts, list(READERS)],
    )
    if len(await cursor.fetchall()) != len(set(accounts)):
        raise NotFoundError("There is no such account that reads cases.")
    await connection.execute(
        "delete from group_member where group_id = %s and account_id <> all(%s)", [made, accounts]
    )
    await connection.execute(
        """insert into group_member (group_id, account_id, establishment_id)
           select %s, unnest(%s::uuid[]), %s on conflict do nothing""",
        [made, accounts, establishment_id],
    )
    return made


async def remove_group(connection: Connection, group_id: UUID, author: Author) -> None:
    """Its open cases are nobody's then, unless they are an account's; closed ones remember it.

    Raises NotFoundError for a group that is not there, InUseError while a rule gives to it.
    """
    cursor = await connection.execute(
        "select name from pathologist_group where id = %s and removed_at is null for update",
        [group_id],
    )
    group = await cursor.fetchone()
    if group is None:
        raise NotFoundError("There is no such group.")
    cursor = await connection.execute(
        "select 1 from assignment_rule where group_id = %s limit 1", [group_id]
    )
    if await cursor.fetchone() is not None:
        raise InUseError("A rule gives cases to the group; change the rule first.")
    cursor = await connection.execute(
        """update lab_case set group_id = null where group_id = %s and open
           returning id, account_id is null as lost""",
        [group_id],
    )
    for row in await cursor.fetchall():
        if row["lost"]:
            await case_history.add(
                connection, row["id"], Happening.ASSIGNED, author, before=group["name"]
            )
    await connection.execute("delete from group_member where group_id = %s", [group_id])
    await connection.execute(
        "update pathologist_group set removed_at = now() where id = %s", [group_id]
    )


async def number_of(connection: Connection, account_id: UUID) -> str | None:
    """By which number the laboratory names an account's pathologist; None: by none."""
    cursor = await connection.execute(
        "select number from professional where account_id = %s", [account_id]
    )
    row = await cursor.fetchone()
    return None if row is None else str(row["number"])


async def set_number(
    connection: Connection, establishment_id: UUID, account_id: UUID, number: str | None
) -> None:
    """By which number (RPPS) the laboratory names an account's pathologist; None: by none.

    Raises NotFoundError for an account that is not there, TakenError when another has it.
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
        raise TakenError("Another account has this number.") from error
