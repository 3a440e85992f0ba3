"""Moves between tiers as rows, the rules that begin them, and what each instance's row says."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.arrival import ReasonCode
from sgi.domain.tier import Tier
from sgi.domain.tiers import (
    ColdCopy,
    DueSlide,
    MoveState,
    TierEvent,
    TierMove,
    TierPolicy,
)

_MOVE = """
    select m.*, a.name as asked_by_name, s.file_name
    from tier_move m join slide s on s.id = m.slide_id left join account a on a.id = m.asked_by
"""
_UNMEASURED_RATIO = 0.8
"""Of recompressed JPEG levels, until this establishment has some."""

_EXPECTED = """
    with measured as (
        select coalesce(sum(cold_size_bytes)::double precision / nullif(sum(size_bytes), 0),
                        %(ratio)s) as ratio
        from instance where cold_size_bytes is not null and transfer_syntax = %(jpeg)s
    ), movable as (
        select i.slide_id, sum(i.size_bytes)::bigint as size_bytes,
               sum(case when i.cold_size_bytes is not null then i.cold_size_bytes
                        when i.transfer_syntax = %(jpeg)s then i.size_bytes * m.ratio
                        else i.size_bytes end)::bigint as cold_bytes
        from instance i cross join measured m
        where i.level is not null and i.tier = 'warm'
          and greatest(i.columns, i.rows) > %(warm_side)s
          and i.level < (select max(o.level) from instance o where o.slide_id = i.slide_id)
        group by i.slide_id
    )
    select s.id, s.file_name, s.published_at, viewed.at as last_viewed_at,
           movable.size_bytes, movable.cold_bytes, count(*) over () as slides,
           sum(movable.size_bytes) over ()::bigint as all_bytes,
           sum(movable.cold_bytes) over ()::bigint as all_cold_bytes
    from movable
    join slide s on s.id = movable.slide_id
"""
_DUE = """
    left join lateral (
        select max(at) as at from audit where object_id = s.id and action = 'view_slide'
    ) viewed on true
    left join glass g on g.id = s.glass_id
    left join lab_case c on c.id = g.case_id
    left join lateral (
        select max(ended_at) as at from tier_move
        where slide_id = s.id and target = 'warm' and state = 'done'
    ) restored on true
    where (s.published_at
           < %(now)s - least(%(after_published)s::interval, %(after_viewed)s::interval)
           or c.signed_out_at < %(now)s - %(after_signed_out)s::interval)
      and (s.published_at < %(now)s - %(after_published)s::interval
           or greatest(s.published_at, viewed.at) < %(now)s - %(after_viewed)s::interval
           or c.signed_out_at < %(now)s - %(after_signed_out)s::interval)
      and (s.copied_at is not null or not %(only_copied)s)
      and (restored.at is null or restored.at < %(now)s - %(restored)s::interval)
      and not exists (select from tier_move o where o.slide_id = s.id and o.ended_at is null)
      and not exists (select from tier_move o where o.slide_id = s.id and o.target = 'cold'
                      and o.state = 'failed' and o.ended_at > %(now)s - interval '7 days')
    order by s.published_at, s.id limit %(limit)s
"""
_MOVABLE = """
    with movable as materialized (
        select slide_id, min(level) as level from instance
        where level is not null and tier = 'warm' and greatest(columns, rows) > %(warm_side)s
        group by slide_id
    )
    select s.id
    from movable join slide s on s.id = movable.slide_id
      and movable.level < (select max(o.level) from instance o where o.slide_id = s.id)
