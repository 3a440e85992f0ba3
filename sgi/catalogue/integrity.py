"""What objects must be, when they were last proved, and what the proof was for whole slides."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue import slides
from sgi.catalogue.database import Connection
from sgi.domain.integrity import Scrubbed, SideObject
from sgi.domain.slide import Slide


async def side_objects(connection: Connection, slide_id: UUID) -> dict[str, SideObject]:
    """By name, what lies beside the slide's instances and what it must be."""
    cursor = await connection.execute("select * from side_object where slide_id = %s", [slide_id])
    return {
        row["name"]: SideObject(row["name"], row["size_bytes"], row["sha256"].hex())
        for row in await cursor.fetchall()
    }


async def side_object(connection: Connection, slide_id: UUID, name: str) -> SideObject | None:
    """One of them; None for one that is not on record."""
    cursor = await connection.execute(
        "select * from side_object where slide_id = %s and name = %s", [slide_id, name]
    )
    row = await cursor.fetchone()
    return None if row is None else SideObject(name, row["size_bytes"], row["sha256"].hex())


async def set_side_objects(
    connection: Connection, slide: Slide, objects: Iterable[SideObject]
) -> None:
    """As they were written, or as they were found first."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into side_object (slide_id, establishment_id, name, size_bytes, sha256)
               values (%s, %s, %s, %s, %s)
               on conflict (slide_id, name) do update
               set size_bytes = excluded.size_bytes, sha256 = excluded.sha256""",
            [
                [
                    slide.id,
                    slide.establishment_id,
                    each.name,
                    each.size_bytes,
                    bytes.fromhex(each.sha256),
                ]
                for each in objects
            ],
        )


