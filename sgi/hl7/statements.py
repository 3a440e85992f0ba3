"""What a message says, free of HL7: the only words between the mapping and the catalogue.

The mapping turns a message into statements and touches nothing; applying them is one transaction.
Each is true "as of" its source's time, so that an old one that comes late changes nothing newer.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sgi.domain.case import Asset, CaseSaid, Code
from sgi.domain.patient import Identifier, Identity


@dataclass(frozen=True, slots=True)
class PatientSaid:
    """A01-A08, A28, A31 and the PID of every order: who the patient is."""

    identity: Identity
    event: str
    """Such as "A31"; "order" where the PID only goes with an order: such a one fills in what is
    unknown and never overwrites what the administration said."""
    died_on: date | None = None
    """PID-29; None where no day is said."""


@dataclass(frozen=True, slots=True)
class PatientsMerged:
    """A40: whom `gone` named is the same person as `kept`; those are not used any more."""

    kept: Identity
    gone: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class IdentifierChanged:
    """A47: the patient bears `new` in place of `old`."""

    new: Identity
    old: tuple[Identifier, ...]


@dataclass(frozen=True, slots=True)
class PatientsLinked:
    """A24 (`linked`) and A37 (not any more): two records that somebody holds for one person."""

    one: tuple[Identifier, ...]
    """The IPPs of one of the two."""
    other: tuple[Identifier, ...]
    linked: bool


@dataclass(frozen=True, slots=True)
class CaseRecorded:
    """NW, XO or SC of a case: it is there, and this is known of it."""

    case: CaseSaid
    patient: Identifier | None
    moves: bool = field(default=False, compare=False)
    """XO or LAB-101: it may be another patient's from now on."""


@dataclass(frozen=True, slots=True)
class CaseCancelled:
    """CA of a whole case."""

    accession_number: str


@dataclass(frozen=True, slots=True)
class AssetRecorded:
    """LAB-100 NW or XO: a specimen, block or slide; its case and parent may come later."""

    asset: Asset
    moves: bool = field(default=False, compare=False)
    """XO: it may be of another patient's case from now on."""


@dataclass(frozen=True, slots=True)
class AssetCancelled:
    """LAB-100 CA."""

    asset: Asset


@dataclass(frozen=True, slots=True)
class WorkOrderAccepted:
    """LAB-103: what we asked for under a temporary id has its own now."""

    placer_number: str
    filler_number: str | None
    temporary_id: str | None
    asset: Asset | None
    accession_number: str | None = None
    """Of the case, where the message names it."""


@dataclass(frozen=True, slots=True)
class SlideScanned:
    """A scanner's word that it has made an image of a slide (OUL^R21)."""

    identifier: str


class ReportStatus(StrEnum):
    """OBX-11 and the event: what the document is to those before it."""

    FINAL = "final"
    PRELIMINARY = "preliminary"
    REPLACED = "replaced"
    """It replaces the one before."""
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class ReportSaid:
    """ORU^R01 or MDM: a report on a case, whole."""

    accession_number: str | None
    placer_number: str | None
    patient: Identifier | None
    status: ReportStatus
    document_id: str | None
    replaces: str | None
    title: Code | None
    media_type: str
    """Such as "application/pdf", "text/xml" (CDA) or "text/plain"."""
    content: bytes


@dataclass(frozen=True, slots=True)
class OrderAnswered:
    """ORL^O22 that came as a message of its own: the answer to one of ours."""

    control_id: str
    """Of our message (MSA-2)."""
    code: str
    """MSA-1."""
    order_control: str | None
    """ORC-1 of the answer: "OK", "UA"…"""
    placer_number: str | None
    filler_number: str | None
    words: str | None
    """Why, where the other side said."""


Statement = (
    PatientSaid
    | PatientsMerged
    | IdentifierChanged
    | PatientsLinked
    | CaseRecorded
    | CaseCancelled
    | AssetRecorded
    | AssetCancelled
    | WorkOrderAccepted
    | SlideScanned
    | ReportSaid
    | OrderAnswered
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from, for times and traces."""

    interface: str
    control_id: str
    said_at: datetime
    """When it was true: EVN-2, else MSH-7, else when it was received; with an offset."""
    sender: str = ""
    """MSH-3 and MSH-4, as `application|facility`."""
