"""New scans that were asked for: ended by the scan that comes, and asked for again if that was not
the glass's.
"""

from uuid import UUID

from sgi.catalogue.database import Connection


async def close(connection: Connection, glass_id: UUID, slide_id: UUID) -> None:
    """The slide, just attached to the glass, is the new scan if it came after the asking."""
    await connection.execute(
        """with ended as (
               select g.id, g.rescan_asked_at, g.rescan_reason, g.rescan_asked_by
               from glass g join slide s on s.id = %(slide)s and s.published_at > g.rescan_asked_at
               where g.id = %(glass)s),
           kept as (
               update attachment a set rescan_asked_at = ended.rescan_asked_at,
                   rescan_reason = ended.rescan_reason, rescan_asked_by = ended.rescan_asked_by
               from ended where a.slide_id = %(slide)s and a.undone_at is null)
           update glass g set rescan_asked_at = null, rescan_reason = null, rescan_asked_by = null
           from ended where g.id = ended.id""",
        {"glass": glass_id, "slide": slide_id},
    )


async def open_again(connection: Connection, glass_id: UUID, slide_id: UUID) -> None:
    """The slide, still attached, is not the new scan after all.

    Another that came after that was asked for is it then. To be called before it is taken away;
    the work order is open again as well.
    """
    cursor = await connection.execute(_HAND_ON, {"glass": glass_id, "slide": slide_id})
    if await cursor.fetchone() is not None:
        return
    cursor = await connection.execute(_OPEN, {"glass": glass_id, "slide": slide_id})
    if await cursor.fetchone() is not None:
        await connection.execute(_ORDER, {"glass": glass_id})


async def withdraw(connection: Connection, glass_id: UUID) -> UUID | None:
    """Nobody waits for a new scan any more; the order that was open, if there was one."""
    await connection.execute(
        """update glass set rescan_asked_at = null, rescan_reason = null, rescan_asked_by = null
           where id = %s""",
        [glass_id],
    )
    cursor = await connection.execute(
        """update work_order set state = 'withdrawn', state_at = now()
           where glass_id = %s and kind = 'rescan' and state in ('asked', 'accepted')
           returning id""",
        [glass_id],
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def answered(connection: Connection, order_id: UUID, *, refused: bool) -> None:
    """The laboratory refuses a new scan, which nobody waits for then, or accepts it after all."""
    await connection.execute(_REFUSED if refused else _ACCEPTED, {"order": order_id})


_REFUSED = """
update glass g set rescan_asked_at = null, rescan_reason = null, rescan_asked_by = null
from work_order w
where w.id = %(order)s and g.id = w.glass_id and not exists (
    select from work_order other
    where other.glass_id = g.id and other.kind = 'rescan' and other.id <> w.id
      and other.state in ('asked', 'accepted'))
"""

_ACCEPTED = """
update glass g set rescan_asked_at = w.asked_at, rescan_reason = w.words,
    rescan_asked_by = w.asked_name
from work_order w
where w.id = %(order)s and g.id = w.glass_id and g.rescan_asked_at is null
  and g.cancelled_at is null
"""

_HAND_ON = """
update attachment other set rescan_asked_at = a.rescan_asked_at, rescan_reason = a.rescan_reason,
    rescan_asked_by = a.rescan_asked_by
from attachment a
where a.slide_id = %(slide)s and a.undone_at is null and a.rescan_asked_at is not null
  and other.id = (
      select next.id from attachment next join slide s on s.id = next.slide_id
      where next.glass_id = %(glass)s and next.undone_at is null and next.slide_id <> %(slide)s
        and next.rescan_asked_at is null and s.published_at > a.rescan_asked_at
      order by s.published_at, s.id limit 1)
returning other.id
"""

_OPEN = """
update glass g set rescan_asked_at = a.rescan_asked_at, rescan_reason = a.rescan_reason,
    rescan_asked_by = a.rescan_asked_by
from attachment a
where g.id = %(glass)s and g.rescan_asked_at is null
  and a.slide_id = %(slide)s and a.undone_at is null and a.rescan_asked_at is not null
returning g.id
"""

_ORDER = """
update work_order set state_at = now(),
    state = case when filler_number is null then 'asked' else 'accepted' end
where id = (select id from work_order
            where glass_id = %(glass)s and kind = 'rescan' and state = 'done'
            order by asked_at desc, id desc limit 1)
"""
