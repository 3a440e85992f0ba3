"""Before an order is applied: whether a case, block or slide that it names is another patient's.

An older message may be of the patient of then: it passes where a correction has moved the thing
since. Otherwise two clocks that differ would decide whose a slide is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sgi.catalogue.case_history import Happening
from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.domain.case import Asset, AssetKind
from sgi.hl7.errors import ContradictionError, Location
from sgi.hl7.seen import Belonging, Seen

_NO_CASE = "{place} names a case of another patient; look at both before it is sent again."
_NO_ASSET = "{place} names something of another patient; look at both before it is sent again."
_OTHER_CASE = "{place} names something of another case; nothing is cancelled before you look."

Places = Mapping[str, Location]


@dataclass(frozen=True, slots=True)
class Order:
    """A message about cases, and whom it names."""

    connection: Connection
    counts_from: datetime
    seen: Seen
    names_patient: bool
    patient: UUID | None
    """The living one to whom a case would go; None where that is somebody new."""
    known_by_ins: UUID | None
    """A record that has nothing but the INS which the message gives its patient: the same person,
    ordered for before the IPP was known."""

    def is_anothers(self, living: UUID | None) -> bool:
        own = {self.patient, self.known_by_ins}
        return self.names_patient and living is not None and living not in own


async def guard_case(
    order: Order, accession_number: str, places: Places, *, moves: bool
) -> list[Change]:
    """Of a case that is recorded. Raises ContradictionError where it is another patient's."""
    case = order.seen.case(accession_number)
    if case is None or case.living is None or not order.names_patient:
        return []
    is_late = case.is_newer_than(order.counts_from)
    if not order.is_anothers(case.living):
        is_same = is_late or case.living == order.patient
        return [] if is_same else [Change("case.moved", case.id)]
    if moves and not is_late:
        return [Change("case.moved", case.id)]
    await _refuse_unless_moved(order, case, places)
    return []


async def guard_cancelled_case(order: Order, accession_number: str, places: Places) -> None:
    """Of a case that is cancelled. Raises ContradictionError where it is another patient's."""
    case = order.seen.case(accession_number)
    if case is not None and order.is_anothers(case.living):
        await _refuse_unless_moved(order, case, places)


async def _refuse_unless_moved(order: Order, case: Belonging, places: Places) -> None:
    cursor = await order.connection.execute(
        """select from case_history
           where case_id = %(case)s and kind = %(kind)s and said_at > %(at)s and before in (
               select id::text from patient where id = %(patient)s or merged_into = %(patient)s)
           limit 1""",
        {
            "case": case.id,
            "kind": Happening.PATIENT,
            "at": order.counts_from,
            "patient": order.patient,
        },
    )
    if await cursor.fetchone() is None:
        place = places.get("accession_number", Location("ORC"))
        raise ContradictionError(_NO_CASE.format(place=place), place)


async def guard_asset(order: Order, asset: Asset, places: Places, *, moves: bool) -> list[Change]:
    """Of a specimen, block or slide that is recorded: itself, what it comes from, and what waited
    for it. Raises ContradictionError where it or its parent is another patient's.
    """
    notes = []
    known = order.seen.asset(asset)
    if known is not None:
        place = places.get("identifier", Location("SPM"))
        notes += await _own(order, asset, known, place, moves=moves)
    parent = order.seen.parent(asset)
    if parent is not None and _is_apart(order, asset, parent):
        place = places.get("parent", Location("SPM", field=3))
        # A correction may name a slide of a block before the block itself.
        is_corrected = moves and asset.accession_number is not None
        if not is_corrected and not await _was_moved(order, asset, asset.parent, parent):
            raise ContradictionError(_NO_ASSET.format(place=place), place)
    if order.names_patient and asset.accession_number is None and _is_nobodys(parent):
        notes.append(Change("asset.apart", detail=asset.identifier))
    if asset.kind is not AssetKind.SLIDE:
        notes += [
            Change("asset.apart", child.id, name)
            for name, child in order.seen.waiting(asset.identifier)
            if order.is_anothers(child.living)
        ]
    return notes


def _is_apart(order: Order, asset: Asset, parent: Belonging) -> bool:
    """Whether they are of two patients; of one case, the case itself is judged."""
    number = asset.accession_number
    is_of_one_case = number is not None and number == parent.accession_number
    return not is_of_one_case and order.is_anothers(parent.living)


def _is_nobodys(parent: Belonging | None) -> bool:
    return parent is not None and parent.accession_number is not None and parent.living is None


async def _own(
    order: Order, asset: Asset, known: Belonging, place: Location, *, moves: bool
) -> list[Change]:
    number = asset.accession_number
    is_elsewhere = number is not None and number != known.accession_number
    is_late = known.is_newer_than(order.counts_from)
    if order.is_anothers(known.living):
        if number is not None and not is_elsewhere:
            return []  # the case itself is judged
        is_corrected = moves and is_elsewhere and not is_late
        if not is_corrected and not await _was_moved(order, asset, asset.identifier, known):
            raise ContradictionError(_NO_ASSET.format(place=place), place)
    if is_late or not is_elsewhere or known.accession_number is None:
        return []
    return [Change("asset.moved", known.id, asset.identifier)]


async def _was_moved(order: Order, asset: Asset, name: str | None, now: Belonging) -> bool:
    """Whether `name` came to where it is `now` from the case that is said, by a newer message."""
    cursor = await order.connection.execute(
        """select from case_history h join lab_case c on c.id = h.case_id
           where c.accession_number = %(now)s and h.kind = %(kind)s and h.after = %(name)s
             and h.before = %(said)s and h.said_at > %(at)s limit 1""",
        {
            "now": now.accession_number,
            "kind": Happening.CAME,
            "name": name,
            "said": asset.accession_number,
            "at": order.counts_from,
        },
    )
    return await cursor.fetchone() is not None


def guard_cancelled_asset(order: Order, asset: Asset, places: Places) -> None:
    """Raises ContradictionError where it is of another case or another patient."""
    known = order.seen.asset(asset)
    if known is None:
        return
    place = places.get("identifier", Location("SPM"))
    if (
        known.accession_number is not None
        and asset.accession_number is not None
        and asset.accession_number != known.accession_number
    ):
        raise ContradictionError(_OTHER_CASE.format(place=place), place)
    if order.is_anothers(known.living):
        raise ContradictionError(_NO_ASSET.format(place=place), place)
