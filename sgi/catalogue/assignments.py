"""Whose a case is: given to a pathologist or a group, in turn, or by the establishment's rules."""

from contextlib import suppress
from typing import Any
from uuid import UUID

from sgi.catalogue import case_history
from sgi.catalogue.case_history import SYSTEM, Author, Happening
from sgi.catalogue.case_states import locked
from sgi.catalogue.database import Connection
from sgi.catalogue.groups import READERS
from sgi.domain.assignment import AssignmentRule, CaseTraits, To, first_that_fits
from sgi.domain.case import OPEN, UNREAD, CaseState, Priority
from sgi.errors import ConflictError, NotFoundError

_BY_WORD = -1
"""In `assigned_rule`: a person or the laboratory said whose the case is; rules keep away."""


async def assign(
    connection: Connection, case_id: UUID, to: To, author: Author, *, rule: int = _BY_WORD
) -> UUID | None:
    """Give an open case to an account, to a group (in turn to each of it where `to.rotate`), or
    (nobody in `to`) take it from whoever has it. Returns the account, if it has one now.

    Raises NotFoundError for an account or group that is not there, ConflictError for a case that
    is closed and for a group whose turn is nobody's, having no members.
    """
    row = await locked(connection, case_id)
    if CaseState(row["state"]) not in OPEN:
        raise ConflictError("The case is closed; reopen it first.")
    account_id = to.account_id
    if to.rotate and to.group_id is not None:
        account_id = await _next_of(connection, to.group_id)
        if account_id is None:
            raise ConflictError("The group has no members.")
    if account_id is not None:
        await _require_reader(connection, account_id)
    before = await _name(connection, row["account_id"], row["group_id"])
    await _require_group(connection, to.group_id)
    after = await _name(connection, account_id, to.group_id)
    await connection.execute(
        """update lab_case set account_id = %s, group_id = %s, assigned_rule = %s
           where id = %s""",
        [account_id, to.group_id, rule, case_id],
    )
    had, has = row["account_id"] or row["group_id"], account_id or to.group_id
    if had == has:  # at most the group changed that somebody's case came from
        return account_id
    what = Happening.ASSIGNED if rule == _BY_WORD else Happening.ASSIGNED_BY_RULE
    await case_history.add(connection, case_id, what, author, before=before, after=after)
    return account_id


async def assign_named(connection: Connection, case_id: UUID, number: str, author: Author) -> None:
    """Give an open case to the account whose number the laboratory says, where one has it."""
    cursor = await connection.execute(
        "select account_id from professional where number = %s", [number]
    )
    known = await cursor.fetchone()
    if known is None or CaseState((await locked(connection, case_id))["state"]) not in OPEN:
        return
    with suppress(NotFoundError):  # of an account that was disabled since
        await assign(connection, case_id, To(account_id=known["account_id"]), author)


async def assign_by_rules(connection: Connection, case_id: UUID) -> None:
    """Give a case that nobody has begun to whom the first rule that fits says; again when more is
    known of it, until a person or the laboratory says whose it is.
    """
    known = await rules(connection)
    if not known:
        return
    row = await locked(connection, case_id)
    if row["assigned_rule"] == _BY_WORD or CaseState(row["state"]) not in UNREAD:
        return
    rule = first_that_fits(known, _traits(row))
    if rule is None or rule.position == row["assigned_rule"]:
        return
    to = rule.to
    if to.rotate and not await members(connection, to.group_id):
        to = To(group_id=to.group_id)
    with suppress(NotFoundError):  # as above: the case waits for a person
        await assign(connection, case_id, to, SYSTEM, rule=rule.position)


async def simulate(
    connection: Connection, proposed: list[AssignmentRule], most: int = 2000
) -> dict[int | None, int]:
    """To how many of the newest cases each proposed rule would have been applied, by position;
    None counts those that none fits. Raises NotFoundError as `set_rules` does.
    """
    await _require_takers(connection, proposed)
    cursor = await connection.execute(
        "select * from lab_case order by received_at desc, id desc limit %s", [most]
    )
    counted: dict[int | None, int] = dict.fromkeys([rule.position for rule in proposed], 0)
    counted[None] = 0
    for row in await cursor.fetchall():
        rule = first_that_fits(proposed, _traits(row))
        counted[None if rule is None else rule.position] += 1
    return counted


