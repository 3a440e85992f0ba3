"""What the instances' headers say, as rows that are searched (QIDO-RS) and told (WADO-RS)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from dicom.web.attributes import (
    AVAILABLE_SYNTAX,
    INSTANCE_RETURNED,
    SERIES_LEVEL,
    SERIES_RETURNED,
    STUDY_LEVEL,
    STUDY_RETURNED,
)
from dicom.web.document import Document
from dicom.web.matching import folded
from dicom.web.query import Query
from sgi.catalogue.database import Connection
from sgi.catalogue.dicomweb_conditions import Parameters, conditions
from sgi.domain.slide import Slide

_LONGEST_SEARCHED = 4000
"""Characters of an attribute that is searched; longer ones are only told."""
_RECORDS_OF_OLD = "04"
"""Group 0400, which records the values that attributes had before."""


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of the archive is searched; None is all of it."""

    study_uid: str | None = None
    series_uid: str | None = None


@dataclass(frozen=True, slots=True)
class FoundStudy:
    """One study, and what belongs to it."""

    study_uid: str
    document: Document
    series: int
    instances: int
    modalities: list[str]
    is_warm: bool
    """Whether all of it is at hand."""


@dataclass(frozen=True, slots=True)
class FoundSeries:
    """One series: a slide."""

    study_uid: str
    series_uid: str
    document: Document
    instances: int


@dataclass(frozen=True, slots=True)
class FoundInstance:
    """One instance."""

    study_uid: str
    series_uid: str
    sop_uid: str
    document: Document
    tier: str