"""
_JPEG = "1.2.840.10008.1.2.4.50"


async def policy(connection: Connection) -> TierPolicy:
    """Of the establishment whose transaction this is; without a row, nothing ever moves."""
    cursor = await connection.execute("select policy from tier_policy")
    row = await cursor.fetchone()
    return TierPolicy() if row is None else TierPolicy.model_validate(row["policy"])


async def set_policy(connection: Connection, establishment_id: UUID, wanted: TierPolicy) -> None:
    """From now on."""
    await connection.execute(
        """insert into tier_policy (establishment_id, policy) values (%s, %s)
           on conflict (establishment_id) do update
           set policy = excluded.policy, updated_at = now()""",
        [establishment_id, Jsonb(wanted.model_dump(mode="json"))],
    )


async def next_due(
    connection: Connection, rules: TierPolicy, now: datetime, limit: int, *, only_copied: bool
) -> list[UUID]:
    """Slides that the rules would move, longest published first.

    `only_copied`: those alone that have their second copy.
    """
    cursor = await connection.execute(
        _MOVABLE + _DUE, _given(rules, now, limit) | {"only_copied": only_copied}
    )
    return [row["id"] for row in await cursor.fetchall()]


def _given(rules: TierPolicy, now: datetime, limit: int) -> dict[str, object]:
    def after(event: TierEvent) -> timedelta | None:
        days = rules.days(event)
        return None if days is None else timedelta(days=days)

    return {
        "warm_side": rules.warm_side,
        "now": now,
        "after_published": after(TierEvent.PUBLISHED),
        "after_viewed": after(TierEvent.LAST_VIEWED),
        "after_signed_out": after(TierEvent.SIGNED_OUT),
        "restored": timedelta(days=rules.restored_days),
        "limit": limit,
    }


async def due(
    connection: Connection, rules: TierPolicy, now: datetime, limit: int
) -> tuple[list[DueSlide], int, int, int]:
    """Slides that the rules would move, longest published first, and of all of them the number,
    the bytes, and the bytes expected in cold storage: every slide is reckoned with.
    """
    cursor = await connection.execute(
        _EXPECTED + _DUE,
        _given(rules, now, limit)
        | {"ratio": _UNMEASURED_RATIO, "jpeg": _JPEG, "only_copied": False},
    )
    rows = await cursor.fetchall()
    found = [
        DueSlide(
            id=row["id"],
            file_name=row["file_name"],
            published_at=row["published_at"],
            last_viewed_at=row["last_viewed_at"],
            size_bytes=row["size_bytes"],
            cold_bytes=row["cold_bytes"],
        )
        for row in rows
    ]
    if not rows:
        return found, 0, 0, 0
    return found, rows[0]["slides"], rows[0]["all_bytes"], rows[0]["all_cold_bytes"]


async def ask(
    connection: Connection,
    establishment_id: UUID,
    slide_id: UUID,
    target: Tier,
    asked_by: UUID | None,
    expected_at: datetime | None = None,
) -> TierMove | None:
    """A new move; None when one of this slide is not over, whichever way it goes."""
    cursor = await connection.execute(
        """insert into tier_move (establishment_id, slide_id, target, asked_by, expected_at)
           values (%s, %s, %s, %s, %s)
           on conflict (slide_id) where ended_at is null do nothing returning id""",
        [establishment_id, slide_id, target, asked_by, expected_at],
    )
    row = await cursor.fetchone()
    return None if row is None else await move(connection, row["id"])


async def move(connection: Connection, move_id: UUID) -> TierMove | None:
    cursor = await connection.execute(_MOVE + "where m.id = %s", [move_id])
    row = await cursor.fetchone()
    return None if row is None else _move(row)


async def latest(connection: Connection, slide_id: UUID) -> TierMove | None:
    """The slide's newest move, over or not."""
    cursor = await connection.execute(
        _MOVE + "where m.slide_id = %s order by m.asked_at desc, m.id limit 1", [slide_id]
    )
    row = await cursor.fetchone()
    return None if row is None else _move(row)


async def newest(connection: Connection, limit: int) -> list[TierMove]:
    """Those that are not over first, then by when they were asked for."""
    cursor = await connection.execute(
        _MOVE + "order by m.ended_at is null desc, m.asked_at desc limit %s", [limit]
    )
    return [_move(row) for row in await cursor.fetchall()]


async def begin(connection: Connection, move_id: UUID) -> TierMove | None:
    """A move is worked at, unless it waits for an archive; None when it is over."""
    await connection.execute(
        """update tier_move set state = 'running', started_at = coalesce(started_at, now())
           where id = %s and ended_at is null and state <> 'thawing'""",
        [move_id],
    )
    found = await move(connection, move_id)
    return None if found is None or found.ended_at is not None else found


async def advance(connection: Connection, move_id: UUID, progress: float) -> None:
    await connection.execute(
        "update tier_move set progress = %s where id = %s and ended_at is null",
        [min(max(progress, 0.0), 1.0), move_id],
    )


async def wait(
    connection: Connection, move_id: UUID, reason: str, pause: timedelta, code: ReasonCode
) -> None:
    """It is tried again after `pause`; until then it has no job, which others would wait for."""
    await connection.execute(
        """update tier_move
           set state = 'waiting', attempts = attempts + 1, reason = %s,
               reason_code = %s, look_again_at = now() + %s
           where id = %s and ended_at is null""",
        [reason, code, pause, move_id],
    )


