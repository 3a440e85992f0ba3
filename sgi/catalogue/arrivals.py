"""Arrivals as rows: one function a transition."""

import os
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.arrival import (
    IN_WORK,
    Arrival,
    ArrivalState,
    Fingerprint,
    FoundFile,
    Reason,
    ReasonCode,
    fingerprint_of,
)
from sgi.domain.patient_codes import before_patient_code

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}")
"""Of a name that may end in a code: no part of that."""
_MOST_UNFINISHED = 2000
"""Arrivals in work or stopped that are told at once."""


def _arrival(row: dict[str, Any]) -> Arrival:
    reason = (
        None
        if row["reason_code"] is None
        else Reason(ReasonCode(row["reason_code"]), row["reason_detail"])
    )
    return Arrival(
        id=row["id"],
        establishment_id=row["establishment_id"],
        source_path=_path(row["source_path"]),
        file_name=row["file_name"],
        state=ArrivalState(row["state"]),
        progress=row["progress"],
        reason=reason,
        fingerprint=Fingerprint(row["size_bytes"], row["modified_ns"]),
        sha256=row["sha256"],
        slide_id=row["slide_id"],
        attempts=row["attempts"],
        seen_at=row["seen_at"],
        published_at=row["published_at"],
        released=row["released"],
        parts=tuple(
            FoundFile(_path(path), size_bytes, modified_ns)
            for path, size_bytes, modified_ns in zip(
                row["part_paths"], row["part_sizes"], row["part_times"], strict=True
            )
        ),
    )


def _path(stored: bytes) -> Path:
    return Path(os.fsdecode(stored))


def _columns(parts: Sequence[FoundFile]) -> dict[str, Any]:
    """The columns that say what an arrival's files are."""
    fingerprint = fingerprint_of(parts)
    return {
        "size_bytes": fingerprint.size_bytes,
        "modified_ns": fingerprint.modified_ns,
        "paths": [os.fsencode(part.path) for part in parts],
        "sizes": [part.size_bytes for part in parts],
        "times": [part.modified_ns for part in parts],
    }


def shown_name(path: Path) -> str:
    """A file's name as text, whatever bytes it is made of; scanners name files after what they read
    from the label, and nobody is told of the patient's code that way.
    """
    name = os.fsencode(path.name).decode("utf-8", "replace").replace("\0", "\ufffd")
    before = before_patient_code(name)
    if before is None:
        return name
    suffix = path.suffix if _SUFFIX.fullmatch(path.suffix) else ""
    return f"{before}…{suffix}"


async def observe(
    connection: Connection,
    establishment_id: UUID,
    path: Path,
    fingerprint: Fingerprint,
    reason: Reason,
    named_by: Path | None = None,
) -> Arrival:
    """Record that a file was seen and is not whole yet; a stopped arrival that changed restarts.

    It is shown under the name of `named_by`, or else its own.
    """
    cursor = await connection.execute(
        """insert into arrival (establishment_id, source_path, file_name, state, size_bytes,
                                modified_ns, reason_code, reason_detail)
           values (%s, %s, %s, 'waiting', %s, %s, %s, %s)
           on conflict (establishment_id, source_path)
               where state not in ('published', 'duplicate', 'vanished')
           do update set state = 'waiting', size_bytes = excluded.size_bytes, progress = 0,
                         modified_ns = excluded.modified_ns, sha256 = null,
                         file_name = excluded.file_name, reason_code = excluded.reason_code,
                         reason_detail = excluded.reason_detail, updated_at = now()
               where arrival.state in ('waiting', 'held', 'quarantined')
           returning *""",
        [
            establishment_id,
            os.fsencode(path),
            shown_name(named_by or path),
            fingerprint.size_bytes,
            fingerprint.modified_ns,
            reason.code,
            reason.detail,
        ],
    )
    row = await cursor.fetchone()
    if row is None:  # a job owns it: its own checks will notice the change
        found = await live_at(connection, path)
        # None: it ended in this very moment, and the file is a new one.
        return found or await observe(
            connection, establishment_id, path, fingerprint, reason, named_by
        )
    return _arrival(row)