async def restore_rows(connection: Connection, slide: Slide) -> None:
    """Make the rows of a slide and its instances say again what its manifest says."""
    await connection.execute(
        """update slide set file_name = %s, study_uid = %s, series_uid = %s, source_sha256 = %s,
               source_size_bytes = %s, published_at = %s, facts = %s, quality = %s, scene = %s
           where id = %s""",
        [
            slide.file_name,
            slide.study_uid,
            slide.series_uid,
            bytes.fromhex(slide.source_sha256),
            slide.source_size_bytes,
            slide.published_at,
            Jsonb(slide.facts.model_dump(mode="json")),
            None if slide.quality is None else Jsonb(slide.quality.model_dump(mode="json")),
            slide.scene,
            slide.id,
        ],
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into instance (sop_uid, slide_id, establishment_id, role, level, columns,
                   rows, tile_columns, tile_rows, downsample, transfer_syntax, photometric,
                   origin, size_bytes, sha256, frames, frames_sha256, header_bytes, header_sha256)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                   %s)
               on conflict (sop_uid) do update
               set role = excluded.role, level = excluded.level, columns = excluded.columns,
                   rows = excluded.rows, tile_columns = excluded.tile_columns,
                   tile_rows = excluded.tile_rows, downsample = excluded.downsample,
                   transfer_syntax = excluded.transfer_syntax,
                   photometric = excluded.photometric, origin = excluded.origin,
                   size_bytes = excluded.size_bytes, sha256 = excluded.sha256,
                   frames = excluded.frames, frames_sha256 = excluded.frames_sha256,
                   header_bytes = excluded.header_bytes, header_sha256 = excluded.header_sha256
               where instance.slide_id = excluded.slide_id""",
            [slides.instance_values(slide, instance) for instance in slide.instances],
        )


async def next_due(connection: Connection, age: timedelta, pause: timedelta) -> UUID | None:
    """The slide that was verified longest ago, or never, if that is longer than `age`.

    One that could not be verified comes after all others, and not before `pause` has passed.
    """
    due = "(verified_at is null or verified_at < now() - %(age)s)"
    for when, order in (  # each by an index
        ("attempted_at is null and verified_at is null", "id"),
        ("attempted_at is null and verified_at < now() - %(age)s", "verified_at, id"),
        (f"attempted_at < now() - %(pause)s and {due}", "attempted_at, id"),
    ):
        cursor = await connection.execute(
            f"select id from slide where {when} order by {order} limit 1",  # noqa: S608 - our own
            {"age": age, "pause": pause},
        )
        row = await cursor.fetchone()
        if row is not None:
            found: UUID = row["id"]
            return found
    return None


async def mark_attempted(connection: Connection, slide_id: UUID) -> None:
    """The slide could not be verified now; others have their turn first."""
    await connection.execute("update slide set attempted_at = now() where id = %s", [slide_id])


async def mark_verified(connection: Connection, slide: Slide) -> None:
    """Every object of the slide was read again and compared, whatever was found."""
    await connection.execute(
        """update slide set verified_at = now(), attempted_at = null, copy_attempted_at = null
           where id = %s""",
        [slide.id],
    )


async def count_read(connection: Connection, slide: Slide, read: Scrubbed) -> None:
    """So much was read again, of all of the slide or of a part."""
    await connection.execute(
        """insert into scrub (establishment_id, slides, objects, bytes) values (%s, %s, %s, %s)
           on conflict (establishment_id) do update
           set slides = scrub.slides + excluded.slides,
               objects = scrub.objects + excluded.objects,
               bytes = scrub.bytes + excluded.bytes, updated_at = now()""",
        [slide.establishment_id, read.slides, read.objects, read.bytes],
    )


async def next_uncopied(connection: Connection, pause: timedelta) -> UUID | None:
    """The slide that waits longest for its second copy, cold ones last.

    None of which something that would be copied is known to be damaged; one that could not be
    copied is left in peace for `pause`.
    """
    for cold in ("not", ""):
        cursor = await connection.execute(
            f"""select id from slide s
                where copied_at is null
                  and (copy_attempted_at is null or copy_attempted_at < now() - %(pause)s)
                  and not exists (select from incident d
                                  where d.slide_id = s.id and d.state in ('open', 'accepted')
                                    and d.place in ('warm', 'cold', 'catalogue')
                                    and d.kind <> 'extra')
                  and {cold} exists (select from instance i
                                     where i.slide_id = s.id and tier <> 'warm')
                order by published_at, id limit 1""",  # noqa: S608 - words of our own
            {"pause": pause},
        )
        row = await cursor.fetchone()
        if row is not None:
            found: UUID = row["id"]
            return found
    return None


async def mark_copied(connection: Connection, slide_id: UUID) -> None:
    """Every object of the slide lies in the second store too, and was read back from there."""
    await connection.execute(
        "update slide set copied_at = now(), copy_attempted_at = null where id = %s", [slide_id]
    )


async def mark_copy_attempted(connection: Connection, slide_id: UUID) -> None:
    """The slide could not be copied now; others have their turn first."""
    await connection.execute("update slide set copy_attempted_at = now() where id = %s", [slide_id])


async def is_copied(connection: Connection, slide_id: UUID) -> bool:
    cursor = await connection.execute(
        "select 1 from slide where id = %s and copied_at is not null", [slide_id]
    )
    return await cursor.fetchone() is not None


async def set_cold_hash(connection: Connection, sop_uid: str, sha256: str) -> None:
    """Of a packed copy that was found to be one of the instance."""
    await connection.execute(
        "update instance set cold_sha256 = %s where sop_uid = %s and cold_sha256 is null",
        [bytes.fromhex(sha256), sop_uid],
    )


async def bring_back(connection: Connection, sop_uid: str) -> None:
    """An instance whose packed copy is damaged lies in the warm store again, and is proved."""
    await connection.execute(
        """update instance set tier = 'warm', warm_left_at = null, cold_size_bytes = null,
               cold_sha256 = null
           where sop_uid = %s and tier <> 'warm'""",
        [sop_uid],
    )


async def establishment_of(connection: Connection, slide_id: UUID) -> UUID | None:
    """Whose slide it is; for alarms and commands, which know the slide alone."""
    cursor = await connection.execute("select establishment_of_slide(%s) as id", [slide_id])
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def known(connection: Connection, slide_ids: Iterable[UUID]) -> set[UUID]:
    """Those that are slides of anybody's, or may become ones."""
    cursor = await connection.execute("select slides_known(%s) as id", [list(slide_ids)])
    return {row["id"] for row in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Overview:
    """How far the verification of an establishment's slides is."""

    slides: int
    bytes: int
    """Of the instances; what lies beside them is less than 1%."""
    never_verified: int
    oldest_verified_at: datetime | None
    not_copied: int
    scrubbed: Scrubbed


async def overview(connection: Connection) -> Overview:
    """Of the establishment whose transaction this is, from what triggers and indexes count."""
    cursor = await connection.execute(
        """select c.slides, c.bytes,
                  (select count(*) from slide where verified_at is null) as never_verified,
                  (select verified_at from slide where verified_at is not null
                   order by verified_at nulls first limit 1) as oldest_verified_at,
                  (select count(*) from slide where copied_at is null) as not_copied,
                  coalesce(sum(s.slides), 0)::bigint as scrubbed_slides,
                  coalesce(sum(s.objects), 0)::bigint as scrubbed_objects,
                  coalesce(sum(s.bytes), 0)::bigint as scrubbed_bytes
           from (select coalesce(sum(slides), 0)::bigint as slides,
                        coalesce(sum(original_bytes), 0)::bigint as bytes
                 from capacity_change) c
                left join scrub s on true
           group by c.slides, c.bytes"""
    )
    row = await cursor.fetchone()
    assert row is not None, "an aggregate gives a row"  # noqa: S101 - for the type checker
    return Overview(
        slides=row["slides"],
        bytes=row["bytes"],
        never_verified=row["never_verified"],
        oldest_verified_at=row["oldest_verified_at"],
        not_copied=row["not_copied"],
        scrubbed=Scrubbed(row["scrubbed_slides"], row["scrubbed_objects"], row["scrubbed_bytes"]),
    )


@dataclass(frozen=True, slots=True)
class Fixity:
    """One line of the fixity report."""

    slide_id: UUID
    published_at: datetime
    verified_at: datetime | None
    copied_at: datetime | None
    objects: int
    bytes: int
    incidents: int
    """That stand."""


async def fixity_page(
    connection: Connection, after: Fixity | None = None, limit: int = 500
) -> list[Fixity]:
    """At most `limit` slides as they were published, from the one behind `after` on."""
    here = "true" if after is None else "(published_at, id) > (%(at)s, %(id)s)"
    cursor = await connection.execute(
        f"""select s.id as slide_id, s.published_at, s.verified_at, s.copied_at,
                  i.n * 2 + o.n as objects, (i.bytes + o.bytes)::bigint as bytes,
                  (select count(*) from incident d
                   where d.slide_id = s.id and d.state in ('open', 'accepted')) as incidents
           from (select * from slide where {here}
                 order by published_at, id limit %(limit)s) s
                cross join lateral (select count(*) as n, coalesce(sum(size_bytes), 0) as bytes
                                    from instance where slide_id = s.id) i
                cross join lateral (select count(*) as n, coalesce(sum(size_bytes), 0) as bytes
                                    from side_object where slide_id = s.id) o
           order by s.published_at, s.id""",  # noqa: S608 - words of our own
        {
            "at": None if after is None else after.published_at,
            "id": None if after is None else after.slide_id,
            "limit": limit,
        },
    )
    return [Fixity(**row) for row in await cursor.fetchall()]


async def figures(connection: Connection) -> dict[str, Any]:
    """Of all establishments together, numbers alone, for a monitor that is nobody's."""
    cursor = await connection.execute("select * from integrity_figures()")
    row = await cursor.fetchone()
    assert row is not None, "an aggregate gives a row"  # noqa: S101 - for the type checker
    incidents = await connection.execute("select * from incident_figures()")
    arrivals = await connection.execute("select * from arrival_figures()")
    jobs = await connection.execute("select * from job_figures()")
    return {
        **row,
        "incidents": await incidents.fetchall(),
        "arrivals": await arrivals.fetchall(),
        "jobs": await jobs.fetchall(),
    }
