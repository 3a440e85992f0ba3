"""Rows of `patient` made anew of what is on record, whenever something is added to it."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from psycopg.types.json import Jsonb

from sgi.catalogue.database import Connection
from sgi.domain.lineage import Leads, Standing, current, living, retired, standing
from sgi.domain.portrait import Account, Portrait, portrait

_COLUMNS = (
    "birth_name",
    "first_given_name",
    "given_names",
    "used_name",
    "used_given_name",
    "sex",
    "birth_date",
    "birth_place",
    "died",
    "status",
    "attributes",
    "ins_value",
    "ins_oid",
    "dmp",
    "merged_into",
    "said_at",
)


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A row of `patient_history` with whether its identifier is still borne."""

    row: dict[str, Any]
    retired: bool

    def account(self, leading: dict[UUID, Leads] | None = None) -> Account:
        """For the living patient that the record leads to; without `leading`, for itself."""
        row = self.row
        counts = Standing.LIVING
        if leading:
            counts = standing(row["patient_id"], self.retired, row["last_said_at"], leading)
        return Account(
            row["said"],
            row["by_order"],
            counts,
            row["last_said_at"],
            row["rank"],
            row["first_said_at"],
        )


@dataclass(frozen=True, slots=True)
class Kin:
    """Records that lead to one another, and all that was said of them."""

    ids: frozenset[UUID]
    leading: dict[UUID, Leads]
    retired: dict[UUID, datetime]
    """Identifiers that are not borne any more, by their row's id."""
    told: tuple[HistoryRow, ...]

    def living(self, patient_id: UUID) -> UUID:
        return living(patient_id, self.leading)

    def of(self, living_id: UUID) -> list[HistoryRow]:
        """What was said of a living patient, under all their records."""
        return [told for told in self.told if self.living(told.row["patient_id"]) == living_id]

    def portrait(self, patient_id: UUID) -> Portrait:
        """Of a living patient by all their records; of another record, by it alone."""
        if patient_id in self.leading:
            alone = (told for told in self.told if told.row["patient_id"] == patient_id)
            return portrait([told.account() for told in alone])
        return portrait([told.account(self.leading) for told in self.of(patient_id)])


async def kin_ids(connection: Connection, patient_ids: Collection[UUID]) -> frozenset[UUID]:
    """All records that merges and changes of identifier join to these, in either direction."""
    cursor = await connection.execute("select kin_of_patients(%s) as id", [list(patient_ids)])
    return frozenset([row["id"] for row in await cursor.fetchall()])


async def kin_of(connection: Connection, ids: frozenset[UUID], *, led: bool = False) -> Kin:
    """What is on record of these records, which are all of a kin.

    Of one alone nothing but what it bears hangs on what it was led by: that is looked at if `led`.
    """
    every = list(ids)
    leads = []
    if led or len(ids) > 1:
        cursor = await connection.execute(
            """select * from patient_link where one = any(%s) and kind in ('merge', 'change')""",
            [every],
        )
        leads = [_leads(row) for row in await cursor.fetchall()]
    leading = current(leads)
    gone = retired(leads, leading)
    cursor = await connection.execute(
        "select * from patient_history where patient_id = any(%s)", [every]
    )
    rows = await cursor.fetchall()
    told = tuple(HistoryRow(row, row["identifier_id"] in gone) for row in rows)
    return Kin(ids, leading, gone, told)


def _leads(row: dict[str, Any]) -> Leads:
    return Leads(
        one=row["one"],
        other=row["other"],
        gone=row["gone"],
        said_at=row["said_at"],
        rank=row["rank"],
        by_change=row["kind"] == "change",
        kept=row["kept"],
    )


async def refresh(
    connection: Connection, patient_ids: Collection[UUID], *, led: bool = False
) -> None:
    """Make the rows of these patients, and of their kin, what is now on record.

    `led`: one of them was led somewhere, be it to itself. They are locked first, so that of two who
    add something at once the later sees both.
    """
    cursor = await connection.execute(
        "select * from locked_kin_of_patients(%s)", [list(patient_ids)]
    )
    rows = {row["id"]: row for row in await cursor.fetchall()}
    kin = await kin_of(connection, frozenset(rows), led=led)
    for patient_id in sorted(rows):
        await _write(connection, rows[patient_id], kin)
    if led or len(rows) > 1:
        await _retire(connection, kin)


async def _write(connection: Connection, row: dict[str, Any], kin: Kin) -> None:
    made = _values(kin.portrait(row["id"]))
    lives = kin.living(row["id"])
    made["merged_into"] = None if lives == row["id"] else lives
    if all(row[name] == made[name] for name in _COLUMNS if name != "said_at"):
        return  # to hear the same again is no news, which others would act upon
    values = {**made, "dmp": None if made["dmp"] is None else Jsonb(made["dmp"])}
    await connection.execute(
        f"""update patient set ({", ".join(_COLUMNS)}) =
                ({", ".join(["%s"] * len(_COLUMNS))}) where id = %s""",  # noqa: S608 - ours
        [*(values[name] for name in _COLUMNS), row["id"]],
    )


def _values(seen: Portrait) -> dict[str, Any]:
    values = asdict(seen.traits)
    values["status"] = seen.status
    values["attributes"] = sorted(seen.attributes)
    values["ins_value"] = None if seen.ins is None else seen.ins.value
    values["ins_oid"] = None if seen.ins is None else seen.ins.assigner
    values["dmp"] = None if seen.dmp is None else asdict(seen.dmp)
    values["said_at"] = seen.said_at
    return values


async def _retire(connection: Connection, kin: Kin) -> None:
    cursor = await connection.execute(
        "select id, retired_at from patient_identifier where patient_id = any(%s)",
        [list(kin.ids)],
    )
    for row in await cursor.fetchall():
        at = kin.retired.get(cast("UUID", row["id"]))
        if row["retired_at"] != at:
            await connection.execute(
                "update patient_identifier set retired_at = %s where id = %s", [at, row["id"]]
            )
