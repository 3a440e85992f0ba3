"""Where cases stand: moved on by people, messages and images, with every step kept."""

from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue import case_history, outbox
from sgi.catalogue.case_history import SYSTEM, Author, Happening
from sgi.catalogue.database import Connection
from sgi.domain.case import (
    OPEN,
    UNREAD,
    CaseEvent,
    CaseState,
    state_after,
    state_by_images,
)
from sgi.errors import ConflictError, IncompleteCaseError, NotFoundError

LOCKED: LiteralString = (
    "select c.*, exists (select from assignment_rule) as is_ruled from lab_case c"
)
"""A case, to be locked; `is_ruled` where any rule may say whose it is."""
Held = dict[UUID, dict[str, Any]]
"""Cases that this transaction has locked already, by their rows as they are now."""
STATE_SAID = "state"
"""In `times`: when the state that the laboratory said last, or a reopening here, was true."""
FINAL_SAID = "final"
"""In `times`: when the laboratory said that its report is final; absent once taken back."""
_LEAVE_REMOVED = """
    update lab_case c set group_id = null from pathologist_group g
    where c.id = %s and g.id = c.group_id and g.removed_at is not null"""
"""A group that is not there any more would have the case in nobody's list."""
_REOPENED = """
update lab_case set times = (times - %(final)s::text)
    || jsonb_build_object('state', to_char(now() at time zone 'utc',
        'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'))
where id = %(case)s
"""
_UNBEGUN = "Nobody is reading the case; begin it first."
_STANDS = {
    **dict.fromkeys(UNREAD, _UNBEGUN),
    CaseState.READING: "The case is being read already; reload the page.",
    CaseState.REPORTED: "The case is being read, and has a report that is not final; reload it.",
    CaseState.SIGNED_OUT: "The case is signed out; reopen it first.",
    CaseState.CANCELLED: "The laboratory has cancelled the case; only the laboratory restores it.",
}
"""Why something cannot be done with a case, by its state."""
_TOLD = frozenset({CaseState.READY, CaseState.READING, CaseState.SIGNED_OUT})
"""States that the laboratory is told of, when they come about here."""


async def advance(
    connection: Connection,
    case_id: UUID,
    event: CaseEvent,
    author: Author = SYSTEM,
    *,
    why: str | None = None,
) -> CaseState:
    """Move a case on by the rules, and keep who did it; returns its state.

    The laboratory is told of what an account did. Raises NotFoundError, ConflictError where the
    event cannot happen in the case's state, and IncompleteCaseError for one that a person signs out
    without a word while something of it is missing.
    """
    row = await locked(connection, case_id)
    before = CaseState(row["state"])
    after = state_after(before, event)
    if after is None:
        raise ConflictError(_STANDS[before])
    if event is CaseEvent.SIGN_OUT and why is None:
        _require_whole(row)
    await _enter(connection, case_id, before, after, author, why)
    if event in {CaseEvent.REOPEN, CaseEvent.RESTORE}:
        await connection.execute(_LEAVE_REMOVED, [case_id])
    if event is CaseEvent.REOPEN and author.source is None:
        await connection.execute(_REOPENED, {"case": case_id, "final": FINAL_SAID})
    if after in UNREAD:
        await reassess(connection, case_id)
    return CaseState((await locked(connection, case_id))["state"])


async def follow_final(
    connection: Connection, case_id: UUID, said_at: datetime, author: Author
) -> None:
    """The laboratory said at `said_at` that its report is final.

    Where it, or a person here, took that back since, the case is one that was begun again.
    """
    row = await locked(connection, case_id)
    times: dict[str, str] = row["times"]
    state = CaseState(row["state"])
    if STATE_SAID in times and datetime.fromisoformat(times[STATE_SAID]) > said_at:
        if state in UNREAD:
            await advance(connection, case_id, CaseEvent.BEGIN, author)
        return
    at = said_at.isoformat()
    await connection.execute(
        "update lab_case set times = times || %s where id = %s",
        [Jsonb({STATE_SAID: at, FINAL_SAID: at}), case_id],
    )
    if state_after(state, CaseEvent.FINAL) not in (None, state):
        await advance(connection, case_id, CaseEvent.FINAL, author)


async def reassess(connection: Connection, case: UUID | dict[str, Any]) -> bool:
    """Count what the case is made of anew, and what its images make of its state.

    To be called after an image or a slide came or went; with the case's row where that is `locked`
    already, and nothing of it has changed since. True when it became ready by this.
    """
    row = await locked(connection, case) if isinstance(case, UUID) else case
    case_id: UUID = row["id"]
    if row["orders"] or row["rescans"]:
        await connection.execute(_DONE, {"case": case_id})
    cursor = await connection.execute(_COUNT, {"case": case_id})
    counted = await cursor.fetchone()
    if counted is None:
        return False
    before = CaseState(row["state"])
    after = state_by_images(before, counted["expected"], counted["scanned"], counted["rescans"])
    await _enter(connection, case_id, before, after, SYSTEM, None)
    return after is CaseState.READY and before is not after


