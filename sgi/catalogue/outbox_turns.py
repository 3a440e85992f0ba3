"""Whose turn it is: which notices of an interface go out next, those of one case in their order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.outbox import Notice, notice_of, try_later

_HOLDS_UP = timedelta(minutes=10)
"""How long an image whose instances do not say yet whose they are holds up the rest of its case."""
_UNTOLD = "The slide's files do not say yet whose they are."
_LOOKED_AT = 500
"""Open notices, oldest first, among which turns are found at once; behind so many that all wait,
the next is looked for one by one."""


async def claim(
    connection: Connection, interface: str, answer_within: timedelta, most: int = 1
) -> list[Notice]:
    """The next notices to send, in order: the oldest that are due, each with no older one of its
    case open but those before it here.

    Whoever sends them stops with a case where one of its notices is not answered for good. An image
    is told of once its instances say whose they are, by the UIDs that they have then. What waits
    for that longer than usual says so, and holds up only what is of the same slide.
    They count as sent from now on; without an answer they are due again after `answer_within`.
    """
    cursor = await connection.execute(
        f"""select o.id, o.case_id, o.slide_id,
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


@dataclass(slots=True)
class _Case:
    """What holds up the notices of a case that come later."""

    is_held: bool = False
    slides: set[UUID | None] = field(default_factory=set)
    """These alone are held up."""


def in_turn(rows: Iterable[dict[str, Any]]) -> list[tuple[UUID, UUID | None]]:
    """Those that may go out, with their cases, of open notices in their order."""
    cases: dict[UUID | None, _Case] = {}
    found: list[tuple[UUID, UUID | None]] = []
    for row in rows:
        case_id = row["case_id"]
        case = _Case() if case_id is None else cases.setdefault(case_id, _Case())
        is_free = not case.is_held and row["slide_id"] not in case.slides
        if is_free and row["is_ready"]:
            found.append((row["id"], case_id))
        elif row["lets_by"]:
            case.slides.add(row["slide_id"])
        else:
            case.is_held = True
    return found


async def _first_behind(connection: Connection, interface: str) -> list[tuple[UUID, UUID | None]]:
    """The oldest that is due and free, however many wait before it."""
    cursor = await connection.execute(
        f"""select o.id, o.case_id from outbox o
            where o.interface = %(interface)s and o.state in ('waiting', 'sent')
              and o.next_try_at <= clock_timestamp()
              and (o.case_id is null or not exists (
                  select from outbox older
                  where older.establishment_id = o.establishment_id
                    and older.interface = o.interface and older.case_id = o.case_id
                    and older.number < o.number and older.state in ('waiting', 'sent')
                    and not (older.created_at < clock_timestamp() - %(holds_up)s
                        and older.slide_id is distinct from o.slide_id
                        and {_untold("older")})))
              and not {_untold("o")}
            order by o.number limit 1""",  # noqa: S608 - our own text
        {"interface": interface, "holds_up": _HOLDS_UP},
    )
    return [(row["id"], row["case_id"]) for row in await cursor.fetchall()]


async def _take(
    connection: Connection,
    wanted: Sequence[tuple[UUID, UUID | None]],
    answer_within: timedelta,
    most: int,
) -> list[Notice]:
    """The first that nobody else has taken meanwhile, nor one of the same case before them."""
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
            "ids": [notice_id for notice_id, _ in wanted],
            "within": answer_within,
            "most": most,
        },
    )
    taken = {row["id"]: notice_of(row) for row in await cursor.fetchall()}
    found, others = [], set[UUID | None]()
    for notice_id, case_id in wanted:
        notice = taken.get(notice_id)
        if notice is None:
            others.add(case_id)
        elif case_id is not None and case_id in others:
            await try_later(connection, notice_id, timedelta(), None, counts=False)
        else:
            found.append(notice)
    return found


def _untold(row: str) -> str:
    """Whether a notice is of an image whose instances do not say yet whose they are."""
    return f"""({row}.kind = 'LAB-104' and {row}.message_id is null
        and {row}.is_available
        and exists (select from identity_due d where d.slide_id = {row}.slide_id))"""


async def _say_what_waits(connection: Connection, interface: str) -> None:
    """Why an image is not told of after a while: a person may see to it."""
    await connection.execute(
        f"""update outbox o set last_error = %(words)s
            where o.interface = %(interface)s and o.state = 'waiting'
              and o.created_at < clock_timestamp() - %(holds_up)s
              and o.last_error is distinct from %(words)s and {_untold("o")}""",  # noqa: S608 - `_untold` is given a table's name here
        {"interface": interface, "words": _UNTOLD, "holds_up": _HOLDS_UP},
    )
