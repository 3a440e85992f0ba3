"""Before LAB-103 is applied: whether it is about what was asked for, and of nobody else."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.domain.case import WorkKind
from sgi.hl7.errors import ContradictionError, Location
from sgi.hl7.statements import WorkOrderAccepted

_AGAIN = "look at both before it is sent again."


async def guard_acceptance(
    connection: Connection,
    accepted: WorkOrderAccepted,
    places: Mapping[str, Location],
    is_anothers: Callable[[UUID | None], bool],
) -> None:
    """Raises ContradictionError where patient, case, slide or block are not those of the order.

    `is_anothers` tells of a living patient whether the message names somebody else.
    """
    order = await _order(connection, accepted)
    if order is None:
        return
    number = places.get("placer_number", Location("ORC", field=2))
    temporary = places.get("temporary_id", Location("SPM", field=2))
    if is_anothers(order["living"]):
        raise _contradiction("{place} names a work order of another patient; " + _AGAIN, number)
    if order["is_another_order"]:
        words = "{place} names another work order than ORC-2; send one message for each."
        raise _contradiction(words, temporary)
    if accepted.accession_number not in {None, order["accession_number"]}:
        words = "{place} names another case than the work order is of; " + _AGAIN
        raise _contradiction(words, places.get("accession_number", Location("ORC", field=38)))
    asset = accepted.asset
    if asset is None:
        return
    slide = places.get("identifier", Location("SPM", field=2))
    if order["kind"] == WorkKind.RESCAN and asset.identifier != order["parent_identifier"]:
        words = "{place} names another slide than the one to be scanned anew; " + _AGAIN
        raise _contradiction(words, slide)
    cursor = await connection.execute(
        _ELSEWHERE,
        {"slide": asset.identifier, "parent": asset.parent, "case_id": order["case_id"]},
    )
    for row in await cursor.fetchall():
        words = "{place} names something of another case than the work order is of; " + _AGAIN
        parent = places.get("parent", Location("SPM", field=3))
        raise _contradiction(words, slide if row["is_slide"] else parent)


async def _order(connection: Connection, accepted: WorkOrderAccepted) -> dict[str, Any] | None:
    """As `work_orders.accept_work_order` finds it, and whose it is."""
    cursor = await connection.execute(
        """select w.kind, w.parent_identifier, w.case_id, c.accession_number,
               coalesce(p.merged_into, p.id) as living,
               w.placer_number = %(number)s and w.temporary_id <> %(temporary)s and exists (
                   select from work_order other
                   where other.temporary_id = %(temporary)s and other.id <> w.id
               ) as is_another_order
           from work_order w join lab_case c on c.id = w.case_id
               left join patient p on p.id = c.patient_id
           where w.placer_number = %(number)s or w.temporary_id = %(temporary)s::text
           order by w.placer_number = %(number)s desc, w.asked_at desc limit 1""",
        {"number": accepted.placer_number, "temporary": accepted.temporary_id},
    )
    return await cursor.fetchone()


_ELSEWHERE = """
select true as is_slide from glass where identifier = %(slide)s and case_id <> %(case_id)s
union all
select false from specimen where identifier = %(parent)s
having bool_and(case_id <> %(case_id)s)
"""


def _contradiction(words: str, place: Location) -> ContradictionError:
    return ContradictionError(words.format(place=place), place)
