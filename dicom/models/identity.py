"""Whose slide it is: patient, study, container, specimens, and the UIDs that follow."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import pydicom
from pydicom.uid import UID

from dicom.text import require_text
from dicom.uids import derived_uid


class Sex(StrEnum):
    """Patient's Sex (0010,0040)."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"


@dataclass(frozen=True, slots=True)
class Patient:
    """The patient as the laboratory knows them (PS3.3 C.7.1.1); None where it does not say."""

    name: str | None = None
    """In DICOM's form, `family^given`."""
    identifier: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None

    def __post_init__(self) -> None:
        require_text("patient's name", self.name, 324)
        require_text("patient identifier", self.identifier, 64)


@dataclass(frozen=True, slots=True)
class Study:
    """The case the slide belongs to (PS3.3 C.7.2.1)."""

    accession_number: str | None = None
    """The laboratory's case number, at most 16 characters."""
    identifier: str | None = None
    """Study ID, at most 16 characters."""
    started_at: datetime | None = None
    uid: str | None = None
    """Study Instance UID shared by the slides of a case; without it the slide is its own study."""

    def __post_init__(self) -> None:
        require_text("accession number", self.accession_number, 16)
        require_text("study identifier", self.identifier, 16)
        if self.uid is not None and not UID(self.uid, pydicom.config.IGNORE).is_valid:
            raise ValueError(f"study UID {self.uid!r} is not a DICOM UID")


@dataclass(frozen=True, slots=True)
class SlideIdentity:
    """One slide. Every UID is derived from `slide_uuid`, so that converting again repeats them.

    Raises ValueError for an identifier that DICOM could not hold unchanged.
    """

    slide_uuid: uuid.UUID
    container_identifier: str | None = None
    """What the barcode on the glass says (0040,0512)."""
    specimen_identifiers: tuple[str, ...] = ()
    """What lies on the glass; empty when the laboratory names only the container."""
    patient: Patient = Patient()
    study: Study = Study()

    def __post_init__(self) -> None:
        require_text("container identifier", self.container_identifier, 64)
        for identifier in self.specimen_identifiers:
            require_text("specimen identifier", identifier, 64)

    @property
    def study_uid(self) -> str:
        return self.study.uid or derived_uid(self.slide_uuid, "study")

    @property
    def series_uid(self) -> str:
        return derived_uid(self.slide_uuid, "series")

    @property
    def frame_of_reference_uid(self) -> str:
        """One for the whole glass: every image of it shares its coordinates."""
        return derived_uid(self.slide_uuid, "frame of reference")

    @property
    def pyramid_uid(self) -> str:
        return derived_uid(self.slide_uuid, "pyramid")

    @property
    def dimension_organization_uid(self) -> str:
        return derived_uid(self.slide_uuid, "dimension organization")

    def specimen_uid(self, identifier: str) -> str:
        return derived_uid(self.slide_uuid, "specimen", identifier)

    def instance_uid(self, name: str) -> str:
        """SOP Instance UID of an image by its name in the slide, e.g. `level-0`."""
        return derived_uid(self.slide_uuid, "instance", name)
