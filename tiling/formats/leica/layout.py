"""Which directory of a Leica SCN is what, and what its collection tells."""

from collections.abc import Sequence
from datetime import datetime

from tiling import tiff
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.jpeg_tiff import AssociatedImage, JpegTiff, Layout
from tiling.numerals import positive
from tiling.printed_code import code, code_in_base64
from tiling.slide import AssociatedKind, SlideMetadata
from tiling.tiff import Directory, TiffFile
from tiling.xml_tree import Element, flatten, parse_root, parse_xml

_NAMESPACES = {
    "http://www.leica-microsystems.com/scn/2010/03/10",
    "http://www.leica-microsystems.com/scn/2010/10/01",
}
_SIDES = ("sizeX", "sizeY")
_NM_PER_MM = 1e6


def has_mark(file: TiffFile, directory: Directory) -> bool:
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.attributes.get("xmlns") in _NAMESPACES


def read_areas(scn: Element) -> tuple[list[Element], list[Element]]:
    """The images that are areas of the glass, and those that show all of it.

    Raises UnsupportedSlideError for several collections.
    """
    collections = scn.all("collection")
    if len(collections) != 1:
        raise UnsupportedSlideError("The slide holds several collections; export one of them.")
    images = collections[0].all("image")
    areas = [image for image in images if not _is_overview(image, collections[0])]
    return areas, [image for image in images if image not in areas]


def read_layout(file: JpegTiff) -> Layout:
    """A single area in bright field; raises UnsupportedSlideError for another slide."""
    scn = parse_xml(file.description(file.directories[0]))
    areas, whole = read_areas(scn)
    if len(areas) != 1 or not is_plain(areas[0]):
        raise UnsupportedSlideError(
            "The slide holds several areas, planes or colours of light; export one of them."
        )
    area = areas[0]
    indices = _directories(file, area)
    levels = file.pyramid([file.directories[index] for index in indices])
    base = file.directories[indices[0]]
    return Layout(read_metadata(file, scn, area, base), levels, read_overview(file, whole))


def _is_overview(image: Element, collection: Element) -> bool:
    """Whether an image shows all of the glass."""
    view = image.first("view")
    if view is None:
        raise DamagedSlideError("An area's place is missing; copy the file again.")
    sides = [(view.attributes.get(name), collection.attributes.get(name)) for name in _SIDES]
    return all(view.attributes.get(name) == "0" for name in ("offsetX", "offsetY")) and all(
        ours == whole for ours, whole in sides
    )


def is_plain(image: Element) -> bool:
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


def read_overview(
    file: JpegTiff, images: Sequence[Element]
) -> dict[AssociatedKind, AssociatedImage]:
    """The glass as a whole, at its highest resolution."""
    for image in images:
        found = file.image(_directories(file, image)[0]) if is_plain(image) else None
        if found:
            return {AssociatedKind.OVERVIEW: found}
    return {}


def read_metadata(file: JpegTiff, scn: Element, area: Element, base: Directory) -> SlideMetadata:
    device = area.first("device")
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base) or _spacing_mm(area, file, base),
        objective_power=positive(area.words("scanSettings", "objectiveSettings", "objective")),
        scanned_at=_scanned_at(area.words("creationDate")),
        manufacturer="Leica Microsystems",
        model=(device.attributes.get("model") or None) if device else None,
        software=file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        barcode=_barcode(scn),
        vendor=flatten(scn),
    )


def _barcode(scn: Element) -> str | None:
    """An element in base64; an attribute in plain text before the format of October 2010."""
    packed = code_in_base64(scn.words("collection", "barcode"))
    collection = scn.first("collection")
    return packed or (code(collection.attributes.get("barcode")) if collection else None)


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
