"""What a notice of the outbox says, gathered from the rows as they are when it first goes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sgi.catalogue import cases, groups, patients, slides, specimens, work_orders
from sgi.catalogue.database import Connection
from sgi.catalogue.image_uids import uids_of_image
from sgi.catalogue.outbox import Notice
from sgi.domain.case import (
    AssetKind,
    Case,
    CaseState,
    Glass,
    Specimen,
    WorkKind,
    WorkOrder,
    WorkState,
)
from sgi.domain.interface import NoticeKind
from sgi.domain.patient import Patient
from sgi.errors import NotFoundError
from sgi.hl7 import results_out
from sgi.hl7.interfaces import Interface
from sgi.hl7.results_out import Envelope, Image, SlideTold

_MOST_DEEP = 8
"""From a glass up to its specimen: what is deeper goes round in circles."""


@dataclass(frozen=True, slots=True)
class Written:
    """A message that is ready to go."""

    raw: bytes
    type: str
    accession_number: str
    patient_id: UUID | None


@dataclass(frozen=True, slots=True)
class NotYet:
    """The laboratory has still to say what must go with it."""

    words: str


class Gathered:
    """What was read for the notices of one transaction: many are of the same case."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._cases: dict[UUID, tuple[Case, Patient | None]] = {}
        self._things: dict[UUID, tuple[Sequence[Specimen], Sequence[Glass]]] = {}

    async def case_and_patient(self, case_id: UUID) -> tuple[Case, Patient | None]:
        """Raises NotFoundError."""
        if case_id not in self._cases:
            case = await cases.by_id(self.connection, case_id)
            if case is None:
                raise NotFoundError("There is no such case.")
            patient_id = case.patient_id
            patient = patient_id and await patients.by_id(self.connection, patient_id)
            self._cases[case_id] = case, patient or None
        return self._cases[case_id]

    async def things_of(self, case_id: UUID) -> tuple[Sequence[Specimen], Sequence[Glass]]:
        """Specimens and blocks, and glasses."""
        if case_id not in self._things:
            self._things[case_id] = await specimens.of_case(self.connection, case_id)
        return self._things[case_id]


async def write(
    gathered: Gathered,
    notice: Notice,
    interface: Interface,
    control_id: str,
    sent_at: datetime,
) -> Written | NotYet | None:
    """The message of a notice; None where it is not true any more."""
    envelope = Envelope(interface, control_id, sent_at)
    match notice:
        case Notice(glass_id=UUID() as glass_id, slide_id=UUID() as slide_id):
            available = notice.is_available is True
            return await _image(gathered, envelope, glass_id, slide_id, available=available)
        case Notice(case_id=UUID() as case_id, case_state=CaseState() as state):
            return await _case(gathered, envelope, case_id, state)
        case Notice(work_order_id=UUID() as work_order_id):
            return await _work_order(gathered, envelope, work_order_id)
        case Notice(kind=NoticeKind.LINK, case_id=UUID() as case_id):
            return await _link(gathered, envelope, case_id)
    raise RuntimeError("the table lets no other be")


async def may_go(connection: Connection, notice: Notice) -> bool:
    """Whether what was written before may still go out: nothing of a work order that was withdrawn,
    or that the laboratory has taken up meanwhile.
    """
    if notice.work_order_id is None:
        return True
    order = await work_orders.by_id(connection, notice.work_order_id)
    return order is not None and order.state is WorkState.ASKED


async def _image(
    gathered: Gathered, envelope: Envelope, glass_id: UUID, slide_id: UUID, *, available: bool
) -> Written | NotYet | None:
    glass = await specimens.glass_by_id(gathered.connection, glass_id)
    if glass is None:
        return None
    if glass.case_id is None:
        return NotYet("The laboratory has not said which case the slide is of.")
    uids = await uids_of_image(gathered.connection, slide_id)
    if available and (uids is None or uids.glass_id != glass_id):
        return None
    case, patient = await gathered.case_and_patient(glass.case_id)
    slide = await slides.by_id(gathered.connection, slide_id)
    raw = results_out.image_notice(
        envelope,
        case,
        patient,
        await _slide(gathered, case, glass),
        Image(
            uids.study_uid if uids else None,
            uids.series_uid if uids else None,
            slide.facts.scanned_at if slide else None,
        ),
        available=available,
    )
    return _written(raw, "OML^O21", case, patient)


async def _case(gathered: Gathered, envelope: Envelope, case_id: UUID, state: CaseState) -> Written:
    case, patient = await gathered.case_and_patient(case_id)
    raw = results_out.case_status(envelope, case, patient, state)
    return _written(raw, "OML^O21", case, patient)


async def _work_order(gathered: Gathered, envelope: Envelope, order_id: UUID) -> Written | None:
    connection = gathered.connection
    order = await work_orders.by_id(connection, order_id)
    if order is None or order.state is not WorkState.ASKED:
        return None
    case, patient = await gathered.case_and_patient(order.case_id)
    number = None if order.asked_by is None else await groups.number_of(connection, order.asked_by)
    raw = results_out.work_order(
        envelope, case, patient, order, await _ordered(gathered, case, order), number
    )
    return _written(raw, "OML^O21", case, patient)


async def _link(gathered: Gathered, envelope: Envelope, case_id: UUID) -> Written:
    case, patient = await gathered.case_and_patient(case_id)
    raw = results_out.case_link(envelope, case, patient, Image(case.study_uid, None, None))
    return _written(raw, "ORU^R01", case, patient)


def _written(raw: bytes, type_: str, case: Case, patient: Patient | None) -> Written:
    return Written(raw, type_, case.accession_number, None if patient is None else patient.id)


async def _slide(gathered: Gathered, case: Case, glass: Glass) -> SlideTold:
    parts, _ = await gathered.things_of(case.id)
    return _told(glass.identifier, glass.parent_identifier, parts)


async def _ordered(gathered: Gathered, case: Case, order: WorkOrder) -> SlideTold:
    """The glass that is to be scanned anew, or the block that is to be cut."""
    parts, glasses = await gathered.things_of(case.id)
    if order.kind is WorkKind.RESCAN:
        for glass in glasses:
            if glass.id == order.glass_id:
                return _told(glass.identifier, glass.parent_identifier, parts)
    for part in parts:
        if part.identifier == order.parent_identifier:
            return _told(part.identifier, part.parent_identifier, parts)
    return SlideTold(order.parent_identifier)


def _told(identifier: str, parent: str | None, parts: Sequence[Specimen]) -> SlideTold:
    """What its specimen is of, found from parent to parent."""
    by_name = {part.identifier: part for part in parts}
    line = [by_name[identifier]] if identifier in by_name else []
    name = parent
    for _ in range(_MOST_DEEP):
        if name is None or name not in by_name:
            break
        line.append(by_name[name])
        name = line[-1].parent_identifier
    tissue = next((part for part in line if part.kind is AssetKind.SPECIMEN), None)
    if tissue is None:
        return SlideTold(identifier, parent)
    return SlideTold(identifier, parent, tissue.specimen_type, tissue.site, tissue.laterality)