async def thawing(
    connection: Connection, move_id: UUID, asked_at: datetime, takes: timedelta, pause: timedelta
) -> None:
    """An archive was asked for the copies at `asked_at`; no job is needed during `pause`."""
    await connection.execute(
        """update tier_move
           set state = 'thawing', started_at = null, progress = 0, reason = null,
               archive_asked_at = %(asked_at)s, look_again_at = now() + %(pause)s,
               expected_at = %(asked_at)s::timestamptz + %(takes)s
           where id = %(id)s and ended_at is null""",
        {"id": move_id, "asked_at": asked_at, "takes": takes, "pause": pause},
    )


async def thawed(connection: Connection, move_id: UUID) -> None:
    """The archive has given the copies back: the move is worked at."""
    await connection.execute(
        """update tier_move set state = 'running', started_at = now(), look_again_at = null
           where id = %s and ended_at is null""",
        [move_id],
    )


async def end(
    connection: Connection,
    move_id: UUID,
    state: MoveState,
    reason: str | None = None,
    code: ReasonCode | None = None,
) -> bool:
    """False when it was over already."""
    cursor = await connection.execute(
        """update tier_move set state = %(state)s, ended_at = now(), reason = %(reason)s,
               reason_code = %(code)s,
               progress = case when %(state)s = 'done' then 1 else progress end
           where id = %(id)s and ended_at is null""",
        {"id": move_id, "state": state, "reason": reason, "code": code},
    )
    return cursor.rowcount == 1


