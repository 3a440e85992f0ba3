"""What is told of a case, in lists and whole."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from pydantic import BaseModel

from sgi.catalogue.case_history import Entry, Happening
from sgi.catalogue.reports import Report
from sgi.catalogue.scans import Scan
from sgi.catalogue.worklists import Line, ListedPatient
from sgi.domain.case import (
    Case,
    CaseState,
    Code,
    Glass,
    Priority,
    Specimen,
    WorkKind,
    WorkOrder,
    WorkState,
)
from sgi.domain.case_tree import BlockBranch, SpecimenBranch, tree
from sgi.domain.patient import Patient, matricule_shown


class PatientOut(BaseModel):
    """Who a case is of: the strict traits, and how far the identity is proved."""

    id: UUID
    birth_name: str | None
    first_given_name: str | None
    given_names: str | None = None
    used_name: str | None
    used_given_name: str | None
    sex: str | None
    birth_date: date | None
    ipp: str | None
    status: str | None
    """"PROV", "RECUP", "VALI" or "QUAL"."""
    attributes: list[str]
    """Of "HOMA", "DOUT", "FICT"."""
    matricule: str | None = None
    """The INS, of a qualified identity alone, and not in lists."""


class WorkerOut(BaseModel):
    """An account or a group."""

    id: UUID
    name: str


class CaseSummary(BaseModel):
    """A case in a list."""

    id: UUID
    accession_number: str
    state: CaseState
    priority: Priority
    extemporane: bool
    patient: PatientOut | None
    organs: list[str]
    stains: list[str]
    expected: int
    """Slides that are to be scanned."""
    scanned: int
    rescans: int
    orders: int
    """Work that the laboratory has not done yet."""
    received_at: datetime
    due_at: datetime
    held_at: datetime | None
    hold_reason: str | None
    pathologist: WorkerOut | None
    group: WorkerOut | None


class ScanOut(BaseModel):
    """One image of a slide."""

    slide_id: UUID
    current: bool
    published_at: datetime
    scanned_at: str | None
    quality_verdict: str | None


class GlassOut(BaseModel):
    """A glass slide, scanned or not."""

    id: UUID
    identifier: str
    stain: str | None
    """For people: stains, else the technique."""
    stains: list[str]
    description: str | None
    comment: str | None
    to_be_scanned: bool
    cancelled: bool
    rescan_asked_at: datetime | None
    rescan_reason: str | None
    rescan_asked_by: str | None
    scans: list[ScanOut]


class BlockOut(BaseModel):
    """A block and its slides; `id` and `identifier` are None for slides of which nobody said it."""

    id: UUID | None = None
    identifier: str | None = None
    embedding: str | None = None
    description: str | None = None
    comment: str | None = None
    cancelled: bool
    slides: list[GlassOut]


class SpecimenOut(BaseModel):
    """A specimen and its blocks; None as above."""

    id: UUID | None = None
    identifier: str | None = None
    organ: str | None = None
    laterality: str | None = None
    description: str | None = None
    comment: str | None = None
    collection: str | None = None
    fixative: str | None = None
    collected_at: datetime | None = None
    received_at: datetime | None = None
    cancelled: bool
    blocks: list[BlockOut]


class WorkOrderOut(BaseModel):
    """A recut, a stain or a new scan that was asked for."""

    id: UUID
    kind: WorkKind
    parent_identifier: str
    stain: str | None
    words: str | None
    temporary_id: str
    glass_id: UUID | None
    state: WorkState
    state_at: datetime
    refused_why: str | None
    asked_by: str | None
    asked_at: datetime


class ReportOut(BaseModel):
    """A report; its content is at `/api/v1/cases/{case}/reports/{id}`."""

    id: UUID
    title: str | None
    status: str
    media_type: str
    size_bytes: int
    sha256: str
    said_at: datetime
    attached_at: datetime
    withdrawn_at: datetime | None
    """Replaced or deleted since then, and kept."""


class HistoryOut(BaseModel):
    """One step of a case."""

    at: datetime
    kind: Happening
    before: str | None
    after: str | None
    why: str | None
    by: str | None
    """An account's name; None for a message or the system itself."""
    source: str | None
    said_at: datetime | None


class CaseOut(CaseSummary):
    """A case and all that it is made of."""

    placer_number: str | None
    filler_number: str | None
    service: str | None
    clinical_information: str | None
    comment: str | None
    visit_number: str | None
    laboratory_pathologist: str | None
    """Who reads it, as the laboratory says."""
    study_uid: str
    state_at: datetime
    ready_at: datetime | None
    signed_out_at: datetime | None
    specimens: list[SpecimenOut]
    work_orders: list[WorkOrderOut]
    reports: list[ReportOut]
    history: list[HistoryOut]


def listed_patient_out(patient: ListedPatient | None) -> PatientOut | None:
    if patient is None:
        return None
    return PatientOut(
        id=patient.id,
        birth_name=patient.birth_name,
        first_given_name=patient.first_given_name,
        used_name=patient.used_name,
        used_given_name=patient.used_given_name,
        sex=patient.sex,
        birth_date=patient.birth_date,
        ipp=patient.local_identifier,
        status=patient.status,
        attributes=list(patient.attributes),
    )


