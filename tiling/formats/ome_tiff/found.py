"""The images of a document with the directories that hold their planes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiling.errors import DamagedSlideError
from tiling.formats.ome_tiff.document import Image
from tiling.formats.ome_tiff.files import FileSet
from tiling.formats.ome_tiff.metadata import spacing_mm
from tiling.formats.ome_tiff.places import Place
from tiling.tiff import Directory
from tiling.tiff_layers import LayeredTiff, has_shape_of

_SAME_EXTENT = 0.02
"""By how much of itself an image's extent may differ from that of its smaller copy."""
Where = tuple[int, int]
"""Channel and plane."""
Planes = Mapping[Where, tuple[LayeredTiff, Directory]]


@dataclass(frozen=True, slots=True)
class Found:
    """An image with the directories of its planes, by channel and plane."""

    image: Image
    planes: Planes

    @property
    def first(self) -> tuple[LayeredTiff, Directory]:
        return self.planes[0, 0]


def find(image: Image, places: Mapping[Where, Place], files: FileSet) -> Found:
    """Raises DamagedSlideError where the document contradicts the files."""
    planes = {}
    met = set()
    for where, place in places.items():
        file = files.get(place.name, place.uuid)
        if place.directory >= len(file.directories):
            raise DamagedSlideError("An image is missing; copy the file again from the scanner.")
        met.add((id(file), place.directory))
        planes[where] = file, file.directories[place.directory]
        if image.kind is None:
            image.check_size(file.size(planes[where][1]))
    if image.kind is None and len(met) < len(planes):
        raise DamagedSlideError(
            "The file's description has one image for two planes; export the slide again."
        )
    return Found(image, planes)


def referred(places: Sequence[Mapping[Where, Place]], files: FileSet) -> set[int]:
    """The main file's directories that are planes of an image."""
    return {
        place.directory
        for at in places
        for place in at.values()
        if files.get(place.name, place.uuid) is files.main
    }


def holds_more(images: Sequence[Image], taken: set[int], files: FileSet) -> bool:
    """Whether the main file has images that no plane is in and that are no smaller copies.

    Those of later times are told of by another name.
    """
    if files.main is None or any(image.sizes["T"] > 1 for image in images):
        return False
    directories = enumerate(files.main.directories)
    return any(at not in taken and not files.main.is_reduced(each) for at, each in directories)


def with_copies(found: Sequence[Found]) -> list[tuple[Found, list[Found]]]:
    """Each image with those after it that are smaller copies of it."""
    grouped: list[tuple[Found, list[Found]]] = []
    for each in found:
        of = next((copies for base, copies in grouped if _is_copy(base, each)), None)
        if of is None:
            grouped.append((each, []))
        else:
            of.append(each)
    return grouped


def _is_copy(base: Found, other: Found) -> bool:
    """Whether an image has the name, the layers and the extent of another, in fewer pixels."""
    spacings = spacing_mm(base.image), spacing_mm(other.image)
    if spacings[0] is None or spacings[1] is None or base.image.sizes != other.image.sizes:
        return False
    name = base.image.element.attributes.get("Name")
    if not name or name != other.image.element.attributes.get("Name"):
        return False
    sizes = [file.size(directory) for file, directory in (base.first, other.first)]
    extents = [
        (size.rows * spacing[0], size.columns * spacing[1])
        for size, spacing in zip(sizes, spacings, strict=True)
        if spacing is not None
    ]
    return has_shape_of(*sizes) and all(
        abs(ours - theirs) <= _SAME_EXTENT * ours for ours, theirs in zip(*extents, strict=True)
    )
