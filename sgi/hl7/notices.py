"""What a notice of the outbox says, gathered from the rows as they are when it first goes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sgi.catalogue import cases, outbox, patients, slides, specimens, work_orders
from sgi.catalogue.database import Connection
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


async def write(
    connection: Connection,
    notice: Notice,
    interface: Interface,
    control_id: str,
    sent_at: datetime,
) -> Written | NotYet | None:
    """The message of a notice; None where it is not true any more."""
    envelope = Envelope(interface, control_id, sent_at)
    match notice.kind:
        case NoticeKind.IMAGE:
            return await _image(connection, envelope, notice.subject)
        case NoticeKind.CASE:
            return await _case(connection, envelope, notice.subject)
        case NoticeKind.WORK_ORDER:
            return await _work_order(connection, envelope, notice.subject)
        case NoticeKind.LINK:
            return await _link(connection, envelope, notice.subject)


async def _image(
    connection: Connection, envelope: Envelope, subject: str
) -> Written | NotYet | None:
    available, glass_id, slide_id = outbox.parse_image_subject(subject)
    glass = await specimens.glass_by_id(connection, glass_id)
    if glass is None:
        return None
    if glass.case_id is None:
        return NotYet("The laboratory has not said which case the slide is of.")
    told = await outbox.told_of(connection, slide_id)
    if available and (told is None or told.glass_id != glass_id):
        return None
    case, patient = await _case_and_patient(connection, glass.case_id)
    slide = await slides.by_id(connection, slide_id)
    raw = results_out.image_notice(
        envelope,
        case,
        patient,
        await _slide(connection, case, glass),
        Image(
            told.study_uid if told else None,
            told.series_uid if told else None,
            slide.facts.scanned_at if slide else None,
        ),
        available=available,
    )
    return _written(raw, "OML^O21", case, patient)


async def _case(connection: Connection, envelope: Envelope, subject: str) -> Written:
    case_id, state = subject.split(" ")
    case, patient = await _case_and_patient(connection, UUID(case_id))
    raw = results_out.case_status(envelope, case, patient, CaseState(state))
    return _written(raw, "OML^O21", case, patient)


async def _work_order(connection: Connection, envelope: Envelope, subject: str) -> Written | None:
    order = await work_orders.by_id(connection, UUID(subject))
    if order is None or order.state is not WorkState.ASKED:
        return None
    case, patient = await _case_and_patient(connection, order.case_id)
    raw = results_out.work_order(
        envelope, case, patient, order, await _ordered(connection, case, order)
    )
    return _written(raw, "OML^O21", case, patient)


async def _link(connection: Connection, envelope: Envelope, subject: str) -> Written:
    case, patient = await _case_and_patient(connection, UUID(subject))
    raw = results_out.case_link(envelope, case, patient, Image(case.study_uid, None, None))
    return _written(raw, "ORU^R01", case, patient)


def _written(raw: bytes, type_: str, case: Case, patient: Patient | None) -> Written:
    return Written(raw, type_, case.accession_number, None if patient is None else patient.id)


async def _case_and_patient(connection: Connection, case_id: UUID) -> tuple[Case, Patient | None]:
    case = await cases.by_id(connection, case_id)
    if case is None:
        raise NotFoundError("There is no such case.")
    if case.patient_id is None:
        return case, None
    return case, await patients.by_id(connection, case.patient_id)


async def _slide(connection: Connection, case: Case, glass: Glass) -> SlideTold:
    parts, _ = await specimens.of_case(connection, case.id)
    return _told(glass.identifier, glass.parent_identifier, parts)


async def _ordered(connection: Connection, case: Case, order: WorkOrder) -> SlideTold:
    """The glass that is to be scanned anew, or the block that is to be cut."""
    parts, glasses = await specimens.of_case(connection, case.id)
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
