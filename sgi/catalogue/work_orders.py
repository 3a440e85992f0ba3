"""What pathologists ask the laboratory to do: recuts, stains, new scans of a glass."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sgi.catalogue import case_history, cases, outbox, rescans, specimens
from sgi.catalogue.case_history import Author, Happening, by_message
from sgi.catalogue.case_rows import codes_json, codes_of
from sgi.catalogue.case_states import locked
from sgi.catalogue.database import Connection
from sgi.domain.case import Asset, AssetKind, Code, WorkKind, WorkOrder, WorkState
from sgi.errors import ConflictError, NotFoundError


def _order(row: dict[str, Any]) -> WorkOrder:
    taken = {name: row[name] for name in WorkOrder.__slots__ if name in row}
    return WorkOrder(
        **{
            **taken,
            "kind": WorkKind(row["kind"]),
            "state": WorkState(row["state"]),
            "stains": codes_of(row["stains"]),
        }
    )


async def by_id(connection: Connection, order_id: UUID) -> WorkOrder | None:
    cursor = await connection.execute("select * from work_order where id = %s", [order_id])
    row = await cursor.fetchone()
    return None if row is None else _order(row)


async def of_case(connection: Connection, case_id: UUID) -> list[WorkOrder]:
    """Oldest first."""
    cursor = await connection.execute(
        "select * from work_order where case_id = %s order by asked_at, id", [case_id]
    )
    return [_order(row) for row in await cursor.fetchall()]


async def ask(
    connection: Connection,
    case_id: UUID,
    kind: WorkKind,
    parent_identifier: str,
    stains: tuple[Code, ...],
    words: str | None,
    author: Author,
) -> WorkOrder:
    """Ask for a recut or a stain of one of the case's blocks or specimens; the laboratory is told.

    Raises NotFoundError where the case has no such living block.
    """
    await locked(connection, case_id)
    cursor = await connection.execute(
        """select 1 from specimen
           where case_id = %s and identifier = %s and cancelled_at is null""",
        [case_id, parent_identifier],
    )
    if await cursor.fetchone() is None:
        raise NotFoundError("The case has no such block.")
    order = await _add(connection, case_id, kind, parent_identifier, stains, words, None, author)
    await cases.reassess(connection, case_id)
    return order


async def ask_rescan(
    connection: Connection, case_id: UUID, glass_id: UUID, reason: str, author: Author
) -> WorkOrder:
    """Ask for a new scan of a glass: the scanner's room and the laboratory are told.

    The next scan of it that comes in ends it. Raises NotFoundError for a glass that is not the
    case's, ConflictError for one that is cancelled, or asked for already.
    """
    await locked(connection, case_id)
    cursor = await connection.execute(
        "select * from glass where id = %s and case_id = %s for no key update",
        [glass_id, case_id],
    )
    glass = await cursor.fetchone()
    if glass is None:
        raise NotFoundError("The case has no such slide.")
    if glass["rescan_asked_at"] is not None or glass["cancelled_at"] is not None:
        raise ConflictError("A new scan is asked for already, or the slide is cancelled.")
    await connection.execute(
        """update glass set rescan_asked_at = now(), rescan_reason = %s, rescan_asked_by = %s
           where id = %s""",
        [reason, author.account_name, glass_id],
    )
    order = await _add(
        connection, case_id, WorkKind.RESCAN, glass["identifier"], (), reason, glass_id, author
    )
    await cases.reassess(connection, case_id)
    return order


async def withdraw_rescan(
    connection: Connection, case_id: UUID, glass_id: UUID, author: Author
) -> WorkOrder:
    """Take back that a new scan was asked for.

    Raises NotFoundError for a glass that is not the case's, ConflictError where none is asked for.
    """
    await locked(connection, case_id)
    cursor = await connection.execute(
        "select * from glass where id = %s and case_id = %s for no key update",
        [glass_id, case_id],
    )
    glass = await cursor.fetchone()
    if glass is None:
        raise NotFoundError("The case has no such slide.")
    order_id = await rescans.withdraw(connection, glass_id)
    if order_id is not None:
        await outbox.forget_work(connection, order_id)
    order = None if order_id is None else await by_id(connection, order_id)
    if glass["rescan_asked_at"] is None or order is None:
        raise ConflictError("No new scan of the slide is asked for.")
    await case_history.add(
        connection,
        case_id,
        Happening.WORK_ANSWERED,
        author,
        before=glass["identifier"],
        after=WorkState.WITHDRAWN,
    )
    await cases.reassess(connection, case_id)
    return order


async def withdraw(
    connection: Connection, case_id: UUID, order_id: UUID, author: Author
) -> WorkOrder:
    """Take back what was asked for, and what has not gone out of it to the laboratory.

    Raises NotFoundError for what is not the case's, ConflictError for what the laboratory has taken
    on or refused, or that was withdrawn before.
    """
    await locked(connection, case_id)
    cursor = await connection.execute(
        "select * from work_order where id = %s and case_id = %s", [order_id, case_id]
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("The case has no such request.")
    order = _order(row)
    if order.state is not WorkState.ASKED:
        raise ConflictError("The laboratory has answered, or it was withdrawn; look at it again.")
    if order.kind is WorkKind.RESCAN and order.glass_id is not None:
        return await withdraw_rescan(connection, case_id, order.glass_id, author)
    await connection.execute(
        "update work_order set state = 'withdrawn', state_at = now() where id = %s", [order_id]
    )
    await outbox.forget_work(connection, order_id)
    await case_history.add(
        connection,
        case_id,
        Happening.WORK_ANSWERED,
        author,
        before=order.parent_identifier,
        after=WorkState.WITHDRAWN,
    )
    await cases.reassess(connection, case_id)
    return await by_id(connection, order_id) or order


async def to_rescan(connection: Connection, limit: int = 500) -> list[dict[str, Any]]:
    """Every glass that is to be scanned again, longest asked first: the scanner room's list."""
    cursor = await connection.execute(
        """select g.id as glass_id, g.identifier, g.stains, g.rescan_asked_at, g.rescan_reason,
               g.rescan_asked_by, c.id as case_id, c.accession_number, c.priority, c.extemporane
           from glass g left join lab_case c on c.id = g.case_id
           where g.rescan_asked_at is not null and g.cancelled_at is null
           order by c.urgency nulls last, g.rescan_asked_at, g.id limit %s""",
        [limit],
    )
    return [{**row, "stains": codes_of(row["stains"])} for row in await cursor.fetchall()]


