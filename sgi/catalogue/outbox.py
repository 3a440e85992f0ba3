"""What is to be told to the laboratory, put in the transaction of what it tells.

A subject says what: of LAB-104 `available <glass> <slide>` or `removed <glass> <slide>`; of LAB-101
`<case> <state>`; of LAB-102 `<work order>`; of ORU `<case>`: all ids are those of the rows here.
The functions `image`, `case`, `work_order` and `link` write them; the message itself is made when
it is first sent, from the rows as they are then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.case import CaseState
from sgi.domain.interface import STOPPED, NoticeKind, NoticeState

_HOLDS_UP = timedelta(minutes=10)
"""How long an image whose instances do not say yet whose they are holds up the rest of its case."""
_UNTOLD = "The slide's files do not say yet whose they are."
_AVAILABLE = "available"
_REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Notice:
    """One row."""

    id: UUID
    establishment_id: UUID
    interface: str
    kind: NoticeKind
    subject: str
    case_id: UUID | None
    created_at: datetime
    next_try_at: datetime
    attempts: int
    state: NoticeState
    control_id: str | None
    message_id: UUID | None
    last_error: str | None


def _notice(row: dict[str, Any]) -> Notice:
    return Notice(
        id=row["id"],
        establishment_id=row["establishment_id"],
        interface=row["interface"],
        kind=NoticeKind(row["kind"]),
        subject=row["subject"],
        case_id=row["case_id"],
        created_at=row["created_at"],
        next_try_at=row["next_try_at"],
        attempts=row["attempts"],
        state=NoticeState(row["state"]),
        control_id=row["control_id"],
        message_id=row["message_id"],
        last_error=row["last_error"],
    )


def image_subject(glass_id: UUID, slide_id: UUID, *, available: bool) -> str:
    """Of a LAB-104."""
    return f"{_AVAILABLE if available else _REMOVED} {glass_id} {slide_id}"


def parse_image_subject(subject: str) -> tuple[bool, UUID, UUID]:
    """Whether the image is available, the glass, the slide."""
    word, glass, slide = subject.split(" ")
    return word == _AVAILABLE, UUID(glass), UUID(slide)


async def image(
    connection: Connection,
    establishment_id: UUID,
    glass_id: UUID,
    slide_id: UUID,
    *,
    available: bool,
) -> None:
    """LAB-104: after a slide was attached to a glass (True), or is not its image any more."""
    subject = image_subject(glass_id, slide_id, available=available)
    await put(connection, establishment_id, NoticeKind.IMAGE, subject)


async def case(
    connection: Connection, establishment_id: UUID, case_id: UUID, state: CaseState
) -> None:
    """LAB-101: after a case changed its state here (never because a message of LAB-101 said so).

    Of one that became ready, its link too, for those who want that.
    """
    await put(connection, establishment_id, NoticeKind.CASE, f"{case_id} {state}")
    if state is CaseState.READY:
        await link(connection, establishment_id, case_id)


async def work_order(connection: Connection, establishment_id: UUID, work_order_id: UUID) -> None:
    """LAB-102: after a recut, a stain or a new scan was asked for."""
    await put(connection, establishment_id, NoticeKind.WORK_ORDER, str(work_order_id))


async def link(connection: Connection, establishment_id: UUID, case_id: UUID) -> None:
    """ORU: a case can be looked at."""
    await put(connection, establishment_id, NoticeKind.LINK, str(case_id))


async def put(
    connection: Connection,
    establishment_id: UUID,
    kind: NoticeKind | str,
    subject: str,
    interface: str | None = None,
) -> int:
    """Have something told by every interface that sends such notices, or by one of them.

    Nothing is put where no interface sends them, nor where the last word on it is the same and
    has not gone out yet. Returns how many notices were put.
    """
    cursor = await connection.execute(
        _PUT,
        {
            "establishment_id": establishment_id,
            "kind": str(kind),
            "subject": subject,
            "interface": interface,
            "about": subject.split(" ")[1 if kind == NoticeKind.IMAGE else 0],
        },
    )
    return cursor.rowcount


_PUT = """
insert into outbox (establishment_id, interface, kind, subject, case_id)
select %(establishment_id)s, i.name, %(kind)s, %(subject)s,
       case %(kind)s
           when 'LAB-104' then (select case_id from glass where id = %(about)s::uuid)
           when 'LAB-102' then (select case_id from work_order where id = %(about)s::uuid)
           else %(about)s::uuid
       end
