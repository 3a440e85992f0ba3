"""What a file said of its image, for the instances that are made of it."""

from dataclasses import dataclass

import pydicom

from dicom.source.image import Image
from dicom.source.part import items, text_of


@dataclass(frozen=True, slots=True, eq=False)
class OriginalImage:
    """The first file of an image."""

    header: pydicom.Dataset
    """Without pixels and what frames say each; of this file, so not to be changed."""
    optical_paths: tuple[pydicom.Dataset | None, ...]
    """The item that describes each optical path, in the image's order; None where there is none."""
    lossy: bool
    """Whether the pixels were ever compressed with loss, as far as the file tells."""

    @classmethod
    def of(cls, image: Image) -> "OriginalImage":
        return cls(image.parts[0].dataset, path_items(image), image.lossy)


def path_items(image: Image) -> tuple[pydicom.Dataset | None, ...]:
    """Each path as the first file that describes it does."""
    said: dict[str, pydicom.Dataset] = {}
    for part in image.parts:
        for number, item in enumerate(items(part.dataset, "OpticalPathSequence"), start=1):
            said.setdefault(text_of(item, "OpticalPathIdentifier") or str(number), item)
    return tuple(said.get(identifier) for identifier in image.path_identifiers)
