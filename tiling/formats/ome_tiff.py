"""OME-TIFF: one RGB image in JPEG tiles, its SubIFD pyramid as levels, handed on as they are.

OME-XML in the first description tells what each directory is. Images called label, macro or
thumbnail go with the slide; everything else has to be one image of three interleaved 8-bit samples.
Channels apart, focal planes, times, several images and planes in other files are not claimed.
"""

import math
from collections.abc import Mapping
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

NAME = "OME-TIFF"

_KINDS = {
    "label": AssociatedKind.LABEL,
    "label image": AssociatedKind.LABEL,
    "macro": AssociatedKind.OVERVIEW,
    "macro image": AssociatedKind.OVERVIEW,
    "overview": AssociatedKind.OVERVIEW,
    "thumbnail": AssociatedKind.THUMBNAIL,
}
_UNITS_MM = {
    "nm": 1e-6, "\N{MICRO SIGN}m": 1e-3, "\N{GREEK SMALL LETTER MU}m": 1e-3,
    "mm": 1.0, "cm": 10.0, "m": 1000.0,
}  # fmt: skip
"""Units of length of a slide's scale; others, such as "pixel", tell no distance."""


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a single RGB image in JPEG tiles."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.name == "OME"


def _read_layout(file: JpegTiff) -> Layout:
    ome = parse_xml(file.description(file.directories[0]))
    images = ome.all("Image")
    slides = [image for image in images if _kind(image) is None]
    if len(slides) != 1 or not _is_rgb(slides[0]):
        raise UnsupportedSlideError("The file holds several images or channels; export one in RGB.")
    base = file.directories[_directory(file, ome, slides[0])]
    if file.number(base, tiff.ORIENTATION, 1) != 1:
        raise UnsupportedSlideError("The slide lies on its side; export it upright.")
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for image in images:
        kind = _kind(image)
        found = file.image(_directory(file, ome, image)) if kind else None
        if kind and found:
            associated.setdefault(kind, found)
    return Layout(
        _metadata(file, ome, slides[0], base),
        file.pyramid([base, *file.sub_directories(base)]),
        associated,
    )


def _kind(image: Element) -> AssociatedKind | None:
    return _KINDS.get(image.attributes.get("Name", "").strip().lower())


def _is_rgb(image: Element) -> bool:
    """Whether an image is one plane of three interleaved 8-bit samples."""
    pixels = _pixels(image)
    said = pixels.attributes
    channels = pixels.all("Channel")
    return (
        said.get("Type") == "uint8"
        and said.get("SizeZ", "1") == said.get("SizeT", "1") == "1"
        and said.get("SizeC") == "3"
        and len(channels) == 1
        and channels[0].attributes.get("SamplesPerPixel") == "3"
    )


def _pixels(image: Element) -> Element:
    pixels = image.first("Pixels")
    if pixels is None:
        raise DamagedSlideError("An image of the file has no pixels; copy it again.")
    return pixels


def _directory(file: JpegTiff, ome: Element, image: Element) -> int:
    """The directory of an image's only plane."""
    plane = _pixels(image).first("TiffData")
    place = plane.attributes.get("IFD", "0") if plane else "0"
    elsewhere = plane.words("UUID") if plane else None
    if elsewhere and elsewhere != ome.attributes.get("UUID"):
        raise UnsupportedSlideError("The slide is spread over several files; export it as one.")
    if not place.isdecimal() or int(place) >= len(file.directories):
        raise DamagedSlideError("An image is missing; copy the file again from the scanner.")
    return int(place)


def _metadata(file: JpegTiff, ome: Element, image: Element, base: Directory) -> SlideMetadata:
    instrument = _referred(ome.all("Instrument"), image, "InstrumentRef")
    microscope = _attributes(instrument.first("Microscope") if instrument else None)
    objectives = instrument.all("Objective") if instrument else []
    objective = _referred(objectives, image, "ObjectiveSettings")
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(_pixels(image)) or file.spacing_mm(base),
        objective_power=positive(_attributes(objective).get("NominalMagnification")),
        scanned_at=_scanned_at(image.words("AcquisitionDate")),
        manufacturer=microscope.get("Manufacturer") or None,
        model=microscope.get("Model") or None,
        serial_number=microscope.get("SerialNumber") or None,
        software=ome.attributes.get("Creator") or file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        vendor=flatten(ome),
    )


def _referred(candidates: list[Element], image: Element, reference: str) -> Element | None:
    """The one among the candidates that the image names by its ID."""
    identifier = _attributes(image.first(reference)).get("ID")
    named = (one for one in candidates if one.attributes.get("ID") == identifier)
    return next(named, None) if identifier else None


def _attributes(element: Element | None) -> Mapping[str, str]:
    return element.attributes if element else {}


def _spacing_mm(pixels: Element) -> tuple[float, float] | None:
    distances = []
    for axis in ("Y", "X"):
        distance = positive(pixels.attributes.get(f"PhysicalSize{axis}"))
        unit = pixels.attributes.get(f"PhysicalSize{axis}Unit", "\N{MICRO SIGN}m")
        in_mm = (distance or 0) * _UNITS_MM.get(unit, 0)
        if not 0 < in_mm < math.inf:
            return None
        distances.append(in_mm)
    return distances[0], distances[1]


def _scanned_at(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None
