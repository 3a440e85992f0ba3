"""What the XML of a CZI says of the slide as a whole."""

import math
import struct
from collections import ChainMap
from datetime import datetime

from tiling.errors import SlideTooLargeError
from tiling.formats.zeiss.container import METADATA, Container
from tiling.formats.zeiss.scene import Scene
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.slide import SlideMetadata
from tiling.xml_tree import Element, parse_xml

SCENE = "sgi.scene"
"""The name under which `SlideMetadata.vendor` tells which of the file's scenes this is."""
_HEADER_BYTES = 256
_MM_PER_M = 1000.0
_NO_DATE = 1
"""The year that the scanner's software writes where it knows none."""


def read_document(container: Container, position: int, limits: Limits) -> Element:
    """The root of the XML, empty where the file has none.

    Raises DamagedSlideError when it is broken, SlideTooLargeError when it is absurdly long.
    """
    if not position:
        return Element("ImageDocument", {})
    (length,) = struct.unpack("<I", container.payload(position, METADATA, 4))
    if length > limits.text_bytes:
        raise SlideTooLargeError("The slide's description is absurdly long; it is refused.")
    raw = container.payload(position, METADATA, _HEADER_BYTES + length)[_HEADER_BYTES:]
    return parse_xml(raw.decode("utf-8-sig", "replace").rstrip("\0"))


def read_metadata(
    document: Element, scene: Scene, vendor: dict[str, str], *, one_of_several: bool
) -> SlideMetadata:
    """Of one scene; `vendor` is the flattened document, which all scenes share."""
    information = _first(document, "Metadata", "Information")
    image, instrument = _first(information, "Image"), _first(information, "Instrument")
    microscope = _referred(
        instrument.all("Microscopes", "Microscope"), image.first("MicroscopeRef")
    )
    objective = _referred(
        instrument.all("Objectives", "Objective"), image.first("ObjectiveSettings", "ObjectiveRef")
    )
    software = _software(information)
    model = microscope.attributes.get("Name") or microscope.words("System")
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(document, scene.base_downsample),
        objective_power=positive(objective.words("NominalMagnification")),
        scanned_at=_scanned_at(image),
        # Others write the format too, through the maker's library.
        manufacturer="Zeiss" if model or (software and "ZEN" in software) else None,
        model=model,
        serial_number=microscope.words("Manufacturer", "SerialNumber"),
        software=software,
        barcode=document.words(
            "Metadata", "AttachmentInfos", "AttachmentInfo", "Label", "Barcodes", "Barcode",
            "Content",
        ),
        vendor=ChainMap({SCENE: _name(image, scene)}, vendor) if one_of_several else vendor,
    )  # fmt: skip


def spacing_m(document: Element, axis: str) -> float | None:
    """Distance between pixels along X or Y, or between focal planes along Z, in metres."""
    for distance in document.all("Metadata", "Scaling", "Items", "Distance"):
        if distance.attributes.get("Id") == axis:
            return positive(distance.words("Value"))
    return None


def _spacing_mm(document: Element, downsample: int) -> tuple[float, float] | None:
    down, across = spacing_m(document, "Y"), spacing_m(document, "X")
    if down is None or across is None:
        return None
    spacing = _millimetres(down * downsample), _millimetres(across * downsample)
    return spacing if all(0 < distance < math.inf for distance in spacing) else None


def _millimetres(metres: float) -> float:
    """Without the last digits, which the change of unit makes up."""
    return float(f"{metres * _MM_PER_M:.14g}")


def _scanned_at(image: Element) -> datetime | None:
    """When the image was taken; the document's own date is that of its last saving."""
    for path in (("AcquisitionDateAndTime",), ("Dimensions", "T", "StartTime")):
        try:
            taken = datetime.fromisoformat(image.words(*path) or "")
        except ValueError:
            continue
        if taken.year > _NO_DATE:
            return taken
    return None


def _software(information: Element) -> str | None:
    words = (information.words("Application", name) for name in ("Name", "Version"))
    return " ".join(word for word in words if word) or None


def _name(image: Element, scene: Scene) -> str:
    for one in image.all("Dimensions", "S", "Scenes", "Scene"):
        if one.attributes.get("Index") == str(scene.number):
            return one.attributes.get("Name") or str(scene.number)
    return str(scene.number)


def _referred(candidates: list[Element], reference: Element | None) -> Element:
    """The one that is meant by its Id, or the only one."""
    if reference is None:
        return candidates[0] if len(candidates) == 1 else Element("", {})
    meant = reference.attributes.get("Id")
    found = (one for one in candidates if one.attributes.get("Id") == meant)
    return next(found, Element("", {}))


def _first(element: Element, *path: str) -> Element:
    return element.first(*path) or Element("", {})