async def accept_work_order(
    connection: Connection,
    establishment_id: UUID,
    *,
    placer_number: str,
    filler_number: str | None,
    temporary_id: str | None,
    asset: Asset | None,
    said_at: datetime,
    source: str,
) -> UUID | None:
    """The laboratory takes on what we asked for, and names the slide that will come of it.

    None where we asked for no such thing.
    """
    cursor = await connection.execute(
        """select w.*, c.accession_number
           from work_order w join lab_case c on c.id = w.case_id
           where w.placer_number = %(number)s or w.temporary_id = %(temporary)s::text
           order by w.placer_number = %(number)s desc, w.asked_at desc limit 1""",
        {"number": placer_number, "temporary": temporary_id},
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    glass_id = row["glass_id"]
    if asset is not None:
        home = asset.accession_number or row["accession_number"]
        asset = replace(asset, accession_number=home)
        asset_id = await specimens.record_asset(
            connection, establishment_id, asset, said_at=said_at, source=source
        )
        glass_id = asset_id if asset.kind is AssetKind.SLIDE else glass_id
    await _answer(
        connection,
        row,
        WorkState.ACCEPTED,
        by_message(source, said_at),
        said_at,
        filler_number=filler_number,
        glass_id=glass_id,
    )
    found: UUID = row["id"]
    return found


async def refuse(
    connection: Connection, placer_number: str, why: str | None, *, said_at: datetime, source: str
) -> UUID | None:
    """The laboratory says no; None where we asked for no such thing."""
    cursor = await connection.execute(
        "select * from work_order where placer_number = %s", [placer_number]
    )
    row = await cursor.fetchone()
    if row is None:
        return None
    author = by_message(source, said_at)
    await _answer(connection, row, WorkState.REFUSED, author, said_at, refused_why=why)
    found: UUID = row["id"]
    return found


async def _add(
    connection: Connection,
    case_id: UUID,
    kind: WorkKind,
    parent_identifier: str,
    stains: tuple[Code, ...],
    words: str | None,
    glass_id: UUID | None,
    author: Author,
) -> WorkOrder:
    order_id = uuid4()
    number = f"W{order_id.hex[:16].upper()}"  # EI.1 may be no longer than 20 in many systems
    cursor = await connection.execute(
        """insert into work_order (id, establishment_id, case_id, kind, parent_identifier, stains,
               words, placer_number, temporary_id, glass_id, asked_by, asked_name)
           select %s, establishment_id, id, %s, %s, %s, %s, %s, %s, %s, %s, %s
           from lab_case where id = %s returning *""",
        [
            order_id,
            kind,
            parent_identifier,
            codes_json(stains),
            words,
            number,
            parent_identifier if kind is WorkKind.RESCAN else f"TMP-{number}",
            glass_id,
            author.account_id,
            author.account_name,
            case_id,
        ],
    )
    row = await cursor.fetchone()
    if row is None:
        raise NotFoundError("There is no such case.")
    happening = Happening.RESCAN_ASKED if kind is WorkKind.RESCAN else Happening.WORK_ASKED
    await case_history.add(
        connection, case_id, happening, author, before=parent_identifier, after=kind, why=words
    )
    await outbox.work_order(connection, row["establishment_id"], order_id)
    return _order(row)


async def _answer(
    connection: Connection,
    row: dict[str, Any],
    state: WorkState,
    author: Author,
    said_at: datetime,
    *,
    filler_number: str | None = None,
    glass_id: UUID | None = None,
    refused_why: str | None = None,
) -> None:
    """Once done or withdrawn it stays so; an older answer or the same again is no news."""
    await locked(connection, row["case_id"])
    cursor = await connection.execute(
        """update work_order set state = %(state)s, state_at = now(), said_at = %(at)s,
               filler_number = coalesce(%(filler)s, filler_number),
               glass_id = coalesce(%(glass)s, glass_id), refused_why = %(why)s
           where id = %(id)s and state not in ('done', 'withdrawn')
             and (said_at is null or said_at <= %(at)s)
             and (state, glass_id, filler_number, refused_why) is distinct from (%(state)s,
                 coalesce(%(glass)s, glass_id), coalesce(%(filler)s, filler_number), %(why)s)
           returning id""",
        {
            "state": state,
            "at": said_at,
            "filler": filler_number,
            "glass": glass_id,
            "why": refused_why,
            "id": row["id"],
        },
    )
    if await cursor.fetchone() is not None:
        if WorkKind(row["kind"]) is WorkKind.RESCAN:
            await rescans.answered(connection, row["id"], refused=state is WorkState.REFUSED)
        await case_history.add(
            connection,
            row["case_id"],
            Happening.WORK_ANSWERED,
            author,
            before=row["parent_identifier"],
            after=state,
            why=refused_why,
        )
        await cases.reassess(connection, row["case_id"])
