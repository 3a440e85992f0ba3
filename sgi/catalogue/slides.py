"""Published slides as rows."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.facts import SlideFacts
from sgi.domain.quality import SlideQuality
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.told import ToldPlace

_SLIDE = """
    select s.*, e.name as establishment_name
    from slide s join establishment e on e.id = s.establishment_id
"""


def _instance(row: dict[str, Any]) -> StoredInstance:
    return StoredInstance(
        sop_uid=row["sop_uid"],
        role=row["role"],
        level=row["level"],
        columns=row["columns"],
        rows=row["rows"],
        tile_columns=row["tile_columns"],
        tile_rows=row["tile_rows"],
        downsample=row["downsample"],
        transfer_syntax=row["transfer_syntax"],
        photometric=row["photometric"],
        origin=row["origin"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"].hex(),
        frames=row["frames"],
        tier=Tier(row["tier"]),
        frames_sha256=row["frames_sha256"] and row["frames_sha256"].hex(),
        header_bytes=row["header_bytes"],
        header_sha256=row["header_sha256"] and row["header_sha256"].hex(),
    )


def _slide(row: dict[str, Any], instances: list[StoredInstance]) -> Slide:
    quality = row["quality"]
    return Slide(
        id=row["id"],
        arrival_id=row["arrival_id"],
        scene=row["scene"],
        establishment_id=row["establishment_id"],
        establishment_name=row["establishment_name"],
        file_name=row["file_name"],
        study_uid=row["study_uid"],
        series_uid=row["series_uid"],
        source_sha256=row["source_sha256"].hex(),
        source_size_bytes=row["source_size_bytes"],
        published_at=row["published_at"],
        facts=SlideFacts.model_validate(row["facts"]),
        quality=None if quality is None else SlideQuality.model_validate(quality),
        instances=tuple(instances),
        told=_told(row),
    )


def _told(row: dict[str, Any]) -> ToldPlace | None:
    if not row["identity_revision"]:
        return None
    return ToldPlace(row["identity_revision"], row["told_study_uid"], row["told_series_uid"])


async def _with_instances(connection: Connection, rows: list[dict[str, Any]]) -> Iterator[Slide]:
    cursor = await connection.execute(
        "select * from instance where slide_id = any(%s) order by level nulls last, sop_uid",
        [[row["id"] for row in rows]],
    )
    by_slide: dict[UUID, list[StoredInstance]] = {row["id"]: [] for row in rows}
    for instance in await cursor.fetchall():
        by_slide[instance["slide_id"]].append(_instance(instance))
    return (_slide(row, by_slide[row["id"]]) for row in rows)


async def add(connection: Connection, slide: Slide) -> None:
    """Insert a slide and its instances; part of the publishing transaction."""
    await connection.execute(
        """insert into slide (id, establishment_id, arrival_id, scene, file_name, study_uid,
               series_uid, source_sha256, source_size_bytes, published_at, facts, quality)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            slide.id,
            slide.establishment_id,
            slide.arrival_id,
            slide.scene,
            slide.file_name,
            slide.study_uid,
            slide.series_uid,
            bytes.fromhex(slide.source_sha256),
            slide.source_size_bytes,
            slide.published_at,
            Jsonb(slide.facts.model_dump(mode="json")),
            None if slide.quality is None else Jsonb(slide.quality.model_dump(mode="json")),
        ],
    )
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into instance (sop_uid, slide_id, establishment_id, role, level, columns,
                   rows, tile_columns, tile_rows, downsample, transfer_syntax, photometric,
                   origin, size_bytes, sha256, frames, frames_sha256, header_bytes, header_sha256)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
                   %s)""",
            [instance_values(slide, instance) for instance in slide.instances],
        )


def instance_values(slide: Slide, instance: StoredInstance) -> list[object]:
    """A row of `instance`, its tier left out, in the order of the insert in `add`."""
    hashes, header = instance.frames_sha256, instance.header_sha256
    return [
        instance.sop_uid,
        slide.id,
        slide.establishment_id,
        instance.role,
        instance.level,
        instance.columns,
        instance.rows,
        instance.tile_columns,
        instance.tile_rows,
        instance.downsample,
        instance.transfer_syntax,
        instance.photometric,
        instance.origin,
        instance.size_bytes,
        bytes.fromhex(instance.sha256),
        instance.frames,
        None if hashes is None else bytes.fromhex(hashes),
        instance.header_bytes,
        None if header is None else bytes.fromhex(header),
    ]


async def set_header(connection: Connection, slide: Slide, instance: StoredInstance) -> None:
    """Keep the hash of a header that was proved after the slide was published."""
    await connection.execute(
        """update instance set header_bytes = %s, header_sha256 = %s
           where sop_uid = %s and slide_id = %s and header_sha256 is null""",
        [
            instance.header_bytes,
            bytes.fromhex(instance.header_sha256 or ""),
            instance.sop_uid,
            slide.id,
        ],
    )


async def by_id(connection: Connection, slide_id: UUID) -> Slide | None:
    cursor = await connection.execute(_SLIDE + "where s.id = %s", [slide_id])
    rows = await cursor.fetchall()
    return next(await _with_instances(connection, rows), None)


async def newest(
    connection: Connection,
    *,
    limit: int,
    matching: str | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> list[Slide]:
    """Published slides, newest first; `matching` is a part of the file name, any case.

    `after` is the `(published_at, id)` of the last slide of the page before.
    """
    cursor = await connection.execute(
        _SLIDE
        + """where (%(matching)s::text is null or strpos(lower(file_name), lower(%(matching)s)) > 0)
             and (%(at)s::timestamptz is null or (published_at, s.id) < (%(at)s, %(id)s::uuid))
             order by published_at desc, s.id desc limit %(limit)s""",
        {
            "matching": matching,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
            "limit": limit,
        },
    )
    return list(await _with_instances(connection, await cursor.fetchall()))


async def ids(connection: Connection) -> list[UUID]:
    """Every published slide's id, oldest first."""
    cursor = await connection.execute("select id from slide order by published_at, id")
    return [row["id"] for row in await cursor.fetchall()]
