"""What slides' instances are told to say: revisions, and the slides that may need another."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from dicom.web.document import Document
from sgi.catalogue import integrity
from sgi.catalogue.database import Connection
from sgi.catalogue.dicomweb import folded_names
from sgi.domain.integrity import SideObject
from sgi.domain.slide import Slide
from sgi.stored.identity import StoredIdentity
from sgi.stored.keys import identity_name


@dataclass(frozen=True, slots=True)
class Due:
    """A slide of which something changed, and the rows of the queue that say so."""

    slide_id: UUID
    ids: tuple[int, ...]


async def due(connection: Connection, limit: int, but: list[UUID]) -> list[Due]:
    """Slides whose turn it is: those that came to a glass or left it, then those that wait longest.

    At most `limit`, and fewer where some wait for several reasons; none only where none waits.
    """
    cursor = await connection.execute(
        """with first as materialized (
               select slide_id, turn, id from identity_due
               where slide_id <> all(%s) order by turn, id limit %s),
           waiting as (select slide_id, min(turn) as turn, min(id) as id
                       from first group by slide_id)
           select slide_id,
                  (select array_agg(d.id order by d.id) from identity_due d
                   where d.slide_id = w.slide_id) as ids
           from waiting w order by turn, id""",
        [but, limit],
    )
    return [Due(row["slide_id"], tuple(row["ids"])) for row in await cursor.fetchall()]


async def figures(connection: Connection) -> dict[str, int]:
    """Of all establishments together, numbers alone, for a monitor that is nobody's."""
    cursor = await connection.execute("select * from identity_figures()")
    row = await cursor.fetchone()
    assert row is not None, "an aggregate gives a row"  # noqa: S101 - for the type checker
    return row


async def settle(connection: Connection, due: Due) -> None:
    """What was known when the slide's turn began is told now; what came since waits.

    By its rows and not by their order: a transaction that took its number before may commit after.
    """
    await connection.execute("delete from identity_due where id = any(%s)", [list(due.ids)])


async def current(connection: Connection, slide_id: UUID) -> StoredIdentity | None:
    """What the slide's instances say now; None while they are told as they are stored."""
    cursor = await connection.execute(
        """select i.identity from slide s join slide_identity i
               on i.slide_id = s.id and i.revision = s.identity_revision
           where s.id = %s""",
        [slide_id],
    )
    row = await cursor.fetchone()
    return None if row is None else StoredIdentity.model_validate(row["identity"])


async def lock(connection: Connection, slide_id: UUID) -> int | None:
    """The slide's revision; nobody else makes another until the transaction ends. None: no slide.

    Who only adds to the queue does not wait.
    """
    cursor = await connection.execute(
        "select identity_revision from slide where id = %s for no key update", [slide_id]
    )
    row = await cursor.fetchone()
    return None if row is None else int(row["identity_revision"])


async def add(connection: Connection, slide: Slide, stored: StoredIdentity, data: bytes) -> None:
    """A revision whose object lies in the store already, as `data`."""
    await connection.execute(
        """insert into slide_identity
               (slide_id, revision, establishment_id, study_uid, series_uid, made_at, identity)
           values (%s, %s, %s, %s, %s, %s, %s)""",
        [
            slide.id,
            stored.revision,
            slide.establishment_id,
            stored.study_uid,
            stored.series_uid,
            stored.made_at,
            Jsonb(stored.model_dump(mode="json")),
        ],
    )
    await integrity.set_side_objects(
        connection, slide, [SideObject(identity_name(stored.revision), len(data), _sha256(data))]
    )
    await connection.execute(
        """update slide set identity_revision = %s, told_study_uid = %s, told_series_uid = %s,
               on_record = false
           where id = %s""",
        [stored.revision, stored.study_uid, stored.series_uid, slide.id],
    )
    await connection.execute("delete from dicom_series where slide_id = %s", [slide.id])


async def mark_uncopied(connection: Connection, slide_id: UUID) -> None:
    """The second store lacks a revision; the copier brings it over."""
    await connection.execute("update slide set copied_at = null where id = %s", [slide_id])


