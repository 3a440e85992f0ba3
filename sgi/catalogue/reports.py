"""Reports of the laboratory, kept whole: every version, also those replaced and deleted."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue import case_history
from sgi.catalogue.case_history import Author, Happening, by_message
from sgi.catalogue.case_rows import code_json, code_of
from sgi.catalogue.case_states import advance, follow_final, locked
from sgi.catalogue.database import Connection
from sgi.domain.case import CaseEvent, CaseState, Code, state_after
from sgi.errors import IdentityConflictError, NotFoundError

FINAL = "final"
PRELIMINARY = "preliminary"
REPLACED = "replaced"
DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What a message says of a report; `status` is one of the four words above."""

    accession_number: str | None
    placer_number: str | None
    status: str
    document_id: str | None
    replaces: str | None
    title: Code | None
    media_type: str
    content: bytes
    patient_id: UUID | None = None
    """Whom it is about, where the message says."""


@dataclass(frozen=True, slots=True)
class Report:
    """A report on record, its content left out."""

    id: UUID
    case_id: UUID | None
    status: str
    document_id: str | None
    title: Code | None
    media_type: str
    size_bytes: int
    sha256: str
    said_at: datetime
    attached_at: datetime
    withdrawn_at: datetime | None
    """Since when a later one replaces or deletes it; kept all the same."""


_REPORT = """
    select id, case_id, status, document_id, title, media_type, octet_length(content) as size_bytes,
        sha256, said_at, attached_at, withdrawn_at
    from report
"""


def _report(row: dict[str, Any]) -> Report:
    return Report(**{**row, "title": code_of(row["title"]), "sha256": row["sha256"].hex()})


