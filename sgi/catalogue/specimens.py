"""Specimens, blocks and glass slides as rows: parents by name, which may come later than children.

A thing belongs to the case that the laboratory names with it, else to its parent's.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue import assignments, case_history, cases, rescans
from sgi.catalogue.case_history import Author, Happening, by_message
from sgi.catalogue.case_rows import KINDS, code_json, glass_of, specimen_of
from sgi.catalogue.case_states import locked
from sgi.catalogue.database import Connection
from sgi.domain.case import Asset, AssetKind, Code, Glass, Specimen
from sgi.domain.newest import (
    cancelled_after_cancel,
    cancelled_after_record,
    newest,
    times_after,
)

_RECORDED = "recorded"
_CASE = "case"
_TO_BE_SCANNED = "to_be_scanned"
_MOST_DEEP = 3
"""Specimen, block, glass: a loop in what the laboratory says ends here."""


async def record_asset(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """What a message says of a specimen, block or glass; an older one changes nothing newer.

    Its case is made where it is not there, its children find theirs by it, and where it was another
    case's before, both cases keep that. Returns the row's id.
    """
    author = by_message(source, said_at)
    case_id = await _case_said(connection, establishment_id, asset, said_at)
    row = await _ensure(connection, establishment_id, asset, said_at, case_id)
    times: dict[str, str] = row["times"]
    columns = {**_columns(asset), _CASE: case_id}
    taken = newest(times, columns, said_at)
    said = {name: value for name, value in taken.items() if name in _SAID}
    recorded = times.get(_RECORDED)
    recorded_at = max(said_at, datetime.fromisoformat(recorded)) if recorded else said_at
    table = _table(asset.kind)
    await connection.execute(
        f"""update {table} set said = said || %(said)s, times = %(times)s,
                parent_identifier = coalesce(%(parent)s, parent_identifier),
                said_at = greatest(said_at, %(at)s), cancelled_at = %(cancelled)s
            where id = %(id)s""",  # noqa: S608 - one of two names
        {
            "said": Jsonb(said),
            "times": Jsonb(
                {**times_after(times, taken, said_at), _RECORDED: recorded_at.isoformat()}
            ),
            "parent": taken.get("parent"),
            "at": said_at,
            "cancelled": cancelled_after_record(row["cancelled_at"], said_at),
            "id": row["id"],
        },
    )
    if asset.kind is AssetKind.SLIDE and any(
        name in taken and row[name] != taken[name]
        for name in ("stains", "technique", _TO_BE_SCANNED)
    ):
        await _set_glass(connection, row["id"], taken)
    home: UUID | None = case_id if _CASE in taken else None
    home = home or await _case_of_parent(connection, table, row["id"])
    touched = {row["case_id"]}
    if home is not None and (_CASE in taken or _CASE not in times):
        touched |= await _move(connection, asset, row, home, author)
    for touched_id in sorted(each for each in touched if each is not None):
        await cases.reassess(connection, touched_id)
        await assignments.assign_by_rules(connection, touched_id, author)
    found: UUID = row["id"]
    return found


async def cancel_asset(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """The laboratory cancels it, also before it is recorded; its children stay as they are."""
    row = await _ensure(connection, establishment_id, asset, said_at)
    recorded = row["times"].get(_RECORDED)
    cancelled_at = cancelled_after_cancel(
        row["cancelled_at"], datetime.fromisoformat(recorded) if recorded else None, said_at
    )
    await connection.execute(
        f"""update {_table(asset.kind)} set cancelled_at = %s, said_at = greatest(said_at, %s)
            where id = %s""",  # noqa: S608 - one of two names
        [cancelled_at, said_at, row["id"]],
    )
    if asset.kind is AssetKind.SLIDE and cancelled_at is not None:
        await rescans.withdraw(connection, row["id"])
    if row["case_id"] is not None:
        if row["cancelled_at"] is None and cancelled_at is not None:
            await case_history.add(
                connection,
                row["case_id"],
                Happening.ASSET_CANCELLED,
                by_message(source, said_at),
                before=asset.identifier,
            )
        await cases.reassess(connection, row["case_id"])
    found: UUID = row["id"]
    return found


async def glass_named(connection: Connection, identifier: str) -> Glass | None:
    """The glass of exactly that identifier, cancelled ones too."""
    cursor = await connection.execute("select * from glass where identifier = %s", [identifier])
    row = await cursor.fetchone()
    return None if row is None else glass_of(row)


async def glass_by_id(connection: Connection, glass_id: UUID) -> Glass | None:
    cursor = await connection.execute("select * from glass where id = %s", [glass_id])
    row = await cursor.fetchone()
    return None if row is None else glass_of(row)


async def of_case(connection: Connection, case_id: UUID) -> tuple[list[Specimen], list[Glass]]:
    """Specimens and blocks, and glasses, each by identifier; cancelled ones too."""
    cursor = await connection.execute(
        "select * from specimen where case_id = %s order by kind desc, identifier", [case_id]
    )
    specimens = [specimen_of(row) for row in await cursor.fetchall()]
    cursor = await connection.execute(
        "select * from glass where case_id = %s order by identifier", [case_id]
    )
    return specimens, [glass_of(row) for row in await cursor.fetchall()]


def _table(kind: AssetKind) -> str:
    return "glass" if kind is AssetKind.SLIDE else "specimen"


_SAID = {
    "specimen_type",
    "collection",
    "site",
    "laterality",
    "description",
    "comment",
    "collected_at",
    "received_at",
    "fixative",
    "embedding",
}


def _columns(asset: Asset) -> dict[str, Any]:
    def told(value: Code | datetime | str | None) -> object:
        if isinstance(value, Code):
            return code_json(value)
        return value.isoformat() if isinstance(value, datetime) else value

    said: dict[str, Any] = {name: told(getattr(asset, name)) for name in sorted(_SAID)}
    said["parent"] = asset.parent
    if asset.kind is AssetKind.SLIDE:
        said["stains"] = [code_json(stain) for stain in asset.stains] or None
        said["technique"] = code_json(asset.technique)
        said[_TO_BE_SCANNED] = asset.to_be_scanned
    return said


async def _ensure(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    said_at: datetime,
    case_id: UUID | None = None,
) -> dict[str, Any]:
    """The row, locked; made, with nothing known of it, where it is not there.

    Before it, as everybody locks them, its case and the one that it is to come to.
    """
    if asset.kind is AssetKind.SLIDE:
        made = "insert into glass (establishment_id, identifier, said_at) values (%s, %s, %s)"
        wanted = "select * from glass where establishment_id = %s and identifier = %s"
        names: Sequence[object] = [establishment_id, asset.identifier]
    else:
        made = """insert into specimen (establishment_id, kind, identifier, said_at)
                  values (%s, %s, %s, %s)"""
        wanted = """select * from specimen
                    where establishment_id = %s and kind = %s and identifier = %s"""
        names = [establishment_id, KINDS[asset.kind], asset.identifier]
    cursor = await connection.execute(wanted, names)
    known = await cursor.fetchone()
    home = None if known is None else known["case_id"]
    for each in sorted({each for each in (home, case_id) if each is not None}):
        await locked(connection, each)
    cursor = await connection.execute(wanted + " for no key update", names)
    row = await cursor.fetchone()
    if row is None:
        await connection.execute(made + " on conflict do nothing", [*names, said_at])
        cursor = await connection.execute(wanted + " for no key update", names)
        row = await cursor.fetchone()
    assert row is not None, "inserted, or there before"  # noqa: S101 - for the type checker
    return row


async def _case_said(
    connection: Connection, establishment_id: UUID, asset: Asset, said_at: datetime
) -> UUID | None:
    if asset.accession_number is None:
        return None
    return await cases.ensure(connection, establishment_id, asset.accession_number, said_at)


async def _set_glass(connection: Connection, glass_id: UUID, taken: dict[str, Any]) -> None:
    await connection.execute(
        """update glass set stains = coalesce(%s, stains), technique = coalesce(%s, technique),
               to_be_scanned = coalesce(%s, to_be_scanned)
           where id = %s""",
        [
            Jsonb(taken["stains"]) if "stains" in taken else None,
            Jsonb(taken["technique"]) if "technique" in taken else None,
            taken.get(_TO_BE_SCANNED),
            glass_id,
        ],
    )


async def _case_of_parent(connection: Connection, table: str, row_id: UUID) -> UUID | None:
    cursor = await connection.execute(
        f"""select p.case_id from {table} child join specimen p
                on p.establishment_id = child.establishment_id
                and p.identifier = child.parent_identifier and p.id <> child.id
            where child.id = %s and p.case_id is not null
            order by p.kind limit 1""",  # noqa: S608 - one of two names
        [row_id],
    )
    row = await cursor.fetchone()
    return None if row is None else row["case_id"]


async def _move(
    connection: Connection, asset: Asset, row: dict[str, Any], home: UUID, author: Author
) -> set[UUID | None]:
    """Into its case, and its descendants whose case nobody said; returns the cases touched."""
    table = _table(asset.kind)
    touched = {row["case_id"], home}
    if row["case_id"] != home:
        await connection.execute(
            f"update {table} set case_id = %s where id = %s",  # noqa: S608 - one of two names
            [home, row["id"]],
        )
        await _trace(connection, asset.identifier, row["case_id"], home, author)
    if asset.kind is not AssetKind.SLIDE:
        touched |= await _bring_children(connection, asset.identifier, home, author, _MOST_DEEP)
    return touched


async def _bring_children(
    connection: Connection, identifier: str, home: UUID, author: Author, depth: int
) -> set[UUID | None]:
    touched: set[UUID | None] = set()
    for table in ("specimen", "glass"):
        cursor = await connection.execute(
            f"""select id, identifier, case_id from {table}
                where parent_identifier = %s and not times ? 'case'
                order by identifier for no key update""",  # noqa: S608 - one of two names
            [identifier],
        )
        for child in await cursor.fetchall():
            touched.add(child["case_id"])
            if child["case_id"] != home:
                await connection.execute(
                    f"update {table} set case_id = %s where id = %s",  # noqa: S608
                    [home, child["id"]],
                )
                await _trace(connection, child["identifier"], child["case_id"], home, author)
            if table == "specimen" and depth > 1 and child["identifier"] != identifier:
                touched |= await _bring_children(
                    connection, child["identifier"], home, author, depth - 1
                )
    return touched


async def _trace(
    connection: Connection, identifier: str, before: UUID | None, after: UUID, author: Author
) -> None:
    """In both cases, where it was another's before."""
    if before is None:
        return
    numbers = {}
    for case_id in (before, after):
        case = await cases.by_id(connection, case_id)
        numbers[case_id] = None if case is None else case.accession_number
    await case_history.add(
        connection, before, Happening.WENT, author, before=identifier, after=numbers[after]
    )
    await case_history.add(
        connection, after, Happening.CAME, author, before=numbers[before], after=identifier
    )