from interface i
where i.establishment_id = %(establishment_id)s and %(kind)s = any(i.sends)
  and (%(interface)s::text is null or i.name = %(interface)s)
  and not exists (
      select from outbox same
      where same.establishment_id = %(establishment_id)s and same.kind = %(kind)s
        and same.subject = %(subject)s and same.interface = i.name
        and same.state = 'waiting' and same.attempts = 0
        and not exists (
            select from outbox later
            where later.establishment_id = %(establishment_id)s and later.kind = %(kind)s
              and later.interface = i.name and later.number > same.number
              and later.case_id is not distinct from same.case_id
              and position(%(about)s::text in later.subject) > 0
              and later.state in ('waiting', 'sent')))
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a slide's instances say of themselves now."""

    glass_id: UUID | None
    study_uid: str
    series_uid: str


async def told_of(connection: Connection, slide_id: UUID) -> Told | None:
    """None for a slide that is not there any more."""
    cursor = await connection.execute(
        """select glass_id, coalesce(told_study_uid, study_uid) as study_uid,
               coalesce(told_series_uid, series_uid) as series_uid
           from slide where id = %s""",
        [slide_id],
    )
    row = await cursor.fetchone()
    return None if row is None else Told(**row)


async def claim(connection: Connection, interface: str, answer_within: timedelta) -> Notice | None:
    """The next notice to send: the oldest that is due and no older one of its case is open.

    An image is told of once its instances say whose they are, by the UIDs that they have then. What
    waits for that longer than usual says so, and holds up only what is of the same slide.
    It counts as sent from now on; without an answer it is due again after `answer_within`.
    """
    cursor = await connection.execute(
        f"""update outbox set state = 'sent', attempts = attempts + 1,
               next_try_at = clock_timestamp() + %(within)s
           where id = (
               select o.id from outbox o
               where o.interface = %(interface)s and o.state in ('waiting', 'sent')
                 and o.next_try_at <= clock_timestamp()
                 and (o.case_id is null or not exists (
                     select from outbox older
                     where older.establishment_id = o.establishment_id
                       and older.interface = o.interface and older.case_id = o.case_id
                       and older.number < o.number and older.state in ('waiting', 'sent')
                       and not (older.created_at < clock_timestamp() - %(holds_up)s
                           and split_part(older.subject, ' ', 3) <> split_part(o.subject, ' ', 3)
                           and {_untold("older")})))
                 and not {_untold("o")}
               order by o.number limit 1 for update skip locked)
           returning *""",  # noqa: S608 - our own text
        {"interface": interface, "within": answer_within, "holds_up": _HOLDS_UP},
    )
    row = await cursor.fetchone()
    if row is None:
        await _say_what_waits(connection, interface)
        return None
    return _notice(row)


def _untold(row: str) -> str:
    """Whether a notice is of an image whose instances do not say yet whose they are."""
    return f"""({row}.kind = 'LAB-104' and {row}.message_id is null
        and split_part({row}.subject, ' ', 1) = 'available'
        and exists (select from identity_due d
            where d.slide_id = split_part({row}.subject, ' ', 3)::uuid))"""


async def _say_what_waits(connection: Connection, interface: str) -> None:
    """Why an image is not told of after a while: a person may see to it."""
    await connection.execute(
        f"""update outbox o set last_error = %(words)s
            where o.interface = %(interface)s and o.state = 'waiting'
              and o.created_at < clock_timestamp() - %(holds_up)s
              and o.last_error is distinct from %(words)s and {_untold("o")}""",  # noqa: S608
        {"interface": interface, "words": _UNTOLD, "holds_up": _HOLDS_UP},
    )