async def rules(connection: Connection) -> list[AssignmentRule]:
    """In the order in which they are tried."""
    cursor = await connection.execute("select * from assignment_rule order by position")
    return [
        AssignmentRule(
            position=row["position"],
            organ=row["organ"],
            service=row["service"],
            priority=None if row["priority"] is None else Priority(row["priority"]),
            extemporane=row["extemporane"],
            to=To(row["account_id"], row["group_id"], rotate=row["rotate"]),
        )
        for row in await cursor.fetchall()
    ]


async def set_rules(
    connection: Connection, establishment_id: UUID, said: list[AssignmentRule]
) -> None:
    """Replace all rules; raises NotFoundError for an account or group that is not there."""
    await _require_takers(connection, said)
    await connection.execute(
        "delete from assignment_rule where establishment_id = %s", [establishment_id]
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into assignment_rule (establishment_id, position, organ, service, priority,
                   extemporane, account_id, group_id, rotate)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            [
                [
                    establishment_id,
                    rule.position,
                    rule.organ,
                    rule.service,
                    rule.priority,
                    rule.extemporane,
                    rule.to.account_id,
                    rule.to.group_id,
                    rule.to.rotate,
                ]
                for rule in said
            ],
        )


async def members(connection: Connection, group_id: UUID | None) -> list[UUID]:
    """Accounts of a group that may still sign in."""
    cursor = await connection.execute(
        """select m.account_id from group_member m join account a on a.id = m.account_id
           where m.group_id = %s and a.disabled_at is null and a.role = any(%s) order by a.name""",
        [group_id, list(READERS)],
    )
    return [row["account_id"] for row in await cursor.fetchall()]


async def _next_of(connection: Connection, group_id: UUID) -> UUID | None:
    """Whose turn it is: of those longest without, the first by name. It is theirs by this."""
    await connection.execute(
        "select id from pathologist_group where id = %s for no key update", [group_id]
    )
    cursor = await connection.execute(
        """update group_member set given_at = clock_timestamp()
           where group_id = %(group)s and account_id = (
               select m.account_id from group_member m join account a on a.id = m.account_id
               where m.group_id = %(group)s and a.disabled_at is null and a.role = any(%(roles)s)
               order by m.given_at nulls first, a.name limit 1)
           returning account_id""",
        {"group": group_id, "roles": list(READERS)},
    )
    row = await cursor.fetchone()
    return None if row is None else row["account_id"]


def _traits(row: dict[str, Any]) -> CaseTraits:
    return CaseTraits(
        organs=tuple(row["organs"]),
        service=None if row["service"] is None else row["service"].get("code"),
        priority=Priority(row["priority"]),
        extemporane=row["extemporane"],
    )


async def _require_takers(connection: Connection, said: list[AssignmentRule]) -> None:
    for rule in said:
        await _require_group(connection, rule.to.group_id)
        if rule.to.account_id is not None:
            await _require_reader(connection, rule.to.account_id)


async def _require_group(connection: Connection, group_id: UUID | None) -> None:
    """That it is not removed, until the transaction ends."""
    if group_id is None:
        return
    cursor = await connection.execute(
        "select from pathologist_group where id = %s and removed_at is null for key share",
        [group_id],
    )
    if await cursor.fetchone() is None:
        raise NotFoundError("There is no such account or group.")


async def _require_reader(connection: Connection, account_id: UUID) -> None:
    cursor = await connection.execute(
        "select 1 from account where id = %s and disabled_at is null and role = any(%s)",
        [account_id, list(READERS)],
    )
    if await cursor.fetchone() is None:
        raise NotFoundError("There is no such account that reads cases.")


async def _name(
    connection: Connection, account_id: UUID | None, group_id: UUID | None
) -> str | None:
    """Of an account, else of a group; raises NotFoundError for one that is not there."""
    name: str | None = None
    if group_id is not None:
        name = await _found(
            connection, "select name from pathologist_group where id = %s", group_id
        )
    if account_id is not None:
        name = await _found(connection, "select name from account where id = %s", account_id)
    return name


async def _found(connection: Connection, question: str, wanted: UUID) -> str:
    cursor = await connection.execute(question, [wanted])
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such account or group.")
    return str(row["name"])
