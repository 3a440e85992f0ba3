"""A case and what it is made of: specimens, blocks, glass slides, as the laboratory names them.

Identifiers are opaque strings: a parent is what the laboratory says it is, never a part of a name.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    to_be_scanned: bool = True
    """False where SAC-48 says that it is not for a whole slide image."""


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
