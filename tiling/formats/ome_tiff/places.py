"""Where each plane of an image lies: in which file, and in which of its directories.

OME-TIFF's TiffData elements tell it; where there are none, planes lie one after the other in the
image's own order.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tiling.errors import IncompleteSlideError, SlideTooLargeError
from tiling.formats.ome_tiff.document import Image, whole
from tiling.xml_tree import Element

_MOST_STEPS = 1 << 22
"""In sorting the planes of all images of one document."""


class Place(NamedTuple):
    """A directory, counted from 0, of the file of that name and UUID; None for the main file."""

    directory: int
    name: str | None = None
    uuid: str | None = None


class Steps:
    """How much work one document may still ask for."""

    def __init__(self, most: int = _MOST_STEPS) -> None:
        self._left = most

    def take(self, steps: int) -> None:
        """Raise SlideTooLargeError when there are not so many left."""
        self._left -= steps
        if self._left < 0:
            raise SlideTooLargeError("The file announces absurdly many planes; it is refused.")


def read_places(
    images: Sequence[Image], steps: Steps | None = None
) -> list[dict[tuple[int, int], Place]]:
    """For each image the places of its planes at the first time, by channel and plane.

    Raises IncompleteSlideError when the file names no place for one of a slide, SlideTooLargeError
    when that takes more than `steps`.
    """
    steps = steps or Steps()
    places = []
    first = 0
    for image in images:
        places.append(_places(image, first, steps))
        first += image.planes
    return places


def _places(image: Image, first: int, steps: Steps) -> dict[tuple[int, int], Place]:
    steps.take(image.sizes["C"] * image.sizes["Z"])
    wanted = {
        image.plane_index(z, c, 0): (c, z)
        for c in range(image.sizes["C"])
        for z in range(image.sizes["Z"])
    }
    told = image.pixels.all("TiffData")
    if not told:
        return {where: Place(first + index) for index, where in wanted.items()}
    found: dict[tuple[int, int], Place] = {}
    for element in told:
        start, count, place = _read(image, element)
        indices = range(start, start + count)
        steps.take(min(count, len(wanted)) + 1)
        met = [index for index in wanted if index in indices] if count > len(wanted) else indices
        for index in met:
            if index in wanted:
                moved = place._replace(directory=place.directory + index - start)
                found[wanted[index]] = moved
    # Of a label no more than the first is seen.
    needed = wanted.values() if image.kind is None else [(0, 0)]
    for c, z in needed:
        if (c, z) not in found:
            raise IncompleteSlideError(
                f"The slide lacks channel {c + 1} of plane {z + 1}; export it with every plane."
            )
    return found


def _read(image: Image, element: Element) -> tuple[int, int, Place]:
    """The first plane of a TiffData element, how many there are, and the place of the first."""
    said = element.attributes
    z, c, t = (whole(said.get(f"First{axis}"), 0) for axis in "ZCT")
    start = image.plane_index(z, c, t)
    everything = 1 if "IFD" in said else max(image.planes - start, 0)
    # Before 2009 it had another name.
    count = whole(said.get("PlaneCount", said.get("NumPlanes")), everything)
    uuid = element.first("UUID")
    name = uuid.attributes.get("FileName") if uuid is not None else None
    return (
        start,
        count,
        Place(
            whole(said.get("IFD"), 0),
            name or None,
            (uuid.text or None) if uuid is not None else None,
        ),
    )