def patient_out(patient: Patient | None) -> PatientOut | None:
    if patient is None:
        return None
    traits, local, ins = patient.traits, patient.local, patient.ins
    return PatientOut(
        id=patient.id,
        birth_name=traits.birth_name,
        first_given_name=traits.first_given_name,
        given_names=traits.given_names,
        used_name=traits.used_name,
        used_given_name=traits.used_given_name,
        sex=traits.sex,
        birth_date=traits.birth_date,
        ipp=None if local is None else local.value,
        status=patient.status,
        attributes=sorted(patient.attributes),
        matricule=ins.value if ins is not None and matricule_shown(patient) else None,
    )


def summary(line: Line, patient: PatientOut | None) -> dict[str, object]:
    """The fields of CaseSummary."""
    case = line.case
    same = ("id", "accession_number", "state", "priority", "extemporane", "expected", "scanned")
    times = ("rescans", "orders", "received_at", "due_at", "held_at", "hold_reason")
    return {
        **{name: getattr(case, name) for name in (*same, *times)},
        "patient": patient,
        "organs": list(case.organs),
        "stains": list(case.stains),
        "pathologist": _worker(case.account_id, line.account_name),
        "group": _worker(case.group_id, line.group_name),
    }


def case_out(
    line: Line,
    patient: Patient | None,
    specimens: list[Specimen],
    glasses: list[Glass],
    scans: dict[UUID, list[Scan]],
    orders: list[WorkOrder],
    reports: list[Report],
    history: list[Entry],
) -> CaseOut:
    """A case whole."""
    case = line.case
    return CaseOut.model_validate(
        {
            **summary(line, patient_out(patient)),
            **_of_case(case),
            "specimens": [_specimen(each, scans) for each in tree(specimens, glasses)],
            "work_orders": [work_order_out(order) for order in orders],
            "reports": [_report(report) for report in reports],
            "history": [_entry(entry) for entry in history],
        }
    )


def work_order_out(order: WorkOrder) -> WorkOrderOut:
    return WorkOrderOut(
        id=order.id,
        kind=order.kind,
        parent_identifier=order.parent_identifier,
        stain=_words(order.stains),
        words=order.words,
        temporary_id=order.temporary_id,
        glass_id=order.glass_id,
        state=order.state,
        state_at=order.state_at,
        refused_why=order.refused_why,
        asked_by=order.asked_name,
        asked_at=order.asked_at,
    )


def _of_case(case: Case) -> dict[str, object]:
    same = ("placer_number", "filler_number", "clinical_information", "comment", "visit_number")
    times = ("study_uid", "state_at", "ready_at", "signed_out_at")
    return {
        **{name: getattr(case, name) for name in (*same, *times)},
        "service": _word(case.service),
        "laboratory_pathologist": case.pathologist_name or case.pathologist,
    }


def _specimen(branch: SpecimenBranch, scans: dict[UUID, list[Scan]]) -> SpecimenOut:
    blocks = [_block(each, scans) for each in branch.blocks]
    said = branch.specimen
    if said is None:
        return SpecimenOut(cancelled=False, blocks=blocks)
    return SpecimenOut(
        id=said.id,
        identifier=said.identifier,
        organ=_word(said.site) or _word(said.specimen_type),
        laterality=_word(said.laterality),
        description=said.description,
        comment=said.comment,
        collection=_word(said.collection),
        fixative=_word(said.fixative),
        collected_at=said.collected_at,
        received_at=said.received_at,
        cancelled=said.cancelled_at is not None,
        blocks=blocks,
    )


def _block(branch: BlockBranch, scans: dict[UUID, list[Scan]]) -> BlockOut:
    slides = [_glass(each, scans.get(each.id, [])) for each in branch.glasses]
    said = branch.block
    if said is None:
        return BlockOut(cancelled=False, slides=slides)
    return BlockOut(
        id=said.id,
        identifier=said.identifier,
        embedding=_word(said.embedding),
        description=said.description,
        comment=said.comment,
        cancelled=said.cancelled_at is not None,
        slides=slides,
    )


def _glass(glass: Glass, scans: list[Scan]) -> GlassOut:
    return GlassOut(
        id=glass.id,
        identifier=glass.identifier,
        stain=_words(glass.stains) or _word(glass.technique),
        stains=[_word(stain) or "" for stain in glass.stains],
        description=glass.description,
        comment=glass.comment,
        to_be_scanned=glass.to_be_scanned,
        cancelled=glass.cancelled_at is not None,
        rescan_asked_at=glass.rescan_asked_at,
        rescan_reason=glass.rescan_reason,
        rescan_asked_by=glass.rescan_asked_by if glass.rescan_asked_at else None,
        scans=[ScanOut.model_validate(scan, from_attributes=True) for scan in scans],
    )


def _report(report: Report) -> ReportOut:
    same = set(ReportOut.model_fields) - {"title"}
    told = {name: getattr(report, name) for name in same}
    return ReportOut(title=_word(report.title), **told)


def _entry(entry: Entry) -> HistoryOut:
    return HistoryOut(
        at=entry.at,
        kind=entry.kind,
        before=entry.before,
        after=entry.after,
        why=entry.why,
        by=entry.author.account_name,
        source=entry.author.source,
        said_at=entry.author.said_at,
    )


def _worker(known_id: UUID | None, name: str | None) -> WorkerOut | None:
    return None if known_id is None or name is None else WorkerOut(id=known_id, name=name)


def _word(code: Code | None) -> str | None:
    return None if code is None else code.text or code.code or None


def _words(codes: Iterable[Code]) -> str | None:
    return ", ".join(filter(None, map(_word, codes))) or None
