"""A case and what it is made of: specimens, blocks, glass slides, as the laboratory names them.

Identifiers are opaque strings: a parent is what the laboratory says it is, never a part of a name.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class CaseState(StrEnum):
    """Where a case stands between the laboratory's door and the signed report."""

    RECEIVED = "received"
    """The laboratory has it; nothing of it is scanned."""
    IN_PROGRESS = "in_progress"
    """Some expected slides have images."""
    READY = "ready"
    """All expected slides have images: it can be read."""
    READING = "reading"
    """A pathologist has begun."""
    REPORTED = "reported"
    """A report is there, not final."""
    SIGNED_OUT = "signed_out"
    CANCELLED = "cancelled"


OPEN = frozenset(set(CaseState) - {CaseState.SIGNED_OUT, CaseState.CANCELLED})
"""There is work to be done."""
UNREAD = frozenset({CaseState.RECEIVED, CaseState.IN_PROGRESS, CaseState.READY})
"""Nobody has begun: the images alone say how far it is."""


class CaseEvent(StrEnum):
    """What moves a case on, beside its images."""

    BEGIN = "begin"
    """A pathologist starts to read, whether all of it is scanned or not."""
    PUT_BACK = "put_back"
    """Begun by mistake, or given to another."""
    REPORT = "report"
    """A report is there that is not final."""
    SIGN_OUT = "sign_out"
    """A pathologist says here that it is done."""
    FINAL = "final"
    """The laboratory's system says that its report is final: it decides, whatever is done here."""
    REOPEN = "reopen"
    """After sign-out there is more to say."""
    CANCEL = "cancel"
    RESTORE = "restore"
    """The laboratory takes a cancellation back."""


RULES: dict[CaseEvent, dict[CaseState, CaseState]] = {
    CaseEvent.BEGIN: dict.fromkeys(UNREAD, CaseState.READING),
    CaseEvent.PUT_BACK: {CaseState.READING: CaseState.RECEIVED},
    CaseEvent.REPORT: {
        **dict.fromkeys(UNREAD, CaseState.REPORTED),
        CaseState.READING: CaseState.REPORTED,
        CaseState.REPORTED: CaseState.REPORTED,
    },
    CaseEvent.SIGN_OUT: {
        CaseState.READY: CaseState.SIGNED_OUT,
        CaseState.READING: CaseState.SIGNED_OUT,
        CaseState.REPORTED: CaseState.SIGNED_OUT,
    },
    CaseEvent.FINAL: {
        **dict.fromkeys(OPEN, CaseState.SIGNED_OUT),
        CaseState.SIGNED_OUT: CaseState.SIGNED_OUT,
    },
    CaseEvent.REOPEN: {CaseState.SIGNED_OUT: CaseState.READING},
    CaseEvent.CANCEL: dict.fromkeys(CaseState, CaseState.CANCELLED),
    CaseEvent.RESTORE: {CaseState.CANCELLED: CaseState.RECEIVED},
}
"""From which state to which; what is not here is not done. "Received" is looked at again by
`state_by_images`."""


def state_after(state: CaseState, event: CaseEvent) -> CaseState | None:
    """The state that an event leads to; None where it cannot happen."""
    return RULES[event].get(state)


def state_by_images(state: CaseState, expected: int, scanned: int, rescans: int) -> CaseState:
    """Where a case stands by its slides: how many are to be scanned, how many of them are, and how
    many of those are to be scanned again. Once somebody has begun, images change nothing.
    """
    if state not in UNREAD:
        return state
    if scanned == 0:
        return CaseState.RECEIVED
    if scanned < expected or rescans:
        return CaseState.IN_PROGRESS
    return CaseState.READY


class Priority(StrEnum):
    """How urgent, by HL7 table 0485."""

    STAT = "S"
    ASAP = "A"
    ROUTINE = "R"


class AssetKind(StrEnum):
    """What a case is made of, by SPM-27."""

    SPECIMEN = "CONTAINER"
    BLOCK = "CASSETTE"
    SLIDE = "GLASS"


