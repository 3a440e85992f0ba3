"""Statements put into the catalogue: one transaction a message, each statement by its function.

Applying a message twice, or an old one late, changes nothing that is known better already: the
functions of the catalogue see to that, and `differences` tells what did change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from sgi.catalogue import (
    attachments,
    cases,
    patient_days,
    patients,
    reports,
    self_attaching,
    specimens,
    work_orders,
)
from sgi.catalogue.case_states import Held
from sgi.catalogue.database import Connection
from sgi.catalogue.messages import Change
from sgi.catalogue.reports import ReportRow
from sgi.domain.case import AssetKind
from sgi.domain.patient import Identifier
from sgi.errors import NotFoundError
from sgi.hl7 import answers
from sgi.hl7.assigners import with_assigners
from sgi.hl7.errors import DocumentVersionError, Location
from sgi.hl7.guards import guard, shared_ins
from sgi.hl7.identities import STAYS
from sgi.hl7.left_aside import left_aside
from sgi.hl7.look import look_after, look_before
from sgi.hl7.mapping import ORDER, Reading
from sgi.hl7.seen import Seen
from sgi.hl7.snapshot import contradictions, differences
from sgi.hl7.statements import (
    AssetCancelled,
    AssetRecorded,
    CaseCancelled,
    CaseRecorded,
    IdentifierChanged,
    OrderAnswered,
    PatientSaid,
    PatientsLinked,
    PatientsMerged,
    ReportSaid,
    SlideScanned,
    Statement,
    WorkOrderAccepted,
)
from sgi.hl7.subjects import subjects_of
from sgi.jobs.identity import defer_telling


@dataclass(frozen=True, slots=True)
class Applied:
    """What a message changed."""

    changes: tuple[Change, ...]
    """Empty where all of it was known."""
    notes: tuple[Change, ...]
    """What somebody should know of it, though nothing changed by it."""
    patient_id: UUID | None


@dataclass(slots=True)
class _Work:
    """One message being applied."""

    connection: Connection
    establishment_id: UUID
    source: str
    said_at: datetime
    counts_from: datetime
    """Of cases, assets, orders and reports; patients' records know what they were told before."""
    raw: bytes
    before: Seen
    changes: list[Change] = field(default_factory=list)
    notes: list[Change] = field(default_factory=list)
    patient_id: UUID | None = None
    bearers: dict[Identifier | None, UUID] = field(default_factory=dict)
    """Whom the identifiers of this message name."""
    held: Held = field(default_factory=dict)


async def apply(
    connection: Connection,
    establishment_id: UUID,
    reading: Reading,
    raw: bytes,
    counts_from: datetime,
) -> Applied:
    """Apply all that a message says, or nothing: raises what the catalogue refuses, an SgiError.

    `counts_from` is when the message was true, as it says, but for a replay. Whoever asks has the
    locks of what the message is about.
    """
    statements = await with_assigners(connection, establishment_id, reading.statements)
    reading = replace(reading, statements=statements)
    source = reading.source
    subjects = subjects_of(statements)
    before = await look_before(connection, subjects)
    noticed = await guard(connection, reading, counts_from, before)
    words = f"{source.interface} {source.control_id}"
    work = _Work(connection, establishment_id, words, source.said_at, counts_from, raw, before)
    for statement in statements:
        await _apply(work, statement)
    after = await look_after(connection, subjects)
    if after.is_telling_due:
        await defer_telling(connection)
    work.notes.extend((*noticed, *await shared_ins(connection, work.patient_id, after)))
    work.notes.extend(contradictions(statements, work.patient_id, before, after))
    work.notes.extend(await left_aside(connection, statements, after))
    changes = (*differences(before, after), *work.changes)
    return Applied(changes, tuple(work.notes), work.patient_id)


def accession_number_of(statements: Sequence[Statement]) -> str | None:
    """The first case that a message names."""
    for statement in statements:
        match statement:
            case CaseRecorded(said):
                return said.accession_number
            case CaseCancelled(accession_number):
                return accession_number
            case AssetRecorded(asset) | AssetCancelled(asset) if asset.accession_number:
                return asset.accession_number
            case WorkOrderAccepted(asset=asset) if asset is not None and asset.accession_number:
                return asset.accession_number
            case ReportSaid(accession_number) if accession_number:
                return accession_number
    return None


async def _apply(work: _Work, statement: Statement) -> None:
    if not isinstance(statement, CaseRecorded | AssetRecorded):
        work.held.clear()  # it may change where a case stands
    match statement:
        case PatientSaid() | PatientsMerged() | IdentifierChanged() | PatientsLinked():
            await _apply_identity(work, statement)
        case CaseRecorded() | CaseCancelled():
            await _apply_case(work, statement)
        case AssetRecorded() | AssetCancelled() | SlideScanned():
            await _apply_asset(work, statement)
        case WorkOrderAccepted() | OrderAnswered():
            await _apply_order(work, statement)
        case ReportSaid():
            await _apply_report(work, statement)


