"""Leica SCN: one scanned area, its JPEG tiles handed on as they are.

A collection is the whole glass, in nanometres; an image is an area of it, scanned in several
resolutions, and the image that covers the collection is the overview. OpenSlide paints the areas
on a canvas as large as the glass. Tiles can only be handed on where they lie, and an area hardly
ever begins on a tile's corner of that canvas; so here the area itself is the slide, from its own
upper left, instead of a huge white canvas that would have to be compressed anew. Its place on
the glass stays in the vendor's metadata (`view.offsetX`, `view.offsetY`).

Slides with several areas, other light than bright field, several planes or several collections
are not claimed.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.jpeg_tiff import AssociatedImage, JpegTiff, Layout, claim, open_claimed
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile
from tiling.xml_tree import Element, flatten, parse_root, parse_xml

NAME = "Leica SCN"

_NAMESPACES = {
    "http://www.leica-microsystems.com/scn/2010/03/10",
    "http://www.leica-microsystems.com/scn/2010/10/01",
}
_SIDES = ("sizeX", "sizeY")
_NM_PER_MM = 1e6


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a collection with a single area in bright field."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.attributes.get("xmlns") in _NAMESPACES


def _read_layout(file: JpegTiff) -> Layout:
    scn = parse_xml(file.description(file.directories[0]))
    collections = scn.all("collection")
    if len(collections) != 1:
        raise UnsupportedSlideError("The slide holds several collections; export one of them.")
    collection = collections[0]
    images = collection.all("image")
    areas = [image for image in images if not _is_overview(image, collection)]
    if len(areas) != 1 or not _is_plain(areas[0]):
        raise UnsupportedSlideError(
            "The slide holds several areas, planes or colours of light; export one of them."
        )
    area = areas[0]
    directories = _directories(file, area)
    levels = file.pyramid([file.directories[index] for index in directories])
    return Layout(
        _metadata(file, scn, area, file.directories[directories[0]]),
        levels,
        _overview(file, [image for image in images if image is not area]),
    )


def _is_overview(image: Element, collection: Element) -> bool:
    """Whether an image shows all of the glass."""
    view = image.first("view")
    if view is None:
        raise DamagedSlideError("An area's place is missing; copy the file again.")
    sides = [(view.attributes.get(name), collection.attributes.get(name)) for name in _SIDES]
    return all(view.attributes.get(name) == "0" for name in ("offsetX", "offsetY")) and all(
        ours == whole for ours, whole in sides
    )


def _is_plain(image: Element) -> bool:
    """Whether an image is in bright field, in one plane and without channels."""
    light = image.words("scanSettings", "illuminationSettings", "illuminationSource")
    return light == "brightfield" and all(
        dimension.attributes.get(name, "0") == "0"
        for dimension in image.all("pixels", "dimension")
        for name in ("z", "c")
    )


def _directories(file: JpegTiff, image: Element) -> list[int]:
    """Indices of an image's directories, the largest first."""
    try:
        found = {int(item.attributes["ifd"]) for item in image.all("pixels", "dimension")}
    except (KeyError, ValueError) as error:
        raise DamagedSlideError("A resolution has no place; copy the file again.") from error
    if not found or min(found) < 0 or max(found) >= len(file.directories):
        raise DamagedSlideError("A resolution is missing; copy the file again from the scanner.")
    return sorted(found, key=lambda index: -file.size(file.directories[index]).area)


def _overview(file: JpegTiff, images: Sequence[Element]) -> dict[AssociatedKind, AssociatedImage]:
    """The glass as a whole, at its highest resolution."""
    for image in images:
        found = file.image(_directories(file, image)[0]) if _is_plain(image) else None
        if found:
            return {AssociatedKind.OVERVIEW: found}
    return {}


def _metadata(file: JpegTiff, scn: Element, area: Element, base: Directory) -> SlideMetadata:
    device = area.first("device")
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base) or _spacing_mm(area, file, base),
        objective_power=positive(area.words("scanSettings", "objectiveSettings", "objective")),
        scanned_at=_scanned_at(area.words("creationDate")),
        manufacturer="Leica Microsystems",
        model=(device.attributes.get("model") or None) if device else None,
        software=file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        vendor=flatten(scn),
    )


def _spacing_mm(area: Element, file: JpegTiff, base: Directory) -> tuple[float, float] | None:
    """By the area's extent on the glass."""
    view, size = area.first("view"), file.size(base)
    across = positive(view.attributes.get("sizeX")) if view else None
    down = positive(view.attributes.get("sizeY")) if view else None
    if across is None or down is None:
        return None
    return down / size.rows / _NM_PER_MM, across / size.columns / _NM_PER_MM


def _scanned_at(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None