@dataclass(frozen=True, slots=True)
class Code:
    """A coded word (CWE): the code, what people read, and whose code it is."""

    code: str
    text: str | None = None
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """What one message says of a specimen, a block or a glass slide; None where it is silent."""

    kind: AssetKind
    identifier: str
    """What its label reads; of a slide, what its barcode says."""
    accession_number: str | None = None
    """The case; None where only the parent tells."""
    parent: str | None = None
    """The block of a slide, the specimen of a block."""
    specimen_type: Code | None = None
    collection: Code | None = None
    """How it was taken (SPM-7)."""
    site: Code | None = None
    laterality: Code | None = None
    description: str | None = None
    collected_at: datetime | None = None
    received_at: datetime | None = None
    fixative: Code | None = None
    embedding: Code | None = None
    stains: tuple[Code, ...] = ()
    """Of a slide, in the order said; empty for one that is not stained, or not said."""
    technique: Code | None = None
    """What was asked for (OBR-4 of a slide), where it is not a stain."""
    to_be_scanned: bool | None = None
    """Of a slide, whether SAC-48 says that it is for a whole slide image; one of which nobody says
    it, is."""
    comment: str | None = None
    """NTE after its SPM or SAC."""


@dataclass(frozen=True, slots=True)
class CaseSaid:
    """What one message says of a case; None where it is silent."""

    accession_number: str
    placer_number: str | None = None
    """ORC-2, the order's number at whoever asked."""
    filler_number: str | None = None
    """ORC-3, the laboratory's."""
    priority: Priority | None = None
    extemporane: bool | None = None
    """A frozen section: the patient is on the table."""
    service: Code | None = None
    """OBR-4."""
    clinical_information: str | None = None
    received_at: datetime | None = None
    pathologist: str | None = None
    """The professional's number (RPPS with its leading 8) from OBR-32 or PRT."""
    pathologist_name: str | None = None
    visit_number: str | None = None
    state: CaseState | None = None
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it is on record."""

    id: UUID
    establishment_id: UUID
    accession_number: str
    placer_number: str | None
    filler_number: str | None
    patient_id: UUID | None
    """As it was said; that patient may have been merged into another since."""
    state: CaseState
    state_at: datetime
    priority: Priority
    extemporane: bool
    service: Code | None
    clinical_information: str | None
    comment: str | None
    visit_number: str | None
    pathologist: str | None
    """The number and, below, the name by which the laboratory knows who reads it."""
    pathologist_name: str | None
    study_uid: str
    account_id: UUID | None
    """Whose it is here."""
    group_id: UUID | None
    received_at: datetime
    due_at: datetime
    ready_at: datetime | None
    signed_out_at: datetime | None
    held_at: datetime | None
    hold_reason: str | None
    expected: int
    """Slides that are to be scanned."""
    scanned: int
    """Those of them that have an image."""
    rescans: int
    orders: int
    """Work orders that the laboratory has not done yet."""
    reports: int
    organs: tuple[str, ...]
    stains: tuple[str, ...]
    said_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Glass:
    """A glass slide as the laboratory named it."""

    id: UUID
    establishment_id: UUID
    case_id: UUID | None
    """None until its case is known."""
    identifier: str
    parent_identifier: str | None
    stains: tuple[Code, ...]
    technique: Code | None
    description: str | None
    comment: str | None
    to_be_scanned: bool
    cancelled_at: datetime | None
    rescan_asked_at: datetime | None
    rescan_reason: str | None
    rescan_asked_by: str | None
    said_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Specimen:
    """A specimen or a block as the laboratory named it."""

    id: UUID
    kind: AssetKind
    identifier: str
    case_id: UUID | None
    parent_identifier: str | None
    specimen_type: Code | None
    collection: Code | None
    site: Code | None
    laterality: Code | None
    description: str | None
    comment: str | None
    collected_at: datetime | None
    received_at: datetime | None
    fixative: Code | None
    embedding: Code | None
    cancelled_at: datetime | None


class WorkKind(StrEnum):
    """What a pathologist asks the laboratory to do."""

    RECUT = "recut"
    IHC = "ihc"
    SPECIAL_STAIN = "special_stain"
    RESCAN = "rescan"


class WorkState(StrEnum):
    """How far the laboratory is with it."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """Whoever asked takes it back, or what it is about is no more."""
    DONE = "done"
    """The slide that came of it has an image."""


@dataclass(frozen=True, slots=True)
class WorkOrder:
    """A recut, a stain or a new scan that was asked for."""

    id: UUID
    case_id: UUID
    kind: WorkKind
    parent_identifier: str
    """The block that is cut; of a new scan, the glass."""
    stains: tuple[Code, ...]
    words: str | None
    """What the pathologist adds; of a new scan, why."""
    placer_number: str
    temporary_id: str
    """Of the slide to come, until the laboratory names it."""
    filler_number: str | None
    glass_id: UUID | None
    state: WorkState
    state_at: datetime
    refused_why: str | None
    asked_by: UUID | None
    asked_name: str | None
    asked_at: datetime
