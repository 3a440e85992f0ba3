"""Specimens, blocks and glass slides as rows: parents by name, which may come later than children.

A thing belongs to the case that the laboratory names with it, else to its parent's. While it has
none, it is kept with whom it was named: it comes to no parent of another patient's case.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sgi.catalogue import assignments, case_history, cases, rescans
from sgi.catalogue.asset_homes import NAMED, case_of_parent, moved
from sgi.catalogue.asset_rows import Row, insert, locked_asset, locked_cases, untold, update
from sgi.catalogue.case_history import Happening, by_message
from sgi.catalogue.case_rows import code_json, glass_of, specimen_of
from sgi.catalogue.case_states import Held, locked
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
_OF_GLASS = ("stains", "technique", "to_be_scanned")


async def record_asset(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    *,
    said_at: datetime,
    source: str,
    held: Held | None = None,
    patient_id: UUID | None = None,
) -> UUID:
    """What a message says of a specimen, block or glass; an older one changes nothing newer.

    Its case is made where it is not there, its children find theirs by it, and where it was another
    case's before, both cases keep that. `held` is for who has seen that it is not there yet: its
    case may be among them. `patient_id` is whom the message names. Returns the row's id.
    """
    author = by_message(source, said_at)
    is_new = held is not None and asset.accession_number in _numbers(held)
    if held is None or not is_new:
        held = await locked_cases(connection, establishment_id, asset)
    case_id = await _case_said(connection, establishment_id, asset, said_at, held)
    row = None if is_new else await locked_asset(connection, establishment_id, asset)
    before = row or untold(asset)
    times: dict[str, str] = before["times"]
    named = None if patient_id is None or case_id is not None else str(patient_id)
    taken = newest(times, {**_columns(asset), NAMED: named, _CASE: case_id}, said_at)
    home: UUID | None = case_id if _CASE in taken else None
    home = home or await case_of_parent(connection, establishment_id, asset, before, taken)
    is_moved = home is not None and (_CASE in taken or _CASE not in times)
    after = _after(before, taken, said_at) | ({"case_id": home} if is_moved else {})
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    if row is None:
        made = await insert(connection, establishment_id, asset, changed)
        if made is None:  # it is there by now
            return await record_asset(
                connection,
                establishment_id,
                asset,
                said_at=said_at,
                source=source,
                patient_id=patient_id,
            )
        asset_id = made
    else:
        asset_id = row["id"]
        await update(connection, asset.kind, asset_id, changed)
    touched = {before["case_id"]}
    if home is not None and is_moved:
        touched |= await moved(connection, asset, before["case_id"], home, author)
    await _follow(connection, touched, held)
    return asset_id


async def cancel_asset(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    *,
    said_at: datetime,
    source: str,
) -> UUID:
    """The laboratory cancels it, also before it is recorded; its children stay as they are."""
    await locked_cases(connection, establishment_id, replace(asset, accession_number=None))
    row = await locked_asset(connection, establishment_id, asset)
    if row is None:
        after: dict[str, Any] = {"said_at": said_at, "cancelled_at": said_at}
        made = await insert(connection, establishment_id, asset, after)
        return made or await cancel_asset(
            connection, establishment_id, asset, said_at=said_at, source=source
        )
    asset_id: UUID = row["id"]
    recorded = row["times"].get(_RECORDED)
    cancelled_at = cancelled_after_cancel(
        row["cancelled_at"], datetime.fromisoformat(recorded) if recorded else None, said_at
    )
    after = {"said_at": max(row["said_at"], said_at), "cancelled_at": cancelled_at}
    await update(connection, asset.kind, asset_id, after)
    if asset.kind is AssetKind.SLIDE and cancelled_at is not None:
        await rescans.withdraw(connection, asset_id)
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
    return asset_id


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
        said["to_be_scanned"] = asset.to_be_scanned
    return said


def _after(before: Row, taken: dict[str, Any], said_at: datetime) -> dict[str, Any]:
    """The columns, but for the case, once it was said at `said_at` that it is there."""
    recorded = before["times"].get(_RECORDED)
    recorded_at = max(said_at, datetime.fromisoformat(recorded)) if recorded else said_at
    said = {name: value for name, value in taken.items() if name in {*_SAID, NAMED}}
    told = {
        "parent_identifier": taken.get("parent", before["parent_identifier"]),
        "said": {**before["said"], **said},
        "times": {
            **times_after(before["times"], taken, said_at),
            _RECORDED: recorded_at.isoformat(),
        },
        "said_at": max(said_at, before.get("said_at", said_at)),
        "cancelled_at": cancelled_after_record(before["cancelled_at"], said_at),
    }
    return told | {name: taken[name] for name in _OF_GLASS if name in taken}


def _numbers(held: Held) -> set[str]:
    return {case["accession_number"] for case in held.values()}


async def _case_said(
    connection: Connection,
    establishment_id: UUID,
    asset: Asset,
    said_at: datetime,
    held: Held,
) -> UUID | None:
    """The case that is named with it, which is made, and held, where it is not there."""
    number = asset.accession_number
    if number is None:
        return None
    for case_id, case in held.items():
        if case["accession_number"] == number:
            return case_id
    made = await cases.ensure(connection, establishment_id, number, said_at)
    held[made] = await locked(connection, made)
    return made


async def _follow(connection: Connection, touched: set[UUID | None], held: Held) -> None:
    """What its cases are made of has changed."""
    for case_id in sorted(each for each in touched if each is not None):
        case = held.pop(case_id, None) or await locked(connection, case_id)
        await cases.reassess(connection, case)
        if case["is_ruled"]:
            await assignments.assign_by_rules(connection, case_id)