async def live_at(connection: Connection, path: Path) -> Arrival | None:
    """The live arrival of a path."""
    cursor = await connection.execute(
        """select * from arrival where source_path = %s
           and state not in ('published', 'duplicate', 'vanished')""",
        [os.fsencode(path)],
    )
    row = await cursor.fetchone()
    return None if row is None else _arrival(row)


async def latest_at(connection: Connection, path: Path) -> Arrival | None:
    """The newest arrival of a path, whatever became of it."""
    cursor = await connection.execute(
        "select * from arrival where source_path = %s order by seen_at desc, id limit 1",
        [os.fsencode(path)],
    )
    row = await cursor.fetchone()
    return None if row is None else _arrival(row)


async def known(connection: Connection, folder: Path, paths: Iterable[Path]) -> dict[Path, Arrival]:
    """The newest arrival of each of these paths, and every live one below the folder.

    What ended long ago and is not asked for is not read: it only ever becomes more.
    """
    cursor = await connection.execute(
        """select distinct on (source_path) * from (
               select * from arrival where source_path = any(%(paths)s)
               union all
               select * from arrival
               where state not in ('published', 'duplicate', 'vanished')
                 and substring(source_path for length(%(prefix)s)) = %(prefix)s
           ) as known order by source_path, seen_at desc, id""",
        {"paths": [os.fsencode(path) for path in paths], "prefix": os.fsencode(folder) + b"/"},
    )
    return {arrival.source_path: arrival for arrival in map(_arrival, await cursor.fetchall())}


async def owned_files(connection: Connection) -> set[Path]:
    """The files of arrivals in work, or ended but not released: nobody else may take them."""
    cursor = await connection.execute(
        """select unnest(part_paths) as path from arrival
           where state in ('queued', 'converting', 'verifying', 'retrying')
           union all
           select unnest(part_paths) from arrival
           where state in ('published', 'duplicate') and not released"""
    )
    return {_path(row["path"]) for row in await cursor.fetchall()}


async def by_id(connection: Connection, arrival_id: UUID) -> Arrival | None:
    cursor = await connection.execute("select * from arrival where id = %s", [arrival_id])
    row = await cursor.fetchone()
    return None if row is None else _arrival(row)


async def newest(connection: Connection, limit: int) -> list[Arrival]:
    """The newest arrivals, and every older one that is still in work or stopped: of those too no
    more than a page can bear.
    """
    cursor = await connection.execute(
        """(select * from arrival order by seen_at desc, id limit %(limit)s)
           union
           (select * from arrival where state not in ('published', 'duplicate', 'vanished')
            order by seen_at desc, id limit %(most)s)
           order by seen_at desc, id""",
        {"limit": limit, "most": _MOST_UNFINISHED},
    )
    return [_arrival(row) for row in await cursor.fetchall()]


async def content_in_use(connection: Connection, sha256: bytes) -> Arrival | None:
    """The arrival in work or published that has this content."""
    cursor = await connection.execute(
        """select * from arrival where sha256 = %s
           and state in ('queued', 'converting', 'verifying', 'retrying', 'published')""",
        [sha256],
    )
    row = await cursor.fetchone()
    return None if row is None else _arrival(row)


async def queue(
    connection: Connection, arrival_id: UUID, parts: Sequence[FoundFile], sha256: bytes
) -> bool:
    """Whole and known: hand it to a job, in the caller's transaction.

    `parts` are its files: the ones that are released once it is published. False when it is no
    longer waiting. Raises psycopg.errors.UniqueViolation when the same content came in at the
    same moment.
    """
    cursor = await connection.execute(
        """update arrival set state = 'queued', progress = 0, reason_code = null,
               reason_detail = null, sha256 = %(sha256)s, attempts = 0, updated_at = now(),
               size_bytes = %(size_bytes)s, modified_ns = %(modified_ns)s,
               part_paths = %(paths)s, part_sizes = %(sizes)s, part_times = %(times)s
           where id = %(id)s and state = 'waiting'""",
        {"id": arrival_id, "sha256": sha256} | _columns(parts),
    )
    return cursor.rowcount == 1