async def next_due_at(connection: Connection, interface: str) -> datetime | None:
    """When the next notice is to be sent; None where none waits."""
    cursor = await connection.execute(
        """select min(next_try_at) as at from outbox
           where interface = %s and state in ('waiting', 'sent')""",
        [interface],
    )
    row = await cursor.fetchone()
    return None if row is None else row["at"]


async def set_message(
    connection: Connection, notice_id: UUID, control_id: str, message_id: UUID
) -> None:
    """What is sent for it, at this try and every later one."""
    await connection.execute(
        "update outbox set control_id = %s, message_id = %s where id = %s",
        [control_id, message_id, notice_id],
    )


async def end(
    connection: Connection, notice_id: UUID, state: NoticeState, error: str | None = None
) -> bool:
    """Accepted, refused, dead or given up; False when it had ended."""
    cursor = await connection.execute(
        """update outbox set state = %s, last_error = %s, ended_at = now()
           where id = %s and state in ('waiting', 'sent')""",
        [state, error, notice_id],
    )
    return cursor.rowcount == 1


async def refuse_after_all(connection: Connection, notice_id: UUID, error: str | None) -> bool:
    """One that counted as accepted is refused; False for any other."""
    cursor = await connection.execute(
        """update outbox set state = 'refused', last_error = %s, ended_at = now()
           where id = %s and state = 'accepted'""",
        [error, notice_id],
    )
    return cursor.rowcount == 1


async def try_later(
    connection: Connection,
    notice_id: UUID,
    pause: timedelta,
    error: str | None,
    *,
    counts: bool = True,
) -> None:
    """It waits again: the other side was away, or asked for it to be sent later.

    `counts` is False for a try that brought it nowhere.
    """
    await connection.execute(
        """update outbox set state = 'waiting', last_error = %s,
               next_try_at = clock_timestamp() + %s, attempts = attempts - %s
           where id = %s and state = 'sent'""",
        [error, pause, 0 if counts else 1, notice_id],
    )


async def retry(connection: Connection, notice_id: UUID) -> bool:
    """A person has it told again, as a new message; False where nothing stopped it.

    One that waits for its next try is due at once.
    """
    cursor = await connection.execute(
        """update outbox set
               message_id = case when state = 'waiting' then message_id end,
               control_id = case when state = 'waiting' then control_id end,
               attempts = case when state = 'waiting' then attempts else 0 end,
               state = 'waiting', next_try_at = clock_timestamp(), ended_at = null
           where id = %s and state in ('waiting', 'refused', 'dead')""",
        [notice_id],
    )
    return cursor.rowcount == 1


async def give_up(connection: Connection, notice_id: UUID) -> bool:
    """A person says that it is not to be told; False where that is too late."""
    cursor = await connection.execute(
        """update outbox set state = 'given_up', ended_at = now()
           where id = %s and state in ('waiting', 'refused', 'dead')""",
        [notice_id],
    )
    return cursor.rowcount == 1


async def by_id(connection: Connection, notice_id: UUID) -> Notice | None:
    cursor = await connection.execute("select * from outbox where id = %s", [notice_id])
    row = await cursor.fetchone()
    return None if row is None else _notice(row)


async def of_control_id(connection: Connection, control_id: str) -> Notice | None:
    """The notice that went out under a control id, and still waits for its answer, or was accepted:
    what took it on may turn it down later.
    """
    cursor = await connection.execute(
        """select * from outbox where control_id = %s and state in ('waiting', 'sent', 'accepted')
           order by number desc limit 1""",
        [control_id],
    )
    row = await cursor.fetchone()
    return None if row is None else _notice(row)


async def unsettled(connection: Connection, interface: str | None, limit: int) -> list[Notice]:
    """What waits and what stopped; the stopped first, then the oldest."""
    cursor = await connection.execute(
        """select * from outbox
           where state in ('waiting', 'sent', 'refused', 'dead')
             and (%(interface)s::text is null or interface = %(interface)s)
           order by state <> all(%(stopped)s), number limit %(limit)s""",
        {"interface": interface, "stopped": list(STOPPED), "limit": limit},
    )
    return [_notice(row) for row in await cursor.fetchall()]
