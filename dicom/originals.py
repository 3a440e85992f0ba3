"""What the DICOM files of a slide said, brought over into the instances made of it."""

from collections.abc import Mapping
from datetime import datetime

import pydicom

from dicom.models import ImageDescription, ImageRole
from dicom.modules.original import keep_original
from dicom.modules.original_optics import keep_optics
from dicom.placeholders import UNKNOWN
from dicom.source import DicomSlide
from dicom.source.original import OriginalImage
from dicom.withheld import Withholds, item_without_withheld, nothing, without_withheld
from tiling.geometry import Size
from tiling.pyramid import Origin
from tiling.slide import AssociatedKind, SlideReader

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
_KINDS = {
    ImageRole.LABEL: AssociatedKind.LABEL,
    ImageRole.OVERVIEW: AssociatedKind.OVERVIEW,
    ImageRole.THUMBNAIL: AssociatedKind.THUMBNAIL,
}


class Originals:
    """The headers of a slide's own DICOM files; of another format there are none."""

    def __init__(
        self,
        reader: SlideReader,
        taken_in_at: datetime | None,
        withholds: Withholds = nothing,
    ) -> None:
        self._taken_in_at = taken_in_at
        self._withholds = withholds
        self._base: OriginalImage | None = None
        self._by_size: dict[Size, OriginalImage] = {}
        self._by_kind: Mapping[AssociatedKind, OriginalImage] = {}
        if isinstance(reader, DicomSlide):
            self._base = reader.original[0]
            self._by_kind = reader.original_associated
            self._by_size = {
                reader.levels[number].size: said for number, said in reader.original.items()
            }

    def keep(
        self, new: pydicom.Dataset, image: ImageDescription, origin: Origin | None = None
    ) -> None:
        """Add to an instance what its own file said, or the base's where it has none.

        A thumbnail of the origin BUILT has none.
        """
        own = self._own(image, origin)
        original = own or self._base
        if original is None:
            return
        header = without_withheld(original.header, self._withholds)
        paths = [
            said and item_without_withheld(said, self._withholds) for said in original.optical_paths
        ]
        # A stand-in of ours gives way to what the file knows.
        if new.ContainerIdentifier == UNKNOWN and header.get("ContainerIdentifier"):
            for keyword in _SPECIMEN:
                if keyword in header:
                    del new[keyword]
        if own is not None:
            _keep_losses(new, own, image.role)
        keep_optics(new, paths)
        keep_original(new, header, self._taken_in_at, own=own is not None)

    def _own(self, image: ImageDescription, origin: Origin | None) -> OriginalImage | None:
        if image.role is ImageRole.VOLUME:
            return self._by_size.get(image.size)
        return None if origin is Origin.BUILT else self._by_kind.get(_KINDS[image.role])


def _keep_losses(new: pydicom.Dataset, own: OriginalImage, role: ImageRole) -> None:
    """Samples that are handed on without loss have lost what they had lost before."""
    whole = role is not ImageRole.VOLUME
    lost = own.header.get("LossyImageCompression") == "01"
    if lost and (whole or new.LossyImageCompression == "00"):
        for keyword in _LOSSES:
            if keyword in own.header:
                new[keyword] = own.header[keyword]
    elif whole and not own.lossy:
        for keyword in _LOSSES[1:]:
            new.pop(keyword, None)
        new.LossyImageCompression = "00"