_DONE = """
update work_order w set state = 'done', state_at = now()
from glass g
where w.case_id = %(case)s and w.state in ('asked', 'accepted') and g.id = w.glass_id
  and case when w.kind = 'rescan' then g.rescan_asked_at is null
      else exists (select from slide s where s.glass_id = g.id) end
"""

_COUNT = """
with glasses as (
    select g.*, exists (select from slide s where s.glass_id = g.id) as has_image
    from glass g where g.case_id = %(case)s and g.cancelled_at is null),
counted as (
    select count(*) filter (where to_be_scanned) as expected,
           count(*) filter (where to_be_scanned and has_image) as scanned,
           count(*) filter (where rescan_asked_at is not null) as rescans
    from glasses),
told as (
    select
        array(select distinct left(organ, 120) from specimen s,
            coalesce(s.said -> 'site' ->> 'text', s.said -> 'site' ->> 'code',
                s.said ->> 'description') organ
            where s.case_id = %(case)s and s.cancelled_at is null and organ <> ''
            order by 1 limit 20) as organs,
        array(select distinct left(coalesce(stain ->> 'text', stain ->> 'code'), 120)
            from glasses g, jsonb_array_elements(
                case when g.stains <> '[]' then g.stains
                     when g.technique is not null then jsonb_build_array(g.technique)
                     else '[]' end) stain
            order by 1 limit 40) as stains,
        (select count(*) from work_order
            where case_id = %(case)s and state in ('asked', 'accepted') and kind <> 'rescan')
            as orders)
update lab_case c set expected = counted.expected, scanned = counted.scanned,
    rescans = counted.rescans, organs = told.organs, stains = told.stains, orders = told.orders
from counted, told where c.id = %(case)s
returning c.expected, c.scanned, c.rescans
"""


async def hold(connection: Connection, case_id: UUID, author: Author, reason: str | None) -> None:
    """Put an open case aside with a reason, or (None) take it up again.

    Raises NotFoundError, and ConflictError where that is so already, or the case is closed.
    """
    row = await locked(connection, case_id)
    state = CaseState(row["state"])
    if state not in OPEN:
        raise ConflictError(_STANDS[state])
    if row["held_at"] is None and reason is None:
        raise ConflictError("The case is not put aside; reload the page.")
    if row["held_at"] is not None and reason is not None:
        raise ConflictError("The case is put aside already, with a reason; take it up again first.")
    await connection.execute(
        """update lab_case set hold_reason = %(reason)s,
               held_at = case when %(reason)s::text is not null then now() end
           where id = %(case)s""",
        {"reason": reason, "case": case_id},
    )
    kind = Happening.RESUMED if reason is None else Happening.HELD
    await case_history.add(connection, case_id, kind, author, why=reason)


def _require_whole(row: dict[str, Any]) -> None:
    unscanned = max(0, row["expected"] - row["scanned"])
    if unscanned or row["rescans"] or row["orders"]:
        raise IncompleteCaseError(
            "Something of the case is missing, and nobody says why it is signed out.",
            unscanned=unscanned,
            rescans=row["rescans"],
            orders=row["orders"],
        )


async def locked(connection: Connection, case_id: UUID) -> dict[str, Any]:
    """The case's row, which nobody else changes until this transaction ends.

    Raises NotFoundError.
    """
    cursor = await connection.execute(f"{LOCKED} where c.id = %s for no key update of c", [case_id])
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such case.")
    return row


async def _enter(
    connection: Connection,
    case_id: UUID,
    before: CaseState,
    after: CaseState,
    author: Author,
    why: str | None,
) -> None:
    if after is before:
        return
    await connection.execute(
        """update lab_case set state = %(state)s, state_at = now(),
               ready_at = case when %(state)s = 'ready' then coalesce(ready_at, now())
                   else ready_at end,
               signed_out_at = case when %(state)s = 'signed_out' then now() end,
               held_at = case when %(open)s then held_at end,
               hold_reason = case when %(open)s then hold_reason end
           where id = %(case)s""",
        {"state": after, "open": after in OPEN, "case": case_id},
    )
    await case_history.add(
        connection, case_id, Happening.STATE, author, before=before, after=after, why=why
    )
    if after in _TOLD and author.source is None:
        cursor = await connection.execute(
            "select establishment_id from lab_case where id = %s", [case_id]
        )
        row = await cursor.fetchone()
        if row is not None:
            await outbox.case(connection, row["establishment_id"], case_id, after)
