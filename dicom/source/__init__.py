"""DICOM whole slide images of any vendor as slides to be read: a format like `tiling.formats`.

A slide is the instances of one series in one folder. `tiling` cannot know of it, so it is handed to
`tiling.registry.open_slide` by `dicom.formats.open_any`.
"""

from pathlib import Path

from dicom.source.files import is_dicom
from dicom.source.reader import NAME, DicomSlide, open_series
from tiling.confidence import Confidence
from tiling.limits import Limits

__all__ = ["NAME", "DicomSlide", "open_", "sniff"]


def sniff(path: Path, head: bytes) -> Confidence:  # noqa: ARG001 - a format is asked by both
    """VENDOR for every DICOM file: one that is no slide is for `open_` to say so."""
    return Confidence.VENDOR if is_dicom(head) else Confidence.NONE


def open_(path: Path, limits: Limits) -> DicomSlide:
    """Open the slide that a DICOM file belongs to, with all files of its series beside it.

    Raises UnsupportedSlideError for DICOM that is no slide or pixels that are not read here,
    IncompleteSlideError where a part of the base is missing, DamagedSlideError and
    SlideTooLargeError.
    """
    return open_series(path, limits)
