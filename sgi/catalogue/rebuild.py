"""Rows made again from what the stores hold; as the database's owner, past the walls."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import sql
from psycopg.types.json import Jsonb

from sgi.catalogue import integrity, recovered, slides
from sgi.catalogue.recovered import Owner
from sgi.domain.integrity import SideObject
from sgi.domain.retention import DestructionState
from sgi.domain.slide import Slide
from sgi.domain.tier import Tier
from sgi.stored.establishment import StoredEstablishment
from sgi.stored.forecast import StoredActivity
from sgi.stored.limits import StoredLimits
from sgi.stored.retention import Certificate, StoredDestruction, StoredHolds, StoredRule
from sgi.stored.slide import StoredArrival, StoredSlide
from sgi.stored.tiers import StoredTierPolicy

_LOCK = 0x5347_4901
_NOT_REBUILT = {
    "alembic_version",
    "establishment",
    "account",
    "session",
    "sign_in_failure",
    "audit",
}
"""Tables that may have rows before a rebuild: a first start makes them."""
_APPROVED_THERE = {DestructionState.APPROVED, DestructionState.DESTROYING}
UNAPPROVED = "The bucket alone says that this was approved: approve it again, or withdraw it."
"""Why a destruction is asked for again."""


async def filled_tables(connection: Owner) -> list[str]:
    """Tables, of those that a rebuild fills, that are not empty; nobody else rebuilds meanwhile."""
    await connection.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    cursor = await connection.execute(
        "select tablename from pg_tables where schemaname = 'public' order by tablename"
    )
    filled = []
    for row in await cursor.fetchall():
        name = row["tablename"]
        if name in _NOT_REBUILT or name.startswith("procrastinate_"):
            continue
        table = sql.Identifier(name)
        cursor = await connection.execute(sql.SQL("select 1 from {} limit 1").format(table))
        if await cursor.fetchone() is not None:
            filled.append(name)
    return filled


async def establishments(connection: Owner) -> dict[UUID, str]:
    """Those that are there before the rebuild."""
    cursor = await connection.execute("select id, name from establishment")
    return {row["id"]: row["name"] for row in await cursor.fetchall()}


async def slide_ids(connection: Owner) -> set[UUID]:
    """Those that the catalogue has."""
    cursor = await connection.execute("select id from slide")
    return {row["id"] for row in await cursor.fetchall()}


async def add_establishment(
    connection: Owner, establishment_id: UUID, name: str, created_at: datetime
) -> None:
    """Unless it is there; raises psycopg.errors.UniqueViolation for a name of another."""
    await connection.execute(
        """insert into establishment (id, name, created_at) values (%s, %s, %s)
           on conflict (id) do nothing""",
        [establishment_id, name, created_at],
    )


async def named(connection: Owner, name: str) -> UUID | None:
    """The establishment of this name."""
    cursor = await connection.execute("select id from establishment where name = %s", [name])
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def is_in_use(connection: Owner, establishment_id: UUID) -> bool:
    """Whether it has more than a first start gives it."""
    cursor = await connection.execute(
        """select exists (select from slide where establishment_id = %(id)s)
               or exists (select from arrival where establishment_id = %(id)s) as used""",
        {"id": establishment_id},
    )
    row = await cursor.fetchone()
    return row is not None and row["used"]


async def free_name(connection: Owner, establishment_id: UUID) -> None:
    """Rename an establishment that a first start made, so that the one it stands for can come."""
    await connection.execute(
        "update establishment set name = id::text where id = %s", [establishment_id]
    )


async def hand_over(connection: Owner, empty: UUID, to: UUID) -> None:
    """The accounts that a first start made belong to the establishment that was there before."""
    for table in ("session", "account", "audit"):
        await connection.execute(
            sql.SQL("update {} set establishment_id = %s where establishment_id = %s").format(
                sql.Identifier(table)
            ),
            [to, empty],
        )
    await connection.execute("delete from establishment where id = %s", [empty])


async def add_arrival(connection: Owner, stored: StoredSlide, slide_id: UUID) -> None:
    """The published arrival of a slide; once for all slides of a file.

    What a manifest of the first version does not say is as near as can be: its path is its name.
    """
    came = stored.arrival or StoredArrival(
        source_path=stored.file_name.encode("utf-8", "replace").hex(),
        slide_id=slide_id,
        seen_at=stored.written_at,
        modified_ns=0,
        parts=(),
    )
    await connection.execute(
        """insert into arrival (id, establishment_id, source_path, file_name, state, progress,
               size_bytes, modified_ns, sha256, slide_id, attempts, seen_at, updated_at,
               published_at, released, part_paths, part_sizes, part_times)
           values (%s, %s, %s, %s, 'published', 1, %s, %s, %s, %s, 1, %s, %s, %s, false,
                   %s, %s, %s)
           on conflict (id) do update
           set state = 'published', progress = 1, sha256 = excluded.sha256, reason_code = null,
               reason_detail = null, published_at = excluded.published_at, updated_at = now()
           where arrival.establishment_id = excluded.establishment_id
             and arrival.slide_id = excluded.slide_id and arrival.state <> 'published'""",
        [
            stored.arrival_id,
            stored.establishment_id,
            bytes.fromhex(came.source_path),
            stored.file_name,
            stored.source_size_bytes,
            came.modified_ns,
            bytes.fromhex(stored.source_sha256),
            came.slide_id,
            came.seen_at,
            stored.written_at,
            stored.written_at,
            [bytes.fromhex(part.path) for part in came.parts],
            [part.size_bytes for part in came.parts],
            [part.modified_ns for part in came.parts],
        ],
    )


async def add_slide(
    connection: Owner,
    slide: Slide,
    side_objects: Iterable[SideObject],
    cold: Mapping[str, int],
    only_cold: Container[str],
) -> None:
    """`cold` is the packed size, by SOP Instance UID, of instances with a copy in the cold store;
    `only_cold` has the UIDs of those that lie there alone.
    """
    await slides.add(connection, slide)
    await integrity.set_side_objects(connection, slide, side_objects)
    for sop_uid, size_bytes in cold.items():
        await connection.execute(
            """update instance set tier = %s, cold_size_bytes = %s
               where sop_uid = %s and slide_id = %s""",
            [Tier.COLD if sop_uid in only_cold else Tier.WARM, size_bytes, sop_uid, slide.id],
        )


async def add_stored_establishment(connection: Owner, stored: StoredEstablishment) -> None:
    """Where it is not there, one without slides."""
    await add_establishment(
        connection, stored.establishment_id, stored.establishment_name, stored.created_at
    )


async def add_limits(connection: Owner, stored: StoredLimits) -> None:
    """What an establishment decided, as all below; what is there already stays, unless the store
    has a later one: the database came back from an earlier moment.
    """
    await connection.execute(
        """insert into quality_limits as known (establishment_id, limits, updated_at)
           values (%s, %s, %s)
           on conflict (establishment_id) do update
           set limits = excluded.limits, updated_at = excluded.updated_at
           where known.updated_at < excluded.updated_at""",
        [stored.establishment_id, Jsonb(stored.limits.model_dump(mode="json")), stored.changed_at],
    )


async def add_activity(connection: Owner, stored: StoredActivity) -> None:
    activity = Jsonb(stored.activity.model_dump(mode="json"))
    await connection.execute(
        """insert into forecast_activity as known (establishment_id, activity, updated_at)
           values (%s, %s, %s)
           on conflict (establishment_id) do update
           set activity = excluded.activity, updated_at = excluded.updated_at
           where known.updated_at < excluded.updated_at""",
        [stored.establishment_id, activity, stored.changed_at],
    )


async def add_tier_policy(connection: Owner, stored: StoredTierPolicy) -> None:
    await connection.execute(
        """insert into tier_policy as known (establishment_id, policy, updated_at)
           values (%s, %s, %s)
           on conflict (establishment_id) do update
           set policy = excluded.policy, updated_at = excluded.updated_at
           where known.updated_at < excluded.updated_at""",
        [stored.establishment_id, Jsonb(stored.policy.model_dump(mode="json")), stored.changed_at],
    )


async def add_rule(connection: Owner, stored: StoredRule) -> None:
    await connection.execute(
        """insert into retention_rule as known (establishment_id, years, wait, reason, changed_by,
               changed_at)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (establishment_id) do update
           set years = excluded.years, wait = excluded.wait, reason = excluded.reason,
               changed_by = excluded.changed_by, changed_at = excluded.changed_at
           where known.changed_at < excluded.changed_at""",
        [
            stored.establishment_id,
            stored.years,
            timedelta(days=stored.wait_days),
            stored.reason,
            stored.changed_by,
            stored.changed_at,
        ],
    )


async def add_holds(connection: Owner, stored: StoredHolds) -> bool:
    """Holds that the catalogue lacks; one that it knows stays as it is.

    Whoever may write to the store has lifted nothing: True where a hold that lasts is lifted there
    alone. It goes on, and a person lifts it again.
    """
    lifted_there = False
    for hold in stored.holds:
        cursor = await connection.execute(
            """insert into legal_hold as known (id, establishment_id, slide_id, reason, placed_by,
                   placed_at, lifted_by, lifted_at, lift_reason)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
               on conflict (id) do nothing""",
            [
                hold.id,
                stored.establishment_id,
                stored.slide_id,
                hold.reason,
                hold.placed_by,
                hold.placed_at,
                hold.lifted_by,
                hold.lifted_at,
                hold.lift_reason,
            ],
        )
        if cursor.rowcount or hold.lifted_at is None:
            continue
        cursor = await connection.execute(
            """select 1 from legal_hold where id = %s and slide_id = %s
               and establishment_id = %s and lifted_at is null""",
            [hold.id, stored.slide_id, stored.establishment_id],
        )
        lifted_there |= await cursor.fetchone() is not None
    return lifted_there


async def hold_unread(connection: Owner, establishment_id: UUID, slide_id: UUID) -> None:
    """Hold a slide whose record of holds cannot be read, until somebody lifts that."""
    await connection.execute(
        """insert into legal_hold (establishment_id, slide_id, reason, placed_by)
           select %(establishment)s, %(slide)s, %(reason)s, 'sgi rebuild'
           where not exists (select from legal_hold
                             where slide_id = %(slide)s and lifted_at is null)""",
        {
            "establishment": establishment_id,
            "slide": slide_id,
            "reason": "The record of this slide's legal holds cannot be read: it may be held.",
        },
    )


async def ended_slides(connection: Owner) -> set[UUID]:
    """Those of which a destruction on record has begun, or is done."""
    cursor = await connection.execute(
        "select slide_id from destruction where state in ('destroying', 'done')"
    )
    return {row["slide_id"] for row in await cursor.fetchall()}


async def add_destruction(connection: Owner, stored: StoredDestruction | Certificate) -> bool:
    """One that waits, or one that is done with its certificate: its slide is none any more.

    Whoever may write to the store has not approved anything: what is approved there, and not in
    the catalogue, is asked for again, and nothing is erased for a certificate that came from there.
    True for the one that is asked for again.
    """
    certificate = stored if isinstance(stored, Certificate) else None
    told = stored.destruction()
    unapproved = told.state in _APPROVED_THERE
    if unapproved:
        told = replace(
            told,
            state=DestructionState.ASKED,
            approved_by=None,
            approved_at=None,
            not_before=None,
            began_at=None,
            failure=UNAPPROVED,
        )
    await recovered.forget_earlier(connection, told)
    asked, approved = told.asked_by, told.approved_by
    values: dict[str, object] = {
        "id": told.id,
        "establishment_id": told.establishment_id,
        "slide_id": told.slide_id,
        "arrival_id": told.arrival_id,
        "scene": told.scene,
        "source_sha256": bytes.fromhex(told.source_sha256),
        "source_size_bytes": told.source_size_bytes,
        "study_uid": told.study_uid,
        "series_uid": told.series_uid,
        "published_at": told.published_at,
        "kept_until": told.kept_until,
        "state": told.state,
        "ground": told.ground,
        "reason": told.reason,
        "asked_by": asked.account_id,
        "asked_name": asked.name,
        "asked_session": asked.session_id,
        "asked_at": told.asked_at,
        "approved_by": approved and approved.account_id,
        "approved_name": approved and approved.name,
        "approved_session": approved and approved.session_id,
        "approved_at": told.approved_at,
        "not_before": told.not_before,
        "withdrawn_by": told.withdrawn_by,
        "withdrawn_at": told.withdrawn_at,
        "withdrawal_reason": told.withdrawal_reason,
        "began_at": told.began_at,
        "done_at": told.done_at,
        "failure": told.failure,
        "certificate": certificate and Jsonb(certificate.model_dump(mode="json")),
        "swept_at": certificate and datetime.now(UTC),
    }
    cursor = await connection.execute(
        sql.SQL(
            """insert into destruction as known ({}) values ({}) on conflict (id) do update
               set failure = excluded.failure
               where known.state = 'asked' and excluded.failure is not null
                 and known.slide_id = excluded.slide_id
                 and known.establishment_id = excluded.establishment_id"""
        ).format(
            sql.SQL(", ").join(map(sql.Identifier, values)),
            sql.SQL(", ").join(map(sql.Placeholder, values)),
        ),
        values,
    )
    if certificate is not None:
        await recovered.remove_destroyed(connection, told)
    return unapproved and cursor.rowcount == 1
