"""What labels read, the glasses that they name, and the slides that nobody can name."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.facts import SlideFacts
from sgi.domain.identification import Unidentified


@dataclass(frozen=True, slots=True)
class NamedGlass:
    """A glass that a code names."""

    id: UUID
    is_living: bool
    """False where the laboratory has cancelled it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A slide that has no glass."""

    slide_id: UUID
    file_name: str
    published_at: datetime
    reason: Unidentified
    codes: tuple[str, ...]
    """As they were read: the file's own first."""
    has_label: bool
    has_overview: bool
    first_is_scanners: bool
    """Whether the scanner read the first code, and the picture of the label shows the others."""


async def set_codes(
    connection: Connection, establishment_id: UUID, slide_id: UUID, codes: Iterable[str]
) -> None:
    """What the slide's label reads, in place of what was known of it."""
    await connection.execute("delete from slide_code where slide_id = %s", [slide_id])
    await connection.execute(
        """insert into slide_code (slide_id, establishment_id, code)
           select %s, %s, upper(btrim(code)) from unnest(%s::text[]) code
           where btrim(code) <> '' on conflict do nothing""",
        [slide_id, establishment_id, list(codes)],
    )


async def set_reason(connection: Connection, slide_id: UUID, reason: Unidentified) -> None:
    """Why the slide has no glass; one that has a glass keeps it."""
    await connection.execute(
        """update slide set unidentified = %s
           where id = %s and glass_id is null and unidentified is distinct from %s""",
        [reason, slide_id, reason],
    )


async def waiting_for_a_look(connection: Connection, limit: int) -> list[UUID]:
    """Slides whose labels were not compared yet, oldest first."""
    cursor = await connection.execute(
        "select id from slide where unidentified = 'waiting' order by published_at limit %s",
        [limit],
    )
    return [row["id"] for row in await cursor.fetchall()]


async def glasses_of_label(connection: Connection, slide_id: UUID) -> list[NamedGlass]:
    """Glasses of this establishment whose identifier is one of the label's codes, whole.

    Without those from which a person has taken the slide away; a glass that was cancelled only lost
    it, and may have it again.
    """
    cursor = await connection.execute(
        """select distinct g.id, g.cancelled_at is null as is_living
           from slide_code c join glass g
               on g.establishment_id = c.establishment_id and g.folded = c.code
           where c.slide_id = %s
             and not exists (select from attachment a where a.slide_id = c.slide_id
                             and a.glass_id = g.id and a.undone_by is not null)
           order by g.id limit 20""",
        [slide_id],
    )
    return [NamedGlass(row["id"], row["is_living"]) for row in await cursor.fetchall()]


async def all_named(connection: Connection, slide_id: UUID) -> set[UUID]:
    """As `glasses_of_label`, and those from which a person has taken the slide away."""
    cursor = await connection.execute(
        """select g.id from slide_code c join glass g
               on g.establishment_id = c.establishment_id and g.folded = c.code
           where c.slide_id = %s limit 100""",
        [slide_id],
    )
    return {row["id"] for row in await cursor.fetchall()}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A slide without a glass that may be a glass's image."""

    slide_id: UUID
    was_its: bool
    """Until the glass was cancelled, and it waits since; else its label reads the glass."""


async def slides_waiting(connection: Connection, glass_id: UUID) -> list[Candidate]:
    """Those that were its before those whose labels read it, oldest first; at most 100 of each.

    None were its while it is cancelled.
    """
    cursor = await connection.execute(
        """(select s.id, true as was_its, s.published_at
            from attachment a join slide s on s.id = a.slide_id
                join glass g on g.id = a.glass_id
            where a.glass_id = %(glass)s and g.cancelled_at is null
              and s.unidentified = 'cancelled'
              and a.id = (select last.id from attachment last where last.slide_id = s.id
                          order by last.attached_at desc, last.id desc limit 1)
            order by s.published_at, s.id limit 100)
           union all
           (select s.id, false, s.published_at
            from glass g
                join slide_code c
                    on c.establishment_id = g.establishment_id and c.code = g.folded
                join slide s on s.id = c.slide_id
            where g.id = %(glass)s and s.glass_id is null
            order by s.published_at, s.id limit 100)
           order by was_its desc, published_at, id""",
        {"glass": glass_id},
    )
    return [Candidate(row["id"], row["was_its"]) for row in await cursor.fetchall()]


async def unidentified(
    connection: Connection, *, limit: int, after: tuple[datetime, UUID] | None = None
) -> list[Waiting]:
    """Slides without a glass, newest first; `after` is the last of the page before."""
    cursor = await connection.execute(
        """select s.id, s.file_name, s.published_at, s.unidentified, s.facts,
                  exists (select from instance i where i.slide_id = s.id and i.level is null
                          and i.role = 'label') as has_label,
                  exists (select from instance i where i.slide_id = s.id and i.level is null
                          and i.role = 'overview') as has_overview
           from slide s
           where s.unidentified is not null
             and (%(at)s::timestamptz is null or (s.published_at, s.id) < (%(at)s, %(id)s::uuid))
           order by s.published_at desc, s.id desc limit %(limit)s""",
        {
            "limit": limit,
            "at": after[0] if after else None,
            "id": after[1] if after else None,
        },
    )
    return [_waiting(row) for row in await cursor.fetchall()]


def _waiting(row: dict[str, Any]) -> Waiting:
    facts = SlideFacts.model_validate(row["facts"])
    return Waiting(
        slide_id=row["id"],
        file_name=row["file_name"],
        published_at=row["published_at"],
        reason=Unidentified(row["unidentified"]),
        codes=facts.barcodes,
        has_label=row["has_label"],
        has_overview=row["has_overview"],
        first_is_scanners=facts.barcode_contradicts,
    )


async def count(connection: Connection, most: int = 1000) -> int:
    """Slides without a glass, at most `most`."""
    cursor = await connection.execute(
        """select count(*) as n from (select from slide where unidentified is not null limit %s)
           few""",
        [most],
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row["n"])
