"""What is told of a case whole."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from sgi.api.case_summaries import CaseSummary, patient_out, summary
from sgi.api.case_tree_answers import SpecimenOut, specimen_out
from sgi.api.code_words import word_of, words_of
from sgi.catalogue.case_history import Entry, Happening
from sgi.catalogue.reports import Report
from sgi.catalogue.scans import Scan
from sgi.catalogue.worklists import Line
from sgi.domain.case import Case, Glass, Specimen, WorkKind, WorkOrder, WorkState
from sgi.domain.case_tree import tree
from sgi.domain.interface import OF_IMAGES, NoticeKind
from sgi.domain.patient import Patient


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
    approved_by: str | None
    """Of a destroyed image: who approved what `by` asked for."""


class LinksOut(BaseModel):
    """What the laboratory hears of by itself: some interface sends it."""

    orders: bool
    """Recuts, stains and new scans that are asked for (LAB-102)."""
    images: bool
    """Images that are there, or not any more (LAB-104, ORU)."""
    states: bool
    """Where the case stands (LAB-101)."""


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
    links: LinksOut


def case_out(
    line: Line,
    patient: Patient | None,
    specimens: list[Specimen],
    glasses: list[Glass],
    scans: dict[UUID, list[Scan]],
    orders: list[WorkOrder],
    reports: list[Report],
    history: list[Entry],
    told: frozenset[NoticeKind],
) -> CaseOut:
    """A case whole."""
    case = line.case
    return CaseOut.model_validate(
        {
            **summary(line, patient_out(patient)),
            **_of_case(case),
            "specimens": [specimen_out(each, scans) for each in tree(specimens, glasses)],
            "work_orders": [work_order_out(order) for order in orders],
            "reports": [_report(report) for report in reports],
            "history": [_entry(entry) for entry in history],
            "links": LinksOut(
                orders=NoticeKind.WORK_ORDER in told,
                images=not told.isdisjoint(OF_IMAGES),
                states=NoticeKind.CASE in told,
            ),
        }
    )


def work_order_out(order: WorkOrder) -> WorkOrderOut:
    return WorkOrderOut(
        id=order.id,
        kind=order.kind,
        parent_identifier=order.parent_identifier,
        stain=words_of(order.stains),
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
        "service": word_of(case.service),
        "laboratory_pathologist": case.pathologist_name or case.pathologist,
    }


def _report(report: Report) -> ReportOut:
    same = set(ReportOut.model_fields) - {"title"}
    told = {name: getattr(report, name) for name in same}
    return ReportOut(title=word_of(report.title), **told)


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
        approved_by=entry.approved_name,
    )
