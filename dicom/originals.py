"""What the DICOM files of a slide said, brought over into the instances made of it."""

from datetime import datetime

import pydicom

from dicom.modules.original import keep_original
from dicom.placeholders import UNKNOWN
from dicom.source import DicomSlide
from tiling.geometry import Size
from tiling.slide import SlideReader

_SPECIMEN = (
    "ContainerIdentifier",
    "IssuerOfTheContainerIdentifierSequence",
    "ContainerTypeCodeSequence",
    "SpecimenDescriptionSequence",
)
_LOSSES = (
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)


class Originals:
    """The headers of a slide's own DICOM files; of another format there are none."""

    def __init__(self, reader: SlideReader, taken_in_at: datetime | None) -> None:
        self._taken_in_at = taken_in_at
        self._base: pydicom.Dataset | None = None
        self._by_size: dict[Size, pydicom.Dataset] = {}
        if isinstance(reader, DicomSlide):
            self._base = reader.original.get(0)
            self._by_size = {
                reader.levels[number].size: header for number, header in reader.original.items()
            }

    def keep(self, new: pydicom.Dataset, size: Size) -> None:
        """Add to an instance of that size what its own file said; the base's, if it has none."""
        own = self._by_size.get(size)
        original = own or self._base
        if original is None:
            return
        # A stand-in of ours gives way to what the file knows.
        if new.ContainerIdentifier == UNKNOWN and original.get("ContainerIdentifier"):
            for keyword in _SPECIMEN:
                if keyword in original:
                    del new[keyword]
        # Samples that are handed on without loss may have lost something before.
        lost = original.get("LossyImageCompression") == "01"
        if own is not None and lost and new.LossyImageCompression == "00":
            for keyword in _LOSSES:
                if keyword in original:
                    new[keyword] = original[keyword]
        keep_original(new, original, self._taken_in_at)
