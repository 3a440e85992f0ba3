"""What a slide's instances are called once somebody has said whose they are: new UIDs each time."""

from dataclasses import dataclass
from uuid import UUID

from dicom.uids import derived_uid


@dataclass(frozen=True, slots=True)
class ToldPlace:
    """Where the instances of a slide are found by others since a revision."""

    revision: int
    study_uid: str
    series_uid: str


def told_uid(slide_id: UUID, revision: int, stored_uid: str) -> str:
    """SOP Instance UID of a stored instance in a revision; before the first, as it is stored."""
    if revision == 0:
        return stored_uid
    return derived_uid(slide_id, "revision", str(revision), stored_uid)


def told_series_uid(slide_id: UUID, revision: int) -> str:
    """Series Instance UID of a slide that comes into another study with a revision."""
    return derived_uid(slide_id, "revision", str(revision), "series")


def note_uids(slide_id: UUID, revision: int) -> tuple[str, str]:
    """Series and SOP Instance UID of the note that a revision's forerunner is rejected."""
    root = ("revision", str(revision), "rejection")
    return derived_uid(slide_id, *root, "series"), derived_uid(slide_id, *root, "instance")
