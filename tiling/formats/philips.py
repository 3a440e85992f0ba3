"""Philips TIFF: the exported slide's JPEG tiles handed on as they are.

The file pads every level to whole tiles and calls that its size. As in OpenSlide, the base is
believed, and each level's downsample is the ratio of the pixel spacings in the file's XML, which
are powers of two; its size is the base's divided by it, and tiles beyond that are left out.
Slides with several regions leave out the tiles between them: those are white at the base and
mended above. Label and overview lie in directories of their own or as JPEG in the XML.
"""

import base64
import re
from datetime import datetime
from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.jpeg_tiff import (
    AssociatedImage,
    JpegTiff,
    Layout,
    StoredLevel,
    StreamImage,
    claim,
    open_claimed,
)
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.printed_code import code_in_base64
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile
from tiling.xml_tree import Element, parse_root, parse_xml

NAME = "Philips TIFF"

_KINDS = {
    "Label": (AssociatedKind.LABEL, "LABELIMAGE"),
    "Macro": (AssociatedKind.OVERVIEW, "MACROIMAGE"),
}
"""What a directory's description begins with, what it is, and its name in the XML."""
_LEVELS = "PIIM_PIXEL_DATA_REPRESENTATION_SEQUENCE"
_PIXELS = "PIM_DP_IMAGE_DATA"
_HIGHEST_OBJECTIVE = 200


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a Philips export with one scanned image in JPEG tiles."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    if not file.text(directory, tiff.SOFTWARE).startswith("Philips"):
        return False
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.attributes.get("ObjectType") == "DPUfsImport"


def _read_layout(file: JpegTiff) -> Layout:
    document = parse_xml(file.description(file.directories[0]))
    images = _objects(document, "PIM_DP_SCANNED_IMAGES")
    scans = [image for image in images if _words(image, "PIM_DP_IMAGE_TYPE") == "WSI"]
    if len(scans) != 1:
        raise UnsupportedSlideError("The file holds several scans; export one of them.")
    return Layout(
        _metadata(file, document, scans[0]), _levels(file, scans[0]), _associated(file, images)
    )


def _levels(file: JpegTiff, scan: Element) -> tuple[StoredLevel, ...]:
    """The tiled directories, with the sizes that they have without their padding."""
    tiled = [directory for directory in file.directories if file.is_tiled(directory)]
    spacings = [_spacing_mm(level) for level in _objects(scan, _LEVELS)]
    if (
        not tiled
        or tiled[0] is not file.directories[0]
        or not all(file.is_reduced(directory) for directory in tiled[1:])
        or len(spacings) != len(tiled)
    ):
        raise UnsupportedSlideError("The file's levels are not those of one slide; export it anew.")
    base, finest = file.size(tiled[0]), spacings[0]
    levels: list[StoredLevel] = []
    for directory, spacing in zip(tiled, spacings, strict=True):
        if finest is None or spacing is None:
            raise UnsupportedSlideError("A level's resolution is not told; export the slide anew.")
        ratio = (spacing[0] / finest[0] + spacing[1] / finest[1]) / 2
        coarsest = levels[-1].level.downsample if levels else 0
        if not coarsest + 0.5 < ratio < max(base.columns, base.rows):
            raise DamagedSlideError("The levels contradict each other; copy the file again.")
        factor = round(ratio)
        size = Size(base.columns // factor, base.rows // factor)
        levels.append(file.level(directory, base, size, factor))
    return tuple(levels)


def _associated(file: JpegTiff, images: list[Element]) -> dict[AssociatedKind, AssociatedImage]:
    found: dict[AssociatedKind, AssociatedImage] = {}
    for index, directory in enumerate(file.directories):
        if file.is_tiled(directory):
            continue
        for beginning, (kind, _) in _KINDS.items():
            image = file.image(index) if file.description(directory).startswith(beginning) else None
            if image:
                found.setdefault(kind, image)
    for kind, name in _KINDS.values():
        stored = (_words(i, _PIXELS) for i in images if _words(i, "PIM_DP_IMAGE_TYPE") == name)
        stream = StreamImage.of(_decode(next(stored, None)))
        if stream:
            found.setdefault(kind, stream)
    return found


def _metadata(file: JpegTiff, document: Element, scan: Element) -> SlideMetadata:
    def said(name: str) -> str | None:
        return _words(document, name) or _words(scan, name)

    base = file.directories[0]
    versions = " ".join((said("DICOM_SOFTWARE_VERSIONS") or "").replace('"', " ").split())
    profile = _decode(said("DICOM_ICCPROFILE"))
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(scan),
        objective_power=_objective_power(said("DICOM_DERIVATION_DESCRIPTION") or ""),
        scanned_at=_scanned_at(said("DICOM_ACQUISITION_DATETIME")),
        manufacturer=said("DICOM_MANUFACTURER") or "Philips",
        model=said("DICOM_MANUFACTURERS_MODEL_NAME"),
        serial_number=said("DICOM_DEVICE_SERIAL_NUMBER"),
        software=versions or file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base) or (profile if profile[36:40] == b"acsp" else None),
        barcode=code_in_base64(said("PIM_DP_UFS_BARCODE")),
        vendor=_flatten(document),
    )


def _attributes(element: Element) -> list[tuple[str, Element]]:
    """The named values and lists of a DataObject."""
    return [(item.attributes.get("Name", ""), item) for item in element.all("Attribute")]


def _words(element: Element, name: str) -> str | None:
    return next(
        (item.text for key, item in _attributes(element) if key == name and item.text), None
    )


def _objects(element: Element, name: str) -> list[Element]:
    """The DataObjects of a list."""
    return [
        item
        for key, attribute in _attributes(element)
        if key == name
        for item in attribute.all("Array", "DataObject")
    ]


def _flatten(element: Element, path: str = "") -> dict[str, str]:
    """Every value by its name, those of lists with their place; pixels apart."""
    flat: dict[str, str] = {}
    for name, attribute in _attributes(element):
        if attribute.text and name != _PIXELS:
            flat[path + name] = attribute.text
        for number, item in enumerate(attribute.all("Array", "DataObject")):
            flat |= _flatten(item, f"{path}{name}[{number}].")
    return flat


def _spacing_mm(element: Element) -> tuple[float, float] | None:
    """`"0.00025" "0.00025"`: between rows, between columns."""
    numbers = [
        positive(part.strip('"')) for part in (_words(element, "DICOM_PIXEL_SPACING") or "").split()
    ]
    if len(numbers) != 2 or numbers[0] is None or numbers[1] is None:
        return None
    return numbers[0], numbers[1]


def _objective_power(derivation: str) -> float | None:
    """The first of `levels=40,10003,...`; a number from 10000 upwards is something else."""
    match = re.search(r"(?:^|-)levels=(\d{1,3})(?![\d.])", derivation.split("sourceFilename")[0])
    power = int(match[1]) if match else 0
    return float(power) if 0 < power <= _HIGHEST_OBJECTIVE else None


def _scanned_at(text: str | None) -> datetime | None:
    for pattern in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(text or "", pattern)  # noqa: DTZ007  no zone is written
        except ValueError:
            continue
    return None


def _decode(text: str | None) -> bytes:
    """Base64, or nothing."""
    try:
        return base64.b64decode(text or "")
    except ValueError:
        return b""
