"""Attachments as they are read: of which glass a slide is and was said to be, by whom and why."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.identification import How


@dataclass(frozen=True, slots=True)
class Attachment:
    """A slide is, or was, held for the image of a glass; of its end all is None while it is."""

    id: UUID
    slide_id: UUID
    glass_id: UUID
    glass_identifier: str
    case_id: UUID | None
    accession_number: str | None
    case_signed_out: bool
    how: How
    attached_at: datetime
    attached_by: UUID | None
    attached_name: str | None
    undone_at: datetime | None
    undone_by: UUID | None
    undone_name: str | None
    undo_reason: str | None
    label_names: str | None
    """The identifier of another glass, registered after a person chose this one, that the slide's
    label names: nothing moves it there by itself."""


_MOST_CONTRADICTED = 1000
_REGISTERED_SINCE = """
    from slide_code read join glass named
        on named.establishment_id = read.establishment_id and named.folded = read.code
    where read.slide_id = a.slide_id and a.how = 'person' and a.undone_at is null
      and named.cancelled_at is null and named.created_at > a.attached_at
      and not exists (
          select from slide_code own join glass g on g.folded = own.code
          where own.slide_id = a.slide_id and g.id = a.glass_id)
"""
_ATTACHMENTS = f"""
    select a.*, (select min(named.identifier) {_REGISTERED_SINCE}) as label_names,
           g.identifier, g.case_id, c.accession_number,
           coalesce(c.state = 'signed_out', false) as case_signed_out, one.name as attached_name,
           other.name as undone_name
    from attachment a join glass g on g.id = a.glass_id
        left join lab_case c on c.id = g.case_id
        left join account one on one.id = a.attached_by
        left join account other on other.id = a.undone_by
"""  # noqa: S608 - constants
_CONTRADICTED = f"""
    select a.* from attachment a
    where a.how = 'person' and a.undone_at is null and exists (select {_REGISTERED_SINCE})
    limit {_MOST_CONTRADICTED}
"""  # noqa: S608 - constants


def _attachment(row: dict[str, Any]) -> Attachment:
    return Attachment(
        id=row["id"],
        slide_id=row["slide_id"],
        glass_id=row["glass_id"],
        glass_identifier=row["identifier"],
        case_id=row["case_id"],
        accession_number=row["accession_number"],
        case_signed_out=row["case_signed_out"],
        how=How(row["how"]),
        attached_at=row["attached_at"],
        attached_by=row["attached_by"],
        attached_name=row["attached_name"],
        undone_at=row["undone_at"],
        undone_by=row["undone_by"],
        undone_name=row["undone_name"],
        undo_reason=row["undo_reason"],
        label_names=row["label_names"],
    )


async def of_slide(connection: Connection, slide_id: UUID) -> list[Attachment]:
    """Every one that the slide ever had, oldest first."""
    cursor = await connection.execute(
        _ATTACHMENTS + "where a.slide_id = %s order by a.attached_at, a.id", [slide_id]
    )
    return [_attachment(row) for row in await cursor.fetchall()]


async def latest(connection: Connection, limit: int = 50) -> list[Attachment]:
    """What a person should look at again, because the laboratory has named another glass since;
    then what persons attached and took back lately, the newest first: what they may want undone.
    """
    cursor = await connection.execute(
        f"""with latest as materialized (
                (select * from attachment where how = 'person' or undone_by is not null
                 order by changed_at desc, id limit %s)
                union
                (select * from ({_CONTRADICTED}) contradicted limit %s))
            select * from ({_ATTACHMENTS.replace("attachment a", "latest a")}) told
            order by label_names is null, changed_at desc, id""",  # noqa: S608 - constants
        [limit, limit],
    )
    return [_attachment(row) for row in await cursor.fetchall()]


async def count_contradicted(connection: Connection) -> int:
    """Slides whose labels name a glass that was registered after a person chose another for them;
    at most 1000.
    """
    cursor = await connection.execute(
        f"select count(*) as n from ({_CONTRADICTED}) contradicted"  # noqa: S608 - constants
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row["n"])
