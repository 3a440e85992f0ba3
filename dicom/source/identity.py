"""That the files of a series show one glass of one patient."""

import filecmp
from collections.abc import Iterable
from pathlib import Path

from dicom.source.metadata import known
from dicom.source.part import Part
from tiling.errors import UnsupportedSlideError

_PATIENT = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")


def require_one_slide(parts: Iterable[Part]) -> None:
    """Raise UnsupportedSlideError where two files name another patient, case, study or glass.

    Whatever their series is called: no slide is put together of two. A file that names none
    contradicts no other.
    """
    parts = list(parts)
    if any(_differs(parts, keyword) for keyword in _PATIENT):
        raise UnsupportedSlideError(
            "The files of the series name different patients; "
            "put the files of each slide into a folder of its own."
        )
    if _differs(parts, "ContainerIdentifier"):
        raise UnsupportedSlideError(
            "The files of the series name different slides; "
            "put the files of each into a folder of its own."
        )
    if _differs(parts, "AccessionNumber"):
        raise UnsupportedSlideError(
            "The files of the series name different cases; "
            "put the files of each into a folder of its own."
        )
    if _differs(parts, "StudyInstanceUID"):
        raise UnsupportedSlideError(
            "The files of the series are of different studies; "
            "put the files of each into a folder of its own."
        )


def require_copy(path: Path, other: Path) -> None:
    """The same instance twice is a file that was copied twice, or else a riddle for a person."""
    if not filecmp.cmp(path, other, shallow=False):
        raise UnsupportedSlideError(
            "Two files of the series have one identity and different contents; "
            "keep the right one of them."
        )


def _differs(parts: Iterable[Part], keyword: str) -> bool:
    return len({value for part in parts if (value := known(part.text(keyword)))}) > 1
