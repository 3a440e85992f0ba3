"""Cases as rows: what the laboratory says of them, where they stand, and what moves them on."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql
from psycopg.types.json import Jsonb

from dicom.uids import derived_uid
from sgi.catalogue import assignments, case_history, reports, turnaround
from sgi.catalogue.case_history import Author, Happening, by_message
from sgi.catalogue.case_rows import case_of, code_json
from sgi.catalogue.case_states import (
    FINAL_SAID,
    LOCKED,
    STATE_SAID,
    Held,
    advance,
    follow_final,
    hold,
    locked,
    reassess,
)
from sgi.catalogue.database import Connection
from sgi.domain.case import UNREAD, Case, CaseEvent, CaseSaid, CaseState, state_after
from sgi.domain.newest import (
    cancelled_after_cancel,
    cancelled_after_record,
    newest,
    times_after,
)

__all__ = [
    "advance",
    "by_accession",
    "by_id",
    "cancel_case",
    "ensure",
    "hold",
    "reassess",
    "record_case",
]

_RECORDED = "recorded"
"""In `times`: when the case was last said to be there; absent where only its slides named it."""
_DUE_BY = frozenset({"priority", "extemporane", "received_at"})
_NUMBERS = frozenset({"placer_number", "filler_number", "patient_id"})
"""By which a report that waits may find its case."""
_BY_WORD = -1


async def by_id(connection: Connection, case_id: UUID) -> Case | None:
    cursor = await connection.execute("select * from lab_case where id = %s", [case_id])
    row = await cursor.fetchone()
    return None if row is None else case_of(row)


async def by_accession(connection: Connection, accession_number: str) -> Case | None:
    """The case of that number, as the laboratory writes it."""
    cursor = await connection.execute(
        "select * from lab_case where accession_number = %s", [accession_number]
    )
    row = await cursor.fetchone()
    return None if row is None else case_of(row)


async def ensure(
    connection: Connection, establishment_id: UUID, accession_number: str, said_at: datetime
) -> UUID:
    """The case of that number; made, with nothing known of it, where it is not there."""
    cursor = await connection.execute(
        "select id from lab_case where establishment_id = %s and accession_number = %s",
        [establishment_id, accession_number],
    )
    row = await cursor.fetchone()
    if row is None:
        row, _ = await _made(connection, establishment_id, accession_number, said_at)
        await turnaround.set_due(connection, row["id"])
    found: UUID = row["id"]
    return found


async def _named(
    connection: Connection, establishment_id: UUID, accession_number: str, said_at: datetime
) -> tuple[dict[str, Any], bool]:
    """As `ensure`: its row, locked, and whether it was made; when it is due is then to be said."""
    cursor = await connection.execute(
        f"""{LOCKED} where c.establishment_id = %s and c.accession_number = %s
            for no key update of c""",
        [establishment_id, accession_number],
    )
    row = await cursor.fetchone()
    if row is not None:
        return row, False
    return await _made(connection, establishment_id, accession_number, said_at)


async def _made(
    connection: Connection, establishment_id: UUID, accession_number: str, said_at: datetime
) -> tuple[dict[str, Any], bool]:
    case_id = uuid4()
    cursor = await connection.execute(
        """insert into lab_case as c
               (id, establishment_id, accession_number, study_uid, received_at, said_at)
           values (%s, %s, %s, %s, %s, %s)
           on conflict (establishment_id, accession_number) do nothing
           returning c.*, exists (select from assignment_rule) as is_ruled""",
        [
            case_id,
            establishment_id,
            accession_number,
            derived_uid(case_id, "case"),
            said_at,
            said_at,
        ],
    )
    row = await cursor.fetchone()
    if row is not None:
        return row, True
    # Somebody else has made it at the same time, and was waited for.
    return await _named(connection, establishment_id, accession_number, said_at)


async def record_case(
    connection: Connection,
    establishment_id: UUID,
    case: CaseSaid,
    patient_id: UUID | None,
    *,
    said_at: datetime,
    source: str,
    held: Held | None = None,
) -> UUID:
    """What a message says of a case; an older one changes nothing that a newer one said.

    Where all of it was known, the case is put into `held`.
    """
    author = by_message(source, said_at)
    before, is_made = await _named(connection, establishment_id, case.accession_number, said_at)
    case_id: UUID = before["id"]
    times: dict[str, str] = before["times"]
    columns = _columns(case, patient_id)
    taken = newest(times, columns, said_at)
    is_first = _RECORDED not in times
    recorded_at = said_at if is_first else max(said_at, datetime.fromisoformat(times[_RECORDED]))
    # Each slide of a case repeats all that is said of the case: what is known costs nothing.
    changed = {name: value for name, value in taken.items() if before[name] != _plain(value)}
    columns_after = {
        "times": {**times_after(times, taken, said_at), _RECORDED: recorded_at.isoformat()},
        "said_at": max(before["said_at"], said_at),
        "cancel_said_at": cancelled_after_record(before["cancel_said_at"], said_at),
    }
    await _set(
        connection,
        case_id,
        changed | {k: v for k, v in columns_after.items() if before[k] != v},
    )
    await _note_changes(connection, case_id, before, taken, author, is_first=is_first)
    if is_first or not _DUE_BY.isdisjoint(changed):
        await turnaround.set_due(connection, case_id)
    # Each slide's message repeats the pathologist; who was given the case since keeps it.
    is_news = "pathologist" in changed or before["assigned_rule"] != _BY_WORD
    is_given = case.pathologist is not None and "pathologist" in taken and is_news
    if case.pathologist is not None and is_given:
        await assignments.assign_named(connection, case_id, case.pathologist, author)
    # Of a case that was not there, nothing is cancelled, and nothing is there to be counted.
    if not is_made and (is_first or before["cancel_said_at"] is not None):
        await _follow_cancellation(connection, case_id, author)
    if before["is_ruled"] and (is_first or changed):
        await assignments.assign_by_rules(connection, case_id)
    if case.state is not None:
        await _follow_laboratory(connection, case_id, case.state, said_at, author)
    if is_first or not _NUMBERS.isdisjoint(changed):  # not before it is known whose it is
        await reports.take_waiting(connection, case_id)
    is_other = is_first or changed or is_given or case.state or before["cancel_said_at"]
    if held is not None and not is_other:
        held[case_id] = before | columns_after
    return case_id


async def cancel_case(
    connection: Connection,
    establishment_id: UUID,
    accession_number: str,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """The laboratory cancels the case, also one that is still to be recorded."""
    case_id = await ensure(connection, establishment_id, accession_number, said_at)
    before = await locked(connection, case_id)
    recorded = before["times"].get(_RECORDED)
    await connection.execute(
        """update lab_case set cancel_said_at = %s, said_at = greatest(said_at, %s)
           where id = %s""",
        [
            cancelled_after_cancel(
                before["cancel_said_at"],
                None if recorded is None else datetime.fromisoformat(recorded),
                said_at,
            ),
            said_at,
            case_id,
        ],
    )
    await _follow_cancellation(connection, case_id, by_message(source, said_at))
    return case_id


def _columns(case: CaseSaid, patient_id: UUID | None) -> dict[str, Any]:
    service = code_json(case.service)
    return {
        "placer_number": case.placer_number,
        "filler_number": case.filler_number,
        "patient_id": patient_id,
        "priority": case.priority,
        "extemporane": case.extemporane,
        "service": None if service is None else Jsonb(service),
        "clinical_information": case.clinical_information,
        "comment": case.comment,
        "visit_number": case.visit_number,
        "pathologist": case.pathologist,
        "pathologist_name": case.pathologist_name,
        "received_at": case.received_at,
    }


async def _set(connection: Connection, case_id: UUID, taken: dict[str, Any]) -> None:
    if taken:
        columns = sql.SQL(", ").join(
            sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in taken
        )
        values = {k: Jsonb(v) if isinstance(v, dict) else v for k, v in taken.items()}
        await connection.execute(
            sql.SQL("update lab_case set {} where id = %(id)s").format(columns),
            {**values, "id": case_id},
        )


def _plain(value: object) -> object:
    """As a row gives it back."""
    return value.obj if isinstance(value, Jsonb) else value


async def _note_changes(
    connection: Connection,
    case_id: UUID,
    before: dict[str, Any],
    taken: dict[str, Any],
    author: Author,
    *,
    is_first: bool,
) -> None:
    for name, kind in (
        ("priority", Happening.PRIORITY),
        ("extemporane", Happening.EXTEMPORANE),
        ("patient_id", Happening.PATIENT),
    ):
        if is_first or name not in taken or before[name] in (None, taken[name]):
            continue
        old, new = (_word(value) for value in (before[name], taken[name]))
        await case_history.add(connection, case_id, kind, author, before=old, after=new)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _follow_cancellation(connection: Connection, case_id: UUID, author: Author) -> None:
    row = await locked(connection, case_id)
    cancelled = row["cancel_said_at"] is not None
    state = CaseState(row["state"])
    if cancelled and state is not CaseState.CANCELLED:
        await advance(connection, case_id, CaseEvent.CANCEL, author)
    elif not cancelled and state is CaseState.CANCELLED:
        await advance(connection, case_id, CaseEvent.RESTORE, author)
        if FINAL_SAID in row["times"]:
            await advance(connection, case_id, CaseEvent.FINAL, author)
    elif state in UNREAD:
        await reassess(connection, row)


async def _follow_laboratory(
    connection: Connection, case_id: UUID, said: CaseState, said_at: datetime, author: Author
) -> None:
    """What the laboratory's system says of the state, where it is its to say.

    It closes a case and takes that back; how far the images are, only we know.
    """
    if said is CaseState.SIGNED_OUT:
        await follow_final(connection, case_id, said_at, author)
        return
    row = await locked(connection, case_id)
    times: dict[str, str] = row["times"]
    if STATE_SAID not in newest(times, {STATE_SAID: said}, said_at):
        return
    after = {name: time for name, time in times.items() if name != FINAL_SAID}
    after[STATE_SAID] = said_at.isoformat()
    await connection.execute(
        "update lab_case set times = %s where id = %s", [Jsonb(after), case_id]
    )
    events = []
    if FINAL_SAID in times and CaseState(row["state"]) is CaseState.SIGNED_OUT:
        events.append(CaseEvent.REOPEN)
    if said is CaseState.CANCELLED:
        events = [CaseEvent.CANCEL]
    elif said is CaseState.REPORTED:
        events.append(CaseEvent.REPORT)
    for event in events:
        state = CaseState((await locked(connection, case_id))["state"])
        if state_after(state, event) not in (None, state):
            await advance(connection, case_id, event, author)