async def _apply_identity(
    work: _Work, statement: PatientSaid | PatientsMerged | IdentifierChanged | PatientsLinked
) -> None:
    connection, establishment_id = work.connection, work.establishment_id
    match statement:
        case PatientSaid(identity, event, died_on):
            work.patient_id = await patients.record(
                connection,
                establishment_id,
                identity,
                said_at=work.said_at,
                source=work.source,
                only_fill=event == ORDER,
                on_record=work.before.bearers() if work.patient_id is None else None,
            )
            work.bearers[identity.local or identity.ins] = work.patient_id
            stay = work.said_at.astimezone(UTC).date() if event in STAYS else None
            await patient_days.hear(
                connection, establishment_id, work.patient_id, stay=stay, died_on=died_on
            )
        case PatientsMerged(kept, gone):
            work.patient_id = await patients.merge(
                connection, establishment_id, kept, *gone, said_at=work.said_at, source=work.source
            )
        case IdentifierChanged(new, old):
            work.patient_id = await patients.change_identifier(
                connection, establishment_id, new, *old, said_at=work.said_at, source=work.source
            )
        case PatientsLinked(one, other, linked):
            await patients.link(
                connection,
                establishment_id,
                one,
                other,
                linked=linked,
                said_at=work.said_at,
                source=work.source,
            )


async def _apply_case(work: _Work, statement: CaseRecorded | CaseCancelled) -> None:
    match statement:
        case CaseRecorded(said, patient):
            patient_id = work.bearers.get(patient)
            if patient is not None and patient_id is None:
                patient_id = await patients.bearer(work.connection, patient)
            await cases.record_case(
                work.connection,
                work.establishment_id,
                said,
                work.before.record_of(said.accession_number, patient_id),
                said_at=work.counts_from,
                source=work.source,
                held=work.held,
            )
        case CaseCancelled(accession_number):
            await cases.cancel_case(
                work.connection,
                work.establishment_id,
                accession_number,
                said_at=work.counts_from,
                source=work.source,
            )


async def _apply_asset(
    work: _Work, statement: AssetRecorded | AssetCancelled | SlideScanned
) -> None:
    connection, establishment_id = work.connection, work.establishment_id
    match statement:
        case AssetRecorded(asset):
            is_new = not work.before.knows(asset)
            if not is_new:
                work.held.clear()
            asset_id = await specimens.record_asset(
                connection,
                establishment_id,
                asset,
                said_at=work.counts_from,
                source=work.source,
                held=work.held if is_new else None,
                patient_id=work.patient_id,
            )
            may_wait = work.before.is_label_read or not is_new
            if asset.kind is AssetKind.SLIDE and may_wait:
                await _attach_waiting(work, asset_id)
        case AssetCancelled(asset):
            asset_id = await specimens.cancel_asset(
                connection, establishment_id, asset, said_at=work.counts_from, source=work.source
            )
            if asset.kind is AssetKind.SLIDE:
                taken = await attachments.glass_cancelled(connection, establishment_id, asset_id)
                work.changes.extend(Change("slide.detached", each) for each in taken)
        case SlideScanned(identifier):
            glass = await specimens.glass_named(connection, identifier)
            if glass is None:
                work.notes.append(Change("slide.unknown", detail=identifier))
            else:
                await _attach_waiting(work, glass.id)


async def _attach_waiting(work: _Work, glass_id: UUID) -> None:
    """A scan that was there before the laboratory named its glass finds it now."""
    work.held.clear()
    attached = await self_attaching.attach_waiting(work.connection, work.establishment_id, glass_id)
    work.changes.extend(Change("slide.attached", slide_id) for slide_id in attached)


async def _apply_order(work: _Work, statement: WorkOrderAccepted | OrderAnswered) -> None:
    match statement:
        case WorkOrderAccepted(placer_number, filler_number, temporary_id, asset):
            order_id = await work_orders.accept_work_order(
                work.connection,
                work.establishment_id,
                placer_number=placer_number,
                filler_number=filler_number,
                temporary_id=temporary_id,
                asset=asset,
                said_at=work.counts_from,
                source=work.source,
            )
            if order_id is None:
                work.notes.append(Change("order.unknown", detail=placer_number))
            order = None if order_id is None else await work_orders.by_id(work.connection, order_id)
            if order is not None and order.glass_id is not None:
                await _attach_waiting(work, order.glass_id)
        case OrderAnswered():
            settled = await answers.settle_later(
                work.connection, statement, work.raw, work.counts_from, work.source
            )
            if settled:
                work.changes.append(Change("notice.answered", detail=statement.control_id))


async def _apply_report(work: _Work, said: ReportSaid) -> None:
    patient_id = work.bearers.get(said.patient)
    if said.patient is not None and patient_id is None:
        patient_id = await patients.bearer(work.connection, said.patient)
    row = ReportRow(
        accession_number=said.accession_number,
        placer_number=said.placer_number,
        status=said.status,
        document_id=said.document_id,
        replaces=said.replaces,
        title=said.title,
        media_type=said.media_type,
        content=said.content,
        patient_id=patient_id,
    )
    try:
        report_id = await reports.attach_report(
            work.connection,
            work.establishment_id,
            row,
            said_at=work.counts_from,
            source=work.source,
        )
    except NotFoundError as error:
        raise DocumentVersionError(str(error), Location("TXA", field=12)) from error
    if report_id is not None and said.accession_number is None:  # no name that `look` looks by
        work.changes.append(Change("report.new", report_id))