async def add(connection: Connection, slide: Slide, documents: dict[str, Document]) -> None:
    """Put on record what the instances of a slide say, by their SOP Instance UID in the store;
    again is no harm, nor a slide that is no longer there, or is told otherwise by now.
    """
    cursor = await connection.execute(
        """update slide set on_record = true where id = %s and identity_revision = %s
           returning id""",
        [slide.id, slide.told.revision if slide.told else 0],
    )
    if await cursor.fetchone() is None:
        return
    base = documents[slide.levels[0].sop_uid]
    await connection.execute(
        """insert into dicom_series
               (slide_id, establishment_id, study_uid, series_uid, published_at, document, folded)
           values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [
            slide.id,
            slide.establishment_id,
            slide.told_study_uid,
            slide.told_series_uid,
            slide.published_at,
            Jsonb(_searched(base)),
            Jsonb(folded_names(base)),
        ],
    )
    told = {stored.sop_uid: slide.told_uid(stored) for stored in slide.instances}
    rows = [
        [
            sop_uid,
            told[sop_uid],
            slide.id,
            slide.establishment_id,
            _number(document),
            Jsonb(document),
        ]
        for sop_uid, document in documents.items()
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            """insert into dicom_instance
                   (sop_uid, told_uid, slide_id, establishment_id, number, document)
               values (%s, %s, %s, %s, %s, %s) on conflict do nothing""",
            rows,
        )


def _searched(document: Document) -> Document:
    return {
        tag: told
        for tag, told in document.items()
        if not tag.startswith(_RECORDS_OF_OLD)
        and "BulkDataURI" not in told
        and len(str(told)) <= _LONGEST_SEARCHED
    }


def folded_names(document: Document) -> dict[str, str]:
    """Names of persons without case and accents, by tag."""
    return {
        tag: folded(" ".join(" ".join(name.values()) for name in told["Value"] if name))
        for tag, told in document.items()
        if told["vr"] == "PN" and "Value" in told
    }


def _number(document: Document) -> int:
    """Instance Number (0020,0013), by which the instances of a slide are listed."""
    values = document.get("00200013", {}).get("Value") or [0]
    return min(abs(int(values[0] or 0)), 1 << 30)


async def not_on_record(connection: Connection, but: Sequence[UUID], limit: int) -> list[UUID]:
    """Slides whose headers were not read yet, the newest first."""
    cursor = await connection.execute(
        """select id from slide where not on_record and id <> all(%s)
           order by published_at desc, id desc limit %s""",
        [list(but), limit],
    )
    return [row["id"] for row in await cursor.fetchall()]


async def is_complete(connection: Connection) -> bool:
    """Whether every slide of the establishment is on record, and none is left out of searches."""
    if await not_on_record(connection, (), 1):
        return False
    cursor = await connection.execute("select from mistold limit 1")
    return await cursor.fetchone() is None


async def mistold_of(connection: Connection, slide_ids: Sequence[UUID]) -> set[UUID]:
    """Those whose instances still say another patient's name than they are to say."""
    cursor = await connection.execute(
        "select slide_id from mistold where slide_id = any(%s)", [list(slide_ids)]
    )
    return {row["slide_id"] for row in await cursor.fetchall()}


_TOLD_RIGHT = "{column} <> all(array(select slide_id from mistold))"
"""Read once a statement; there are none but in the moments until the job has told them."""


async def slides_of_study(connection: Connection, study_uid: str, most: int) -> list[UUID]:
    """In the order in which they were published."""
    cursor = await connection.execute(
        """select id, published_at from slide where study_uid = %(uid)s and identity_revision = 0
           union all
           select id, published_at from slide where told_study_uid = %(uid)s
           order by published_at, id limit %(most)s""",
        {"uid": study_uid, "most": most},
    )
    return [row["id"] for row in await cursor.fetchall()]


async def slide_of_series(connection: Connection, study_uid: str, series_uid: str) -> UUID | None:
    cursor = await connection.execute(
        """select id from slide
           where study_uid = %(study)s and series_uid = %(series)s and identity_revision = 0
           union all
           select id from slide
           where told_study_uid = %(study)s and told_series_uid = %(series)s""",
        {"study": study_uid, "series": series_uid},
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def documents_of(connection: Connection, slide_id: UUID) -> dict[str, Document]:
    """The headers of a slide's instances by SOP Instance UID; empty where not on record."""
    cursor = await connection.execute(
        """select told_uid, document from dicom_instance where slide_id = %s
           order by number, sop_uid""",
        [slide_id],
    )
    return {row["told_uid"]: row["document"] for row in await cursor.fetchall()}


_PICKED = """(select coalesce(jsonb_object_agg(k, {column} -> k), '{{}}'::jsonb)
               from unnest(%(told)s::text[]) k where {column} ? k)"""


async def search_studies(connection: Connection, query: Query) -> list[FoundStudy]:
    """One more than the query's limit where there are more; any of its slides finds a study."""
    told = STUDY_LEVEL if query.all_included else _told(STUDY_RETURNED, query)
    right = _TOLD_RIGHT
    parameters: Parameters = {"told": sorted(told), **_page(query)}
    where = conditions(query, parameters, "s", None)
    cursor = await connection.execute(
        f"""with page as (
                select s.study_uid, max(s.published_at) as newest from dicom_series s
                where {right.format(column="s.slide_id")} and {where} group by s.study_uid
                order by newest desc, s.study_uid limit %(limit)s offset %(offset)s)
            select page.study_uid, {_PICKED.format(column="first.document")} as document,
                   total.series, total.modalities,
                   (select count(*) from dicom_instance i join dicom_series m using (slide_id)
                    where m.study_uid = page.study_uid
                      and {right.format(column="m.slide_id")}) as instances,
                   not exists (select from instance i join dicom_series m using (slide_id)
                               where m.study_uid = page.study_uid and i.tier <> 'warm') as is_warm
            from page
            cross join lateral (
                select document from dicom_series d where d.study_uid = page.study_uid
                  and {right.format(column="d.slide_id")}
                order by published_at desc, slide_id limit 1) first
            cross join lateral (
                select count(*) as series,
                       array_agg(distinct document #>> '{{00080060,Value,0}}') as modalities
                from dicom_series d where d.study_uid = page.study_uid
                  and {right.format(column="d.slide_id")}) total
            order by page.newest desc, page.study_uid""",  # noqa: S608 - all text is of this module and `conditions`; values are parameters
        parameters,
    )
    return [
        FoundStudy(
            row["study_uid"],
            row["document"],
            row["series"],
            row["instances"],
            [modality for modality in row["modalities"] if modality],
            row["is_warm"],
        )
        for row in await cursor.fetchall()
    ]


async def search_series(connection: Connection, place: Place, query: Query) -> list[FoundSeries]:
    """As `search_studies`."""
    returned = (*SERIES_RETURNED, *(() if place.study_uid else STUDY_RETURNED))
    told = SERIES_LEVEL | STUDY_LEVEL if query.all_included else _told(returned, query)
    parameters: Parameters = {"told": sorted(told), **_page(query)}
    where = _within(place, parameters) + conditions(query, parameters, "s", None)
    series, instances = _tables(place)
    right = _TOLD_RIGHT.format(column="s.id")
    cursor = await connection.execute(
        f"""with page as (
                select s.* from {series} s where {right} and {where}
                order by s.published_at desc, s.id limit %(limit)s offset %(offset)s)
            select page.study_uid, page.series_uid,
                   {_PICKED.format(column="page.document")} as document,
                   (select count(*) from {instances} i where i.id = page.id) as instances
            from page order by page.published_at desc, page.id""",  # noqa: S608 - text of ours; `_tables` gives one of two, values are parameters
        parameters,
    )
    return [
        FoundSeries(row["study_uid"], row["series_uid"], row["document"], row["instances"])
        for row in await cursor.fetchall()
    ]


async def search_instances(
    connection: Connection, place: Place, query: Query
) -> list[FoundInstance]:
    """As `search_studies`."""
    returned = (
        *INSTANCE_RETURNED,
        AVAILABLE_SYNTAX,
        *(() if place.series_uid else SERIES_RETURNED),
        *(() if place.study_uid else STUDY_RETURNED),
    )
    parameters: Parameters = {"told": sorted(_told(returned, query)), **_page(query)}
    where = _within(place, parameters) + conditions(query, parameters, "s", "i")
    picked = "page.document" if query.all_included else _PICKED.format(column="page.document")
    series, instances = _tables(place)
    right = _TOLD_RIGHT.format(column="s.id")
    cursor = await connection.execute(
        f"""with page as (
                select s.study_uid, s.series_uid, s.published_at, i.*
                from {instances} i join {series} s using (id) where {right} and {where}
                order by s.published_at desc, id, i.number, i.told_uid
                limit %(limit)s offset %(offset)s)
            select page.study_uid, page.series_uid, page.told_uid, {picked} as document,
                   coalesce(stored.tier, 'warm') as tier
            from page left join instance stored using (sop_uid)
            order by page.published_at desc, page.id, page.number, page.told_uid""",  # noqa: S608 - text of ours; `_tables` gives one of two, values are parameters
        parameters,
    )
    return [
        FoundInstance(
            row["study_uid"], row["series_uid"], row["told_uid"], row["document"], row["tier"]
        )
        for row in await cursor.fetchall()
    ]


def _tables(place: Place) -> tuple[str, str]:
    """Series and instances: of slides alone, but in a study that is named with the notes of what
    was retired in it.
    """
    if place.study_uid is not None:
        return "told_series", "told_instance"
    return (
        "(select *, slide_id as id from dicom_series)",
        "(select *, slide_id as id from dicom_instance)",
    )


def _told(returned: Iterable[str], query: Query) -> frozenset[str]:
    return frozenset(returned) | {attribute.outermost for attribute in query.included}


def _page(query: Query) -> dict[str, Any]:
    return {"limit": query.limit + 1, "offset": query.offset}


def _within(place: Place, parameters: Parameters) -> str:
    """The conditions of the address; each ends with "and"."""
    parameters |= {"study_uid": place.study_uid, "series_uid": place.series_uid}
    study = "s.study_uid = %(study_uid)s and " if place.study_uid else ""
    return study + ("s.series_uid = %(series_uid)s and " if place.series_uid else "")
