"""Destructions as rows: one function a step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from sgi.catalogue import destroyed_scans
from sgi.catalogue.database import Connection
from sgi.domain.arrival import ReasonCode
from sgi.domain.retention import Destruction, DestructionState, Ground, Person
from sgi.errors import ConflictError
from sgi.stored.retention import Certificate, StoreAnswer

_ALREADY = (
    "A destruction of this slide is under way already; approve or withdraw that one in the list."
)
_HELD = "The slide is under a legal hold, or is being destroyed; lift the hold first."
NOT_ENDED = "The retention of this slide has not ended; wait for its day, or give another ground."
_TWO_PEOPLE = "Whoever asked does not approve; another person approves it in a session of theirs."
_PERSONS = {"asked_by", "approved_by"}
_PLAIN = [name for name in Destruction.__slots__ if name not in _PERSONS]


def _destruction(row: dict[str, Any]) -> Destruction:
    plain = {name: row[name] for name in _PLAIN}
    plain |= {
        "source_sha256": row["source_sha256"].hex(),
        "state": DestructionState(row["state"]),
        "ground": Ground(row["ground"]),
        "failure_code": row["failure_code"] and ReasonCode(row["failure_code"]),
    }
    approved = (row["approved_by"], row["approved_name"], row["approved_session"])
    return Destruction(
        **plain,
        asked_by=Person(row["asked_by"], row["asked_name"], row["asked_session"]),
        approved_by=None if row["approved_by"] is None else Person(*approved),
    )


async def _one(connection: Connection, query: str, values: Sequence[Any]) -> Destruction | None:
    try:
        cursor = await connection.execute(query, values)
    except psycopg.errors.UniqueViolation as error:
        raise ConflictError(_ALREADY) from error
    except psycopg.errors.RestrictViolation as error:
        raise ConflictError(_HELD) from error
    except psycopg.errors.CheckViolation as error:
        of_two = error.diag.constraint_name == "destruction_two_people"
        raise ConflictError(_TWO_PEOPLE if of_two else NOT_ENDED) from error
    row = await cursor.fetchone()
    return None if row is None else _destruction(row)


async def by_id(connection: Connection, destruction_id: UUID) -> Destruction | None:
    return await _one(connection, "select * from destruction where id = %s", [destruction_id])


async def open_of_slide(connection: Connection, slide_id: UUID) -> Destruction | None:
    """The one that is not ended yet."""
    return await _one(
        connection,
        """select * from destruction
           where slide_id = %s and state in ('asked', 'approved', 'destroying')""",
        [slide_id],
    )


async def newest(connection: Connection, limit: int) -> list[Destruction]:
    """Those that wait for somebody or something first, then the newest."""
    cursor = await connection.execute(
        """select * from destruction
           order by state not in ('asked', 'approved', 'destroying'), asked_at desc, id
           limit %s""",
        [limit],
    )
    return [_destruction(row) for row in await cursor.fetchall()]


async def ask(
    connection: Connection,
    slide_id: UUID,
    until: date,
    ground: Ground,
    reason: str,
    person: Person,
) -> Destruction | None:
    """For a slide of this establishment; None when there is no such slide.

    Raises ConflictError when one is open already, or its retention has not ended on that ground.
    """
    return await _one(
        connection,
        """insert into destruction (establishment_id, slide_id, arrival_id, scene, source_sha256,
               source_size_bytes, study_uid, series_uid, published_at, kept_until, state, ground,
               reason, asked_by, asked_name, asked_session)
           select establishment_id, id, arrival_id, scene, source_sha256, source_size_bytes,
               study_uid, series_uid, published_at, %s, 'asked', %s, %s, %s, %s, %s
           from slide where id = %s returning *""",
        [until, ground, reason, person.account_id, person.name, person.session_id, slide_id],
    )


async def approve(
    connection: Connection, destruction_id: UUID, person: Person, wait: timedelta
) -> Destruction | None:
    """None when it is not asked for any more.

    Raises ConflictError for the account or the session that asked: the table has it so.
    """
    return await _one(
        connection,
        """update destruction set state = 'approved', approved_by = %s, approved_name = %s,
               approved_session = %s, approved_at = now(), not_before = now() + %s,
               failure = null
           where id = %s and state = 'asked' returning *""",
        [person.account_id, person.name, person.session_id, wait, destruction_id],
    )


async def withdraw(
    connection: Connection, destruction_id: UUID, by: str, reason: str, at: datetime | None = None
) -> Destruction | None:
    """Now, or at the moment when that was written down; None when it has begun, or has ended."""
    return await _one(
        connection,
        """update destruction set state = 'withdrawn', withdrawn_by = %s,
               withdrawn_at = coalesce(%s, now()), withdrawal_reason = %s, failure = null
           where id = %s and state in ('asked', 'approved') returning *""",
        [by, at, reason, destruction_id],
    )


async def begin(connection: Connection, destruction_id: UUID) -> Destruction | None:
    """Nobody sees the slide any more once this commits; None for one that is not in work.

    Raises ConflictError when the slide is held or the waiting time has not ended.
    """
    leaving = await destroyed_scans.to_be_destroyed(connection, destruction_id)
    try:
        await connection.execute("select begin_destruction(%s)", [destruction_id])
    except psycopg.errors.RestrictViolation as error:
        raise ConflictError(
            "The slide is held, or its waiting time has not ended; it is tried again by itself."
        ) from error
    begun = await _one(
        connection,
        "select * from destruction where id = %s and state = 'destroying'",
        [destruction_id],
    )
    if leaving is not None and begun is not None:
        await destroyed_scans.destroyed(connection, leaving, begun)
    return begun


@dataclass(frozen=True, slots=True)
class OriginalFiles:
    """The scanner's files of a slide, as they were when they were hashed."""

    arrivals: Sequence[UUID]
    paths: Sequence[bytes]
    sizes: Sequence[int]
    modified_ns: Sequence[int]
    in_use: bool
    """True when another slide of the same files is kept."""