async def attach_report(
    connection: Connection,
    establishment_id: UUID,
    report: ReportRow,
    *,
    said_at: datetime,
    source: str,
) -> UUID | None:
    """Keep a report and attach it to its case, by accession number, else by the placer's; one whose
    case is not there yet waits for it. None where the very same is on record.

    A report that replaces or deletes another withdraws it, whichever came first. Raises
    IdentityConflictError where the case is of another patient, NotFoundError for one that names
    nothing but a document which is not there.
    """
    if report.accession_number is None and report.placer_number is None:
        report = await _named_as_before(connection, report)
    case_id = await _numbered(connection, report.accession_number, report.placer_number)
    if case_id is not None and not await _is_of_patient(connection, case_id, report.patient_id):
        raise IdentityConflictError(
            "The report is of another patient than the case that it names; look at both."
        )
    cursor = await connection.execute(
        """insert into report (establishment_id, accession_number, placer_number, status,
               document_id, replaces, title, media_type, content, sha256, said_at, source,
               patient_id)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
           on conflict do nothing returning id""",
        [
            establishment_id,
            report.accession_number,
            report.placer_number,
            report.status,
            report.document_id,
            report.replaces,
            None if report.title is None else Jsonb(code_json(report.title)),
            report.media_type,
            report.content,
            hashlib.sha256(report.content).digest(),
            said_at,
            source,
            report.patient_id,
        ],
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    report_id: UUID = row["id"]
    if case_id is not None:
        await _take(connection, case_id, report_id)
    return report_id


async def take_waiting(connection: Connection, case_id: UUID) -> None:
    """Attach the reports that waited for this case, by any of its numbers; those of another patient
    go on waiting, and those whose number is two cases'.
    """
    cursor = await connection.execute(
        """select r.id, r.patient_id, r.accession_number, r.placer_number
           from report r join lab_case c on c.id = %s
               and (r.accession_number in (c.accession_number, c.filler_number)
                    or r.placer_number = c.placer_number)
           where r.case_id is null order by r.said_at, r.attached_at""",
        [case_id],
    )
    for row in await cursor.fetchall():
        if await _numbered(connection, row["accession_number"], row["placer_number"]) != case_id:
            continue
        if await _is_of_patient(connection, case_id, row["patient_id"]):
            await _take(connection, case_id, row["id"])


async def of_case(connection: Connection, case_id: UUID) -> list[Report]:
    """Oldest first, withdrawn ones too."""
    cursor = await connection.execute(
        _REPORT + "where case_id = %s order by said_at, attached_at", [case_id]
    )
    return [_report(row) for row in await cursor.fetchall()]


async def content(
    connection: Connection, case_id: UUID, report_id: UUID
) -> tuple[Report, bytes] | None:
    """A report of the case, whole."""
    cursor = await connection.execute(
        _REPORT + "where case_id = %s and id = %s", [case_id, report_id]
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    cursor = await connection.execute("select content from report where id = %s", [report_id])
    whole = await cursor.fetchone()
    return None if whole is None else (_report(row), bytes(whole["content"]))


async def _named_as_before(connection: Connection, report: ReportRow) -> ReportRow:
    """With the numbers of the report that it names; raises NotFoundError where none is there."""
    cursor = await connection.execute(
        """select coalesce(c.accession_number, r.accession_number) as accession_number,
               r.placer_number, coalesce(%s, r.patient_id) as patient_id
           from report r left join lab_case c on c.id = r.case_id
           where r.document_id = %s order by r.said_at desc, r.attached_at desc limit 1""",
        [report.patient_id, report.replaces or report.document_id],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such report; name the case that it is about.")
    return replace(report, **row)


async def _numbered(
    connection: Connection, accession_number: str | None, placer_number: str | None
) -> UUID | None:
    """The one case of these numbers, the accession number first."""
    for query, value in (
        ("select id from lab_case where accession_number = %s limit 2", accession_number),
        ("select id from lab_case where placer_number = %s limit 2", placer_number),
        ("select id from lab_case where filler_number = %s limit 2", accession_number),
    ):
        if value is None:
            continue
        cursor = await connection.execute(query, [value])
        rows = await cursor.fetchall()
        if len(rows) == 1:
            found: UUID = rows[0]["id"]
            return found
    return None


async def _is_of_patient(connection: Connection, case_id: UUID, patient_id: UUID | None) -> bool:
    """Whether a case may be that patient's: False only where both are known and differ."""
    cursor = await connection.execute(
        """select coalesce(mine.merged_into, mine.id) <> coalesce(other.merged_into, other.id)
               as differs
           from lab_case c join patient mine on mine.id = c.patient_id
               join patient other on other.id = %s
           where c.id = %s""",
        [patient_id, case_id],
    )
    row = await cursor.fetchone()
    return row is None or not row["differs"]


async def _take(connection: Connection, case_id: UUID, report_id: UUID) -> None:
    await locked(connection, case_id)
    cursor = await connection.execute(
        "update report set case_id = %s where id = %s returning *", [case_id, report_id]
    )
    report = await cursor.fetchone()
    if report is None:
        return
    author = by_message(report["source"] or "", report["said_at"])
    await _withdraw(connection, case_id, report, author)
    await connection.execute(
        """update lab_case set reports = (select count(*) from report
               where case_id = %(case)s and withdrawn_at is null and status <> 'deleted')
           where id = %(case)s""",
        {"case": case_id},
    )
    await case_history.add(
        connection, case_id, Happening.REPORT, author, after=report["status"], why=None
    )
    await _follow(connection, case_id, report, author)


async def _withdraw(
    connection: Connection, case_id: UUID, report: dict[str, Any], author: Author
) -> None:
    """Those that this one replaces, and this one where another that is there replaces it."""
    cursor = await connection.execute(
        """update report old set withdrawn_at = now(), withdrawn_by = later.id
           from report later
           where old.case_id = %(case)s and later.case_id = %(case)s and old.id <> later.id
             and (later.id = %(new)s or old.id = %(new)s)
             and old.withdrawn_at is null and later.status in ('replaced', 'deleted')
             and old.document_id is not null and later.said_at >= old.said_at
             and old.document_id = coalesce(later.replaces, later.document_id)
           returning old.id, old.document_id""",
        {"case": case_id, "new": report["id"]},
    )
    for row in await cursor.fetchall():
        await case_history.add(
            connection, case_id, Happening.REPORT_WITHDRAWN, author, before=row["document_id"]
        )


async def _follow(
    connection: Connection, case_id: UUID, report: dict[str, Any], author: Author
) -> None:
    """A final report closes the case, any other says that there is one."""
    if report["status"] == DELETED:
        return
    row = await locked(connection, case_id)
    state = CaseState(row["state"])
    if report["status"] == FINAL:
        await follow_final(connection, case_id, report["said_at"], author)
    elif state_after(state, CaseEvent.REPORT) not in (None, state):
        await advance(connection, case_id, CaseEvent.REPORT, author)
