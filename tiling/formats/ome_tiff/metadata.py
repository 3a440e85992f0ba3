"""What a document says of an image's acquisition."""

from collections.abc import Mapping
from datetime import datetime

from tiling import tiff
from tiling.formats.ome_tiff.document import Image, length_mm
from tiling.numerals import positive
from tiling.slide import SlideMetadata
from tiling.tiff import Directory
from tiling.tiff_layers import LayeredTiff
from tiling.xml_tree import Element

_MICROMETRE = "\N{MICRO SIGN}m"


def read_metadata(
    ome: Element, image: Image, file: LayeredTiff, base: Directory, vendor: Mapping[str, str]
) -> SlideMetadata:
    """`base` is a directory of `file` that holds the image, `vendor` the flattened document."""
    instrument = _referred(ome.all("Instrument"), image.element, "InstrumentRef")
    microscope = _attributes(instrument.first("Microscope") if instrument else None)
    objectives = instrument.all("Objective") if instrument else []
    objective = _referred(objectives, image.element, "ObjectiveSettings") or _referred(
        objectives, image.element, "ObjectiveRef"
    )
    return SlideMetadata(
        pixel_spacing_mm=spacing_mm(image) or file.spacing_mm(base),
        objective_power=positive(_attributes(objective).get("NominalMagnification")),
        scanned_at=_scanned_at(image.element.words("AcquisitionDate")),
        manufacturer=microscope.get("Manufacturer") or None,
        model=microscope.get("Model") or None,
        serial_number=microscope.get("SerialNumber") or None,
        software=ome.attributes.get("Creator") or file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        vendor=vendor,
    )


def spacing_mm(image: Image) -> tuple[float, float] | None:
    """Distance between rows and between columns."""
    down, across = (
        length_mm(image.pixels, f"PhysicalSize{axis}", _MICROMETRE) for axis in ("Y", "X")
    )
    return (down, across) if down and across else None


def _referred(candidates: list[Element], image: Element, reference: str) -> Element | None:
    """The one among the candidates that the image names by its ID."""
    identifier = _attributes(image.first(reference)).get("ID")
    named = (one for one in candidates if one.attributes.get("ID") == identifier)
    return next(named, None) if identifier else None


def _attributes(element: Element | None) -> Mapping[str, str]:
    return element.attributes if element else {}


def _scanned_at(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None