async def explain(connection: Connection, arrival_id: UUID, reason: Reason) -> None:
    """Say why a waiting arrival waits; touches the row only when the answer changed."""
    await connection.execute(
        """update arrival set reason_code = %(code)s, reason_detail = %(detail)s,
               updated_at = now()
           where id = %(id)s and state = 'waiting'
             and (reason_code, reason_detail) is distinct from (%(code)s, %(detail)s)""",
        {"id": arrival_id, "code": reason.code, "detail": reason.detail},
    )


async def advance(
    connection: Connection, arrival_id: UUID, state: ArrivalState, progress: float
) -> bool:
    """Progress of an arrival in work; False when it is not in work any more."""
    cursor = await connection.execute(
        """update arrival set state = %s, progress = %s, updated_at = now(),
               attempts = attempts + (state <> 'converting' and %s = 'converting')::integer,
               reason_code = null, reason_detail = null
           where id = %s and state = any(%s)""",
        [state, progress, state, arrival_id, list(IN_WORK)],
    )
    return cursor.rowcount == 1


async def stop(
    connection: Connection, arrival_id: UUID, state: ArrivalState, reason: Reason
) -> bool:
    """Leave the work: held, quarantined, retrying, vanished or waiting again, and why.

    Only an arrival that is not published yet can stop; False for any other.
    """
    cursor = await connection.execute(
        """update arrival set state = %s, reason_code = %s, reason_detail = %s, progress = 0,
               updated_at = now()
           where id = %s and state not in ('published', 'duplicate')""",
        [state, reason.code, reason.detail, arrival_id],
    )
    return cursor.rowcount == 1


async def look_again(connection: Connection, arrival_id: UUID) -> bool:
    """A person asks for another try: back to the watcher; False when it had not stopped."""
    cursor = await connection.execute(
        """update arrival set state = 'waiting', progress = 0, sha256 = null,
               reason_code = 'being_written', reason_detail = null, updated_at = now()
           where id = %s and state in ('held', 'quarantined')""",
        [arrival_id],
    )
    return cursor.rowcount == 1


async def mark_duplicate(
    connection: Connection,
    arrival_id: UUID,
    parts: Sequence[FoundFile],
    sha256: bytes,
    slide_id: UUID,
) -> None:
    """The content is a slide already: this arrival ends, its original is released."""
    await connection.execute(
        """update arrival set state = 'duplicate', progress = 1, sha256 = %(sha256)s,
               size_bytes = %(size_bytes)s, modified_ns = %(modified_ns)s,
               part_paths = %(paths)s, part_sizes = %(sizes)s, part_times = %(times)s,
               reason_code = 'already_a_slide', reason_detail = %(slide_id)s, updated_at = now()
           where id = %(id)s and state = 'waiting'""",
        {"id": arrival_id, "sha256": sha256, "slide_id": str(slide_id)} | _columns(parts),
    )


async def mark_published(
    connection: Connection, arrival_id: UUID, at: datetime | None = None
) -> bool:
    """The last step of the publishing transaction; False when another job was first.

    `at` is when, as its slides' manifests say it; now where they do not.
    """
    cursor = await connection.execute(
        """update arrival set state = 'published', progress = 1,
               published_at = coalesce(%s::timestamptz, now()),
               reason_code = null, reason_detail = null, updated_at = now()
           where id = %s and state = any(%s)""",
        [at, arrival_id, list(IN_WORK)],
    )
    return cursor.rowcount == 1


async def mark_released(connection: Connection, arrival_id: UUID) -> None:
    await connection.execute(
        "update arrival set released = true, updated_at = now() where id = %s", [arrival_id]
    )


async def unreleased(connection: Connection) -> list[Arrival]:
    """Ended arrivals whose original was not moved, kept or deleted yet."""
    cursor = await connection.execute(
        "select * from arrival where state in ('published', 'duplicate') and not released"
    )
    return [_arrival(row) for row in await cursor.fetchall()]


async def orphaned(connection: Connection) -> list[Arrival]:
    """Arrivals in work that no living job owns."""
    cursor = await connection.execute(
        """select * from arrival a
           where state in ('queued', 'converting', 'verifying', 'retrying') and not exists (
               select from procrastinate_jobs j
               where j.status in ('todo', 'doing') and j.args ->> 'arrival_id' = a.id::text)"""
    )
    return [_arrival(row) for row in await cursor.fetchall()]
