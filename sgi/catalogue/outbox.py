"""What is to be told to the laboratory, put in the transaction of what it tells.

The functions `image`, `case`, `work_order` and `link` say what; the message itself is made when it
is first sent, from the rows as they are then.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.case import CaseState
from sgi.domain.interface import STOPPED, NoticeKind, NoticeState


@dataclass(frozen=True, slots=True)
class Subject:
    """What is told, by the ids of the rows here."""

    kind: NoticeKind
    case_id: UUID | None = None
    """Of LAB-101 and ORU; those of one case are sent one after the other."""
    case_state: CaseState | None = None
    """Of LAB-101."""
    glass_id: UUID | None = None
    """Of LAB-104, with the next two."""
    slide_id: UUID | None = None
    is_available: bool | None = None
    """False where it is not the glass's image any more."""
    work_order_id: UUID | None = None
    """Of LAB-102."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Subject):
    """One row; of LAB-104 and LAB-102, the case is what it was when it was put."""

    id: UUID
    establishment_id: UUID
    interface: str
    created_at: datetime
    next_try_at: datetime
    attempts: int
    state: NoticeState
    control_id: str | None
    message_id: UUID | None
    last_error: str | None

    @property
    def turns(self) -> frozenset[UUID]:
        """Its case, glass and slide: of notices that share one, the older goes out first."""
        return turns_of(self.case_id, self.glass_id, self.slide_id)


def turns_of(*ids: UUID | None) -> frozenset[UUID]:
    """Those that there are."""
    return frozenset(each for each in ids if each is not None)


UNTRUE = "It is not true any more."

_COLUMNS = [field.name for field in fields(Notice)]


def notice_of(row: dict[str, Any]) -> Notice:
    """Of a whole row."""
    values = {name: row[name] for name in _COLUMNS}
    state = values["case_state"]
    return Notice(
        **{
            **values,
            "kind": NoticeKind(values["kind"]),
            "state": NoticeState(values["state"]),
            "case_state": None if state is None else CaseState(state),
        }
    )


async def image(
    connection: Connection,
    establishment_id: UUID,
    glass_id: UUID,
    slide_id: UUID,
    *,
    available: bool,
) -> None:
    """LAB-104: after a slide was attached to a glass (True), or is not its image any more."""
    subject = Subject(
        NoticeKind.IMAGE, glass_id=glass_id, slide_id=slide_id, is_available=available
    )
    await put(connection, establishment_id, subject)


async def case(
    connection: Connection, establishment_id: UUID, case_id: UUID, state: CaseState
) -> None:
    """LAB-101: after a case changed its state here (never because a message of LAB-101 said so).

    Of one that became ready, its link too, for those who want that.
    """
    await put(connection, establishment_id, Subject(NoticeKind.CASE, case_id, state))
    if state is CaseState.READY:
        await link(connection, establishment_id, case_id)


async def work_order(connection: Connection, establishment_id: UUID, work_order_id: UUID) -> None:
    """LAB-102: after a recut, a stain or a new scan was asked for."""
    subject = Subject(NoticeKind.WORK_ORDER, work_order_id=work_order_id)
    await put(connection, establishment_id, subject)


async def link(connection: Connection, establishment_id: UUID, case_id: UUID) -> None:
    """ORU: a case can be looked at."""
    await put(connection, establishment_id, Subject(NoticeKind.LINK, case_id))


async def put(
    connection: Connection,
    establishment_id: UUID,
    subject: Subject,
    interface: str | None = None,
) -> int:
    """Have something told by every interface that sends such notices, or by one of them.

    Nothing is put where no interface sends them, nor where the last word on it is the same and
    no message was made of it yet. Returns how many notices were put.
    """
    about = "glass_id" if subject.kind is NoticeKind.IMAGE else "case_id"
    cursor = await connection.execute(
        _PUT.format(about=about),
        {**asdict(subject), "establishment_id": establishment_id, "interface": interface},
    )
    return cursor.rowcount


_PUT = """
with told as (
    select %(kind)s::text as kind, %(case_state)s::text as case_state,
        %(glass_id)s::uuid as glass_id, %(slide_id)s::uuid as slide_id,
        %(is_available)s::boolean as is_available, %(work_order_id)s::uuid as work_order_id,
        coalesce(%(case_id)s::uuid,
            (select case_id from glass where id = %(glass_id)s),
            (select case_id from work_order where id = %(work_order_id)s)) as case_id)
insert into outbox (establishment_id, interface, kind, case_id, case_state, glass_id, slide_id,
    is_available, work_order_id)
select %(establishment_id)s, i.name, told.kind, told.case_id, told.case_state, told.glass_id,
    told.slide_id, told.is_available, told.work_order_id
from interface i, told
where i.establishment_id = %(establishment_id)s and told.kind = any(i.sends)
  and (%(interface)s::text is null or i.name = %(interface)s)
  and not exists (
      select from outbox same
      where same.establishment_id = %(establishment_id)s and same.kind = told.kind
        and same.{about} = told.{about} and same.interface = i.name
        and (same.case_state, same.slide_id, same.is_available, same.work_order_id)
            is not distinct from
            (told.case_state, told.slide_id, told.is_available, told.work_order_id)
        and same.state = 'waiting' and same.message_id is null
        and not exists (
            select from outbox later
            where later.establishment_id = %(establishment_id)s and later.kind = told.kind
              and later.{about} = told.{about} and later.interface = i.name
              and later.number > same.number
              and later.work_order_id is not distinct from same.work_order_id
              and later.state in ('waiting', 'sent')))
"""


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
        """update outbox set state = 'waiting', last_error = coalesce(%s, last_error),
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


async def forget_work(connection: Connection, work_order_id: UUID) -> None:
    """What has not gone out of a work order that was withdrawn never does, nor does it again.

    What is on its way now is not sent again either: whoever sends it looks at the order first.
    """
    await connection.execute(
        """update outbox set state = 'given_up', last_error = %s, ended_at = now()
           where work_order_id = %s and state in ('waiting', 'refused', 'dead')""",
        [UNTRUE, work_order_id],
    )


async def by_id(connection: Connection, notice_id: UUID) -> Notice | None:
    cursor = await connection.execute("select * from outbox where id = %s", [notice_id])
    row = await cursor.fetchone()
    return None if row is None else notice_of(row)


async def of_control_id(connection: Connection, control_id: str) -> Notice | None:
    """The notice that went out under a control id, and still waits for its answer, or was accepted:
    what took it on may turn it down later. The row is locked: another answer may be on its way.
    """
    cursor = await connection.execute(
        """select * from outbox where control_id = %s and state in ('waiting', 'sent', 'accepted')
           order by number desc limit 1 for update""",
        [control_id],
    )
    row = await cursor.fetchone()
    return None if row is None else notice_of(row)


async def unsettled(connection: Connection, interface: str | None, limit: int) -> list[Notice]:
    """What waits and what stopped; the stopped first, then the oldest."""
    cursor = await connection.execute(
        """select * from outbox
           where state in ('waiting', 'sent', 'refused', 'dead')
             and (%(interface)s::text is null or interface = %(interface)s)
           order by state <> all(%(stopped)s), number limit %(limit)s""",
        {"interface": interface, "stopped": list(STOPPED), "limit": limit},
    )
    return [notice_of(row) for row in await cursor.fetchall()]