async def begun_since(connection: Connection, since: datetime) -> int:
    """Moves to cold that the policy has begun since then."""
    cursor = await connection.execute(
        """select count(*) as n from tier_move
           where target = 'cold' and asked_by is null and asked_at >= %s""",
        [since],
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def waiting_of_policy(connection: Connection) -> int:
    """Moves that the policy has begun and that are not over."""
    cursor = await connection.execute(
        "select count(*) as n from tier_move where ended_at is null and asked_by is null"
    )
    row = await cursor.fetchone()
    return int(row["n"]) if row else 0


async def orphaned(connection: Connection) -> list[TierMove]:
    """Moves that are not over, have waited long enough, and that no living job owns."""
    cursor = await connection.execute(
        _MOVE
        + """where m.ended_at is null and coalesce(m.look_again_at, now()) <= now() and not exists (
                 select from procrastinate_jobs j
                 where j.status in ('todo', 'doing') and j.args ->> 'move_id' = m.id::text)"""
    )
    return [_move(row) for row in await cursor.fetchall()]


async def cold_copies(connection: Connection, slide_id: UUID) -> dict[str, ColdCopy]:
    """By SOP Instance UID; a restored instance may still have one."""
    cursor = await connection.execute(
        """select sop_uid, cold_size_bytes, cold_sha256 from instance
           where slide_id = %s and cold_size_bytes is not null""",
        [slide_id],
    )
    return {
        row["sop_uid"]: ColdCopy(row["cold_size_bytes"], row["cold_sha256"] or b"")
        for row in await cursor.fetchall()
    }


async def is_to_be_cold(connection: Connection, move_id: UUID, sop_uid: str) -> bool:
    """Whether the instance still waits for this move to make it cold."""
    cursor = await connection.execute(
        """select 1 from tier_move m join instance i on i.slide_id = m.slide_id
           where m.id = %s and m.ended_at is null and m.target = 'cold'
             and i.sop_uid = %s and i.tier = 'warm'""",
        [move_id, sop_uid],
    )
    return await cursor.fetchone() is not None


async def set_cold(connection: Connection, move_id: UUID, sop_uid: str, copy: ColdCopy) -> bool:
    """A proved cold copy takes over; the warm one is left to be deleted.

    False when the move is over, or the instance is not warm any more.
    """
    cursor = await connection.execute(
        """update instance i
           set tier = 'cold', cold_size_bytes = %s, cold_sha256 = %s, warm_left_at = now()
           from tier_move m
           where m.id = %s and m.ended_at is null and m.target = 'cold'
             and i.slide_id = m.slide_id and i.sop_uid = %s and i.tier = 'warm'""",
        [copy.size_bytes, copy.sha256, move_id, sop_uid],
    )
    return cursor.rowcount == 1


async def set_warm(connection: Connection, move_id: UUID, sop_uid: str) -> bool:
    """A proved warm copy takes over; the cold one stays.

    False when the move is over, or the instance is warm already.
    """
    cursor = await connection.execute(
        """update instance i set tier = 'warm', warm_left_at = null
           from tier_move m
           where m.id = %s and m.ended_at is null and m.target = 'warm'
             and i.slide_id = m.slide_id and i.sop_uid = %s and i.tier <> 'warm'""",
        [move_id, sop_uid],
    )
    return cursor.rowcount == 1


async def set_restoring(connection: Connection, slide_id: UUID) -> None:
    """The restore of all that is cold was asked for: its warm objects are not deleted any more."""
    await connection.execute(
        """update instance set tier = 'restoring', warm_left_at = null
           where slide_id = %s and tier = 'cold'""",
        [slide_id],
    )


async def give_up_restoring(connection: Connection, slide_id: UUID) -> None:
    """What was not restored is cold as before; a part of it may be warm, and is to be deleted."""
    await connection.execute(
        """update instance set tier = 'cold', warm_left_at = now()
           where slide_id = %s and tier = 'restoring'""",
        [slide_id],
    )


async def warm_left(
    connection: Connection, grace: timedelta, limit: int = 1000
) -> Sequence[tuple[UUID, str]]:
    """Slide and SOP Instance UID of instances that are cold for longer than `grace`, and whose
    warm objects are still to be deleted.
    """
    cursor = await connection.execute(
        """select slide_id, sop_uid from instance where warm_left_at < now() - %s
           order by warm_left_at limit %s""",
        [grace, limit],
    )
    return [(row["slide_id"], row["sop_uid"]) for row in await cursor.fetchall()]


async def warm_may_be_left(connection: Connection, slide_id: UUID) -> None:
    """Whoever restored the slide and was called off may have left warm objects: look for them."""
    await connection.execute(
        """update instance set warm_left_at = now()
           where slide_id = %s and tier = 'cold' and warm_left_at is null""",
        [slide_id],
    )


async def cold_is_doubted(connection: Connection, slide_id: UUID, key: str) -> bool:
    """Whether something speaks against a packed copy since it was proved: an incident that
    stands, or a restore of the slide that failed.
    """
    cursor = await connection.execute(
        """select exists (select from incident where place = 'cold' and object_key = %(key)s
                          and state in ('open', 'accepted') and kind <> 'extra')
               or exists (select from tier_move
                          where slide_id = %(slide)s and target = 'warm' and state = 'failed'
                            and ended_at > coalesce(
                                (select max(ended_at) from tier_move where slide_id = %(slide)s
                                 and target = 'cold' and state = 'done'), '-infinity'))
               as doubted""",
        {"key": key, "slide": slide_id},
    )
    row = await cursor.fetchone()
    return row is None or bool(row["doubted"])


async def lock_warm_left(connection: Connection, sop_uid: str) -> ColdCopy | None:
    """The cold copy of an instance whose warm object may be deleted before this transaction ends.

    None when it may not, or not any more.
    """
    cursor = await connection.execute(
        """select cold_size_bytes, cold_sha256 from instance
           where sop_uid = %s and tier = 'cold' and warm_left_at is not null for update""",
        [sop_uid],
    )
    row = await cursor.fetchone()
    return None if row is None else ColdCopy(row["cold_size_bytes"], row["cold_sha256"] or b"")


async def warm_is_gone(
    connection: Connection, sop_uid: str, proved: ColdCopy | None = None
) -> None:
    """The packed copy, as it was `proved` then, is all that is left."""
    await connection.execute(
        """update instance set warm_left_at = null,
               cold_size_bytes = coalesce(%s, cold_size_bytes),
               cold_sha256 = coalesce(%s, cold_sha256)
           where sop_uid = %s""",
        [proved and proved.size_bytes, proved and proved.sha256, sop_uid],
    )


async def put_off_deleting(connection: Connection, sop_uid: str, pause: timedelta) -> None:
    """The warm object of a cold instance stays for so long, and then it is looked at again."""
    await connection.execute(
        """update instance set warm_left_at = now() + %s
           where sop_uid = %s and warm_left_at is not null""",
        [pause, sop_uid],
    )


def _move(row: dict[str, Any]) -> TierMove:
    return TierMove(
        id=row["id"],
        slide_id=row["slide_id"],
        file_name=row["file_name"],
        target=Tier(row["target"]),
        state=MoveState(row["state"]),
        asked_by=row["asked_by"],
        asked_by_name=row["asked_by_name"],
        asked_at=row["asked_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        expected_at=row["expected_at"],
        progress=row["progress"],
        attempts=row["attempts"],
        reason=row["reason"],
        archive_asked_at=row["archive_asked_at"],
        reason_code=row["reason_code"] and ReasonCode(row["reason_code"]),
    )