async def originals(connection: Connection, destruction_id: UUID) -> OriginalFiles:
    """Of a destruction in work."""
    cursor = await connection.execute(
        """select original_arrivals, original_paths, original_sizes, original_times,
                  original_in_use(id) as in_use
           from destruction where id = %s""",
        [destruction_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return OriginalFiles((), (), (), (), in_use=False)
    return OriginalFiles(
        row["original_arrivals"],
        row["original_paths"],
        row["original_sizes"],
        row["original_times"],
        row["in_use"],
    )


async def inventory(connection: Connection, destruction_id: UUID) -> list[StoreAnswer] | None:
    """What each store held before anything was deleted; None before that was written down."""
    cursor = await connection.execute(
        "select inventory from destruction where id = %s", [destruction_id]
    )
    row = await cursor.fetchone()
    if row is None or row["inventory"] is None:
        return None
    return [StoreAnswer.model_validate(found) for found in row["inventory"]]


async def set_inventory(
    connection: Connection, destruction_id: UUID, found: Sequence[StoreAnswer]
) -> None:
    """Once: a second run finds less."""
    await connection.execute(
        "update destruction set inventory = %s where id = %s and inventory is null",
        [Jsonb([answer.model_dump(mode="json") for answer in found]), destruction_id],
    )


async def finish(connection: Connection, certificate: Certificate) -> bool:
    """The last step; False when another run was first."""
    cursor = await connection.execute(
        """update destruction set state = 'done', done_at = %s, certificate = %s,
               failure = null, original_arrivals = '{}', original_paths = '{}',
               original_sizes = '{}', original_times = '{}'
           where id = %s and state = 'destroying'""",
        [
            certificate.done_at,
            Jsonb(certificate.model_dump(mode="json")),
            certificate.id,
        ],
    )
    return cursor.rowcount == 1


async def certificate(connection: Connection, destruction_id: UUID) -> Certificate | None:
    """None until it is done."""
    cursor = await connection.execute(
        "select certificate from destruction where id = %s", [destruction_id]
    )
    row = await cursor.fetchone()
    if row is None or row["certificate"] is None:
        return None
    return Certificate.model_validate(row["certificate"])


async def destroyed_content(connection: Connection, sha256: bytes) -> datetime | None:
    """When the newest slide of this content was destroyed; None when none was."""
    cursor = await connection.execute(
        """select max(began_at) as at from destruction
           where source_sha256 = %s and state in ('destroying', 'done')""",
        [sha256],
    )
    row = await cursor.fetchone()
    return None if row is None else row["at"]


async def set_failure(
    connection: Connection, destruction_id: UUID, failure: str, code: ReasonCode
) -> None:
    """In words that people read; forgotten when it goes on."""
    await connection.execute(
        "update destruction set failure = %s, failure_code = %s where id = %s",
        [failure, code, destruction_id],
    )


async def unswept(connection: Connection, destruction_id: UUID) -> Destruction | None:
    """One that is done, and whose stores are to be looked at once more."""
    return await _one(
        connection,
        "select * from destruction where id = %s and state = 'done' and swept_at is null",
        [destruction_id],
    )


async def set_swept(connection: Connection, destruction_id: UUID) -> None:
    """The stores were looked at once more, and hold nothing."""
    await connection.execute(
        "update destruction set swept_at = now(), failure = null where id = %s", [destruction_id]
    )


async def without_job(
    connection: Connection, swept_after: timedelta, limit: int = 100
) -> list[Destruction]:
    """Those that are to be carried out by now, or were `swept_after` ago and are to be looked at
    once more, and that no living job owns.
    """
    cursor = await connection.execute(
        """select * from destruction d
           where (state = 'destroying' or (state = 'approved' and not_before <= now())
                  or (state = 'done' and swept_at is null and done_at <= now() - %s))
             and not exists (
               select from procrastinate_jobs j where j.status in ('todo', 'doing')
                 and j.args ->> 'destruction_id' = d.id::text)
           order by state = 'done', asked_at limit %s""",
        [swept_after, limit],
    )
    return [_destruction(row) for row in await cursor.fetchall()]
