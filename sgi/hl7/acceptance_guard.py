"""Before LAB-103 is applied: whether it is about what was asked for, and of nobody else."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.domain.case import Asset, AssetKind, WorkKind
from sgi.hl7.acceptances import NO_SLIDE
from sgi.hl7.errors import ContradictionError, Location
from sgi.hl7.statements import WorkOrderAccepted

_AGAIN = "look at both before it is sent again."


async def guard_acceptance(
    connection: Connection,
    accepted: WorkOrderAccepted,
    places: Mapping[str, Location],
    is_anothers: Callable[[UUID | None], bool],
    slides: dict[str, UUID],
) -> list[Change]:
    """What somebody should know of it: the slide is cut from another block than was asked for.

    `is_anothers` tells of a living patient whether the message names somebody else; `slides` are
    those that the message has named so far, with their orders, and this one is put to them. Raises
    ContradictionError where patient, case, slide or block are not those of the order.
    """
    order = await _order(connection, accepted)
    if order is None:
        return []
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
        return []
    if asset.kind is not AssetKind.SLIDE:
        raise _contradiction(NO_SLIDE, places.get("kind", Location("SPM", field=27)))
    return await _slide(connection, order, asset, places, slides)


async def _slide(
    connection: Connection,
    order: dict[str, Any],
    asset: Asset,
    places: Mapping[str, Location],
    slides: dict[str, UUID],
) -> list[Change]:
    """As `guard_acceptance`, of the slide that the order is said to have become."""
    slide = places.get("identifier", Location("SPM", field=2))
    is_rescan = order["kind"] == WorkKind.RESCAN
    if is_rescan and asset.identifier != order["parent_identifier"]:
        words = "{place} names another slide than the one to be scanned anew; " + _AGAIN
        raise _contradiction(words, slide)
    about = {"slide": asset.identifier, "parent": asset.parent, "order": order["id"]}
    cursor = await connection.execute(_ELSEWHERE, about)
    for row in await cursor.fetchall():
        words = "{place} names something of another case than the work order is of; " + _AGAIN
        parent = places.get("parent", Location("SPM", field=3))
        raise _contradiction(words, slide if row["is_slide"] else parent)
    if is_rescan:
        return []
    cursor = await connection.execute(_KNOWN, about)
    known = await cursor.fetchone()
    is_of_another = slides.setdefault(asset.identifier, order["id"]) != order["id"]
    if known is not None and known["is_own"] and not is_of_another:
        return []
    if is_of_another or (known is not None and known["is_of_another"]):
        words = "{place} names the slide of another work order; " + _AGAIN
        raise _contradiction(words, slide)
    if known is not None and known["was_there"]:
        words = "{place} names a slide that was there before the work order; " + _AGAIN
        raise _contradiction(words, slide)
    cursor = await connection.execute(_CUT_ELSEWHERE, about)
    is_elsewhere = await cursor.fetchone() is not None
    return [Change("order.changed", order["id"], "parent_identifier")] if is_elsewhere else []


async def _order(connection: Connection, accepted: WorkOrderAccepted) -> dict[str, Any] | None:
    """As `work_orders.accept_work_order` finds it, and whose it is."""
    cursor = await connection.execute(
        """select w.id, w.kind, w.parent_identifier, c.accession_number,
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
select true as is_slide from glass g join work_order w on w.id = %(order)s
where g.identifier = %(slide)s and g.case_id <> w.case_id
union all
select false from specimen s join work_order w on w.id = %(order)s
where s.identifier = %(parent)s
having bool_and(s.case_id <> w.case_id)
"""

# A slide may be registered before its order is accepted, but not before that was asked for.
_KNOWN = """
select w.glass_id is not distinct from g.id as is_own,
    exists (select from work_order other
            where other.glass_id = g.id and other.id <> w.id and other.kind <> 'rescan')
        as is_of_another,
    g.created_at < w.asked_at or exists (
        select from slide s where s.glass_id = g.id and s.published_at < w.asked_at) as was_there
from glass g join work_order w on w.id = %(order)s
where g.identifier = %(slide)s
"""

_CUT_ELSEWHERE = """
select from work_order w
where w.id = %(order)s and w.parent_identifier <> %(parent)s::text and not exists (
    select from specimen s
    where s.identifier = %(parent)s and s.parent_identifier = w.parent_identifier)
"""


def _contradiction(words: str, place: Location) -> ContradictionError:
    return ContradictionError(words.format(place=place), place)
