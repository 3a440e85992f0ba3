"""Attachments as they are read: of which glass a slide is and was said to be, by whom and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.facts import SlideFacts
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
_RECENT = """
    select told.*, s.file_name, s.facts, g.stains, p.id as patient_id, p.birth_name,
           p.first_given_name, p.birth_date, p.sex,
           exists (select from instance i where i.slide_id = s.id and i.level is null
                   and i.role = 'label') as has_label,
           exists (select from instance i where i.slide_id = s.id and i.level is null
                   and i.role = 'overview') as has_overview
"""
_WITH_PATIENTS = """
    join slide s on s.id = told.slide_id
    join glass g on g.id = told.glass_id
    left join lab_case c on c.id = told.case_id
    left join patient gone on gone.id = c.patient_id
    left join patient p on p.id = coalesce(gone.merged_into, gone.id)
"""
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


@dataclass(frozen=True, slots=True)
class Recent:
    """An attachment with what its label reads, and whose the glass is now."""

    attachment: Attachment
    file_name: str
    codes: tuple[str, ...]
    """As they were read: the file's own first."""
    has_label: bool
    has_overview: bool
    stains: tuple[str, ...]
    patient_id: UUID | None
    patient_name: str | None
    birth_date: date | None
    sex: str | None


def _recent(row: dict[str, Any]) -> Recent:
    names = [row["birth_name"], row["first_given_name"]]
    return Recent(
        attachment=_attachment(row),
        file_name=row["file_name"],
        codes=SlideFacts.model_validate(row["facts"]).barcodes,
        has_label=row["has_label"],
        has_overview=row["has_overview"],
        stains=tuple(each.get("text") or each.get("code", "") for each in row["stains"]),
        patient_id=row["patient_id"],
        patient_name=" ".join(name for name in names if name) or None,
        birth_date=row["birth_date"],
        sex=row["sex"],
    )


async def latest(connection: Connection, limit: int = 50) -> list[Recent]:
    """What a person should look at again, because the laboratory has named another glass since;
    then what persons attached and took back lately, the newest first: what they may want undone.
    """
    cursor = await connection.execute(
        f"""with latest as materialized (
                (select * from attachment where how = 'person' or undone_by is not null
                 order by changed_at desc, id limit %s)
                union
                (select * from ({_CONTRADICTED}) contradicted limit %s))
            {_RECENT} from ({_ATTACHMENTS.replace("attachment a", "latest a")}) told
            {_WITH_PATIENTS}
            order by told.label_names is null, told.changed_at desc, told.id""",  # noqa: S608 - constants
        [limit, limit],
    )
    return [_recent(row) for row in await cursor.fetchall()]


async def count_contradicted(connection: Connection) -> int:
    """Slides whose labels name a glass that was registered after a person chose another for them;
    at most 1000.
    """
    cursor = await connection.execute(
        f"select count(*) as n from ({_CONTRADICTED}) contradicted"  # noqa: S608 - constants
    )
    row = await cursor.fetchone()
    return 0 if row is None else int(row["n"])