@dataclass(frozen=True, slots=True)
class Note:
    """A rejection note."""

    sop_uid: str
    series_uid: str
    study_uid: str
    revision: int
    slide_id: UUID
    made_at: datetime
    file: bytes
    document: Document
    """What it says, as DICOM JSON."""


async def add_note(connection: Connection, slide: Slide, note: Note) -> None:
    await connection.execute(
        """insert into rejection_note (sop_uid, slide_id, establishment_id, revision, study_uid,
               series_uid, made_at, file, document, folded)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [
            note.sop_uid,
            slide.id,
            slide.establishment_id,
            note.revision,
            note.study_uid,
            note.series_uid,
            note.made_at,
            note.file,
            Jsonb(note.document),
            Jsonb(folded_names(note.document)),
        ],
    )


async def notes(
    connection: Connection, study_uid: str, series_uid: str | None = None, limit: int = 200
) -> list[Note]:
    """Of a study, or of one of its series."""
    cursor = await connection.execute(
        """select * from rejection_note
           where study_uid = %(study)s
             and (%(series)s::text is null or series_uid = %(series)s)
           order by made_at, sop_uid limit %(limit)s""",
        {"study": study_uid, "series": series_uid, "limit": limit},
    )
    return [
        Note(
            row["sop_uid"],
            row["series_uid"],
            row["study_uid"],
            row["revision"],
            row["slide_id"],
            row["made_at"],
            bytes(row["file"]),
            row["document"],
        )
        for row in await cursor.fetchall()
    ]


async def is_retired(connection: Connection, study_uid: str, series_uid: str | None) -> bool:
    """Whether instances were told by these UIDs once, and are by others now."""
    cursor = await connection.execute(
        """select from slide s
           where s.study_uid = %(study)s and s.identity_revision > 0
             and (%(series)s::text is null or s.series_uid = %(series)s)
           union all
           select from slide_identity i
           where i.study_uid = %(study)s
             and (%(series)s::text is null or i.series_uid = %(series)s)
           limit 1""",
        {"study": study_uid, "series": series_uid},
    )
    return await cursor.fetchone() is not None


@dataclass(frozen=True, slots=True)
class GlassSaid:
    """What the laboratory and the administration say of a glass, as rows say it now."""

    glass: Mapping[str, Any]
    parent_kind: str | None
    """"block" or "part" where the laboratory has registered the parent as one."""
    part_identifier: str | None
    """Of the specimen, which the block or the glass itself comes from."""
    part_said: Mapping[str, Any]
    accession_number: str | None
    study_uid: str | None
    received_at: datetime | None
    patient_id: UUID | None
    """The living one, however many merges lead there."""


async def said_of_glass(connection: Connection, slide_id: UUID) -> GlassSaid | None:
    """Of the glass that the slide is attached to; None for one that is not.

    What it comes from says nothing of it while that is of another case, perhaps another patient's.
    """
    cursor = await connection.execute(
        """select to_jsonb(g) as glass, b.kind as parent_kind,
                  case when b.kind = 'part' then b.said else p.said end as part_said,
                  case when b.kind = 'part' then b.identifier else p.identifier end
                      as part_identifier,
                  c.accession_number, c.study_uid, c.received_at,
                  coalesce(gone.merged_into, gone.id) as patient_id
           from slide s join glass g on g.id = s.glass_id
               left join lateral (
                   select * from specimen b
                   where b.establishment_id = g.establishment_id
                     and b.identifier = g.parent_identifier and b.cancelled_at is null
                     and b.case_id is not distinct from g.case_id
                   order by b.kind = 'block' desc limit 1) b on true
               left join specimen p on p.establishment_id = b.establishment_id
                   and p.kind = 'part' and p.identifier = b.parent_identifier
                   and p.case_id is not distinct from g.case_id
               left join lab_case c on c.id = g.case_id
               left join patient gone on gone.id = c.patient_id
           where s.id = %s""",
        [slide_id],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    return GlassSaid(
        row["glass"],
        row["parent_kind"],
        row["part_identifier"],
        row["part_said"] or {},
        row["accession_number"],
        row["study_uid"],
        row["received_at"],
        row["patient_id"],
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
