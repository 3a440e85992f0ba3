"""Whose turn it is: which notices of an interface go out next, in order where that matters.

Those of one case are sent one after the other, and those of one glass or slide, whatever case that
was of when each was put: the laboratory keeps the last word.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.outbox import Notice, notice_of, try_later, turns_of

_HOLDS_UP = timedelta(minutes=10)
"""How long an image whose instances do not say yet whose they are holds up the rest of its case."""
_UNTOLD = "The slide's files do not say yet whose they are."
_LOOKED_AT = 500
"""Open notices, oldest first, among which turns are found at once; behind so many that all wait,
the next is looked for one by one."""


@dataclass(frozen=True, slots=True)
class _Turn:
    """An open notice, and what it is about."""

    id: UUID
    of: frozenset[UUID]


def _turn(row: dict[str, Any]) -> _Turn:
    return _Turn(row["id"], turns_of(row["case_id"], row["glass_id"], row["slide_id"]))


async def claim(
    connection: Connection, interface: str, answer_within: timedelta, most: int = 1
) -> list[Notice]:
    """The next notices to send, in order: the oldest that are due, each with no older one of its
    case, glass or slide open but those before it here.

    Whoever sends them stops with those that share turns with one that is not answered for good. An
    image is told of once its instances say whose they are, by the UIDs that they have then. What
    waits for that longer than usual says so, and holds up only what is of the same slide.
    They count as sent from now on; without an answer they are due again after `answer_within`.
    """
    cursor = await connection.execute(
        f"""select o.id, o.case_id, o.glass_id, o.slide_id,
                o.next_try_at <= clock_timestamp() and not {_untold("o")} as is_ready,
                o.created_at < clock_timestamp() - %(holds_up)s and {_untold("o")} as lets_by
            from outbox o where o.interface = %(interface)s and o.state in ('waiting', 'sent')
            order by o.number limit %(looked_at)s""",  # noqa: S608 - our own text
        {"interface": interface, "holds_up": _HOLDS_UP, "looked_at": _LOOKED_AT},
    )
    rows = await cursor.fetchall()
    wanted = in_turn(rows)
    if not wanted and len(rows) == _LOOKED_AT:
        wanted = await _first_behind(connection, interface)
    found = await _take(connection, wanted, answer_within, most)
    if not found:
        await _say_what_waits(connection, interface)
    return found


def in_turn(rows: Iterable[dict[str, Any]]) -> list[_Turn]:
    """Those that may go out, of open notices in their order."""
    held: set[UUID] = set()
    found: list[_Turn] = []
    for row in rows:
        turn = _turn(row)
        if row["is_ready"] and held.isdisjoint(turn.of):
            found.append(turn)
        elif row["lets_by"]:
            held.add(row["slide_id"])
        else:
            held |= turn.of
    return found


async def _first_behind(connection: Connection, interface: str) -> list[_Turn]:
    """The oldest that is due and free, however many wait before it: read once, and not once for
    each of them.
    """
    due = "next_try_at <= clock_timestamp()"
    cursor = await connection.execute(
        f"""with looked_at as materialized (
                select id, number, case_id, glass_id, slide_id, next_try_at, created_at,
                    {_untold("o")} as is_untold from outbox o
                where interface = %(interface)s and state in ('waiting', 'sent') and exists (
                    select from outbox where interface = %(interface)s
                        and state in ('waiting', 'sent') and {due})),
            holding as (
                select *, min(number) filter (where not lets_by) over of_case as first_of_case,
                    min(number) filter (where not lets_by) over of_glass as first_of_glass,
                    min(number) over of_slide as first_of_slide
                from (select *, is_untold and created_at < clock_timestamp() - %(holds_up)s
                          as lets_by from looked_at) as told
                window of_case as (partition by case_id), of_glass as (partition by glass_id),
                    of_slide as (partition by slide_id))
            select id, case_id, glass_id, slide_id from holding
            where {due} and not is_untold
              and (case_id is null or number <= coalesce(first_of_case, number))
              and (glass_id is null or number <= coalesce(first_of_glass, number))
              and (slide_id is null or number <= first_of_slide)
            order by number limit 1""",  # noqa: S608 - our own text
        {"interface": interface, "holds_up": _HOLDS_UP},
    )
    return [_turn(row) for row in await cursor.fetchall()]


async def _take(
    connection: Connection,
    wanted: Sequence[_Turn],
    answer_within: timedelta,
    most: int,
) -> list[Notice]:
    """The first that nobody else has taken meanwhile, nor one that comes before them."""
    if not wanted:
        return []
    cursor = await connection.execute(
        """with free as (
               select id from outbox
               where id = any(%(ids)s) and state in ('waiting', 'sent')
                 and next_try_at <= clock_timestamp()
               order by number limit %(most)s for update skip locked)
           update outbox o set state = 'sent', attempts = attempts + 1,
               next_try_at = clock_timestamp() + %(within)s
           from free where o.id = free.id returning o.*""",
        {
            "ids": [turn.id for turn in wanted],
            "within": answer_within,
            "most": most,
        },
    )
    taken = {row["id"]: notice_of(row) for row in await cursor.fetchall()}
    found, others = [], set[UUID]()
    for turn in wanted:
        notice = taken.get(turn.id)
        if notice is not None and others.isdisjoint(turn.of):
            found.append(notice)
            continue
        others |= turn.of
        if notice is not None:
            await try_later(connection, turn.id, timedelta(), None, counts=False)
    return found


def _untold(row: str) -> str:
    """Whether a notice is of an image whose instances do not say yet whose they are."""
    return f"""({row}.kind = 'LAB-104' and {row}.message_id is null
        and {row}.is_available
        and exists (select from identity_due d where d.slide_id = {row}.slide_id))"""


def waits_here(row: str) -> str:
    """Whether a notice, or an older one of its glass, waits for something other than the other
    side's answer: what the laboratory has still to say of the slide, or what its files do.
    """
    return f"""({_waits_itself(row)} or ({row}.message_id is null and exists (
        select from outbox held
        where held.establishment_id = {row}.establishment_id and held.interface = {row}.interface
          and held.glass_id = {row}.glass_id and held.number < {row}.number
          and {_waits_itself("held")})))"""


def _waits_itself(row: str) -> str:
    return f"""({row}.state = 'waiting' and {row}.message_id is null
        and ({row}.last_error is not null or {_untold(row)}))"""


async def _say_what_waits(connection: Connection, interface: str) -> None:
    """Why an image is not told of after a while: a person may see to it."""
    await connection.execute(
        f"""update outbox o set last_error = %(words)s
            where o.interface = %(interface)s and o.state = 'waiting'
              and o.created_at < clock_timestamp() - %(holds_up)s
              and o.last_error is distinct from %(words)s and {_untold("o")}""",  # noqa: S608 - `_untold` is given a table's name here
        {"interface": interface, "words": _UNTOLD, "holds_up": _HOLDS_UP},
    )
