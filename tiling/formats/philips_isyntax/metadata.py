"""What the header says of a scan besides its pixels."""

import base64
from collections.abc import Iterator
from datetime import datetime

from tiling.formats.philips_isyntax.header import Header, objects, words
from tiling.jpeg_tiff.images import StreamImage
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.printed_code import code_in_base64
from tiling.slide import AssociatedKind, SlideMetadata
from tiling.xml_tree import Element

_KINDS = {"LABELIMAGE": AssociatedKind.LABEL, "MACROIMAGE": AssociatedKind.OVERVIEW}
_PIXELS, _PROFILE = "PIM_DP_IMAGE_DATA", "DICOM_ICCPROFILE"
_UM_PER_MM = 1000
_LONGEST_VALUE = 4096
"""Longer ones are images and tables."""


def read_metadata(header: Header) -> SlideMetadata:
    document = header.document
    versions = (words(document, "DICOM_SOFTWARE_VERSIONS") or "").replace('"', " ").split()
    profile = _decode(next(_all_words(header.scan, _PROFILE), None))
    return SlideMetadata(
        pixel_spacing_mm=_spacing_mm(header.scan),
        scanned_at=_scanned_at(words(document, "DICOM_ACQUISITION_DATETIME")),
        manufacturer=words(document, "DICOM_MANUFACTURER") or "Philips",
        model=words(document, "DICOM_MANUFACTURERS_MODEL_NAME"),
        serial_number=words(document, "DICOM_DEVICE_SERIAL_NUMBER"),
        software=" ".join(versions) or None,
        icc_profile=profile if profile[36:40] == b"acsp" else None,
        barcode=code_in_base64(words(document, "PIM_DP_UFS_BARCODE")),
        vendor=dict(_flatten(document, "")),
    )


def read_associated(header: Header, limits: Limits) -> dict[AssociatedKind, StreamImage]:
    """The label and the overview, as the JPEG that they are in the header.

    Raises SlideTooLargeError when one announces more than any camera makes.
    """
    found: dict[AssociatedKind, StreamImage] = {}
    for image in objects(header.document, "PIM_DP_SCANNED_IMAGES"):
        kind = _KINDS.get(words(image, "PIM_DP_IMAGE_TYPE") or "")
        stream = StreamImage.of(_decode(words(image, _PIXELS))) if kind else None
        if kind and stream:
            limits.check_associated(stream.size)
            found.setdefault(kind, stream)
    return found


def _spacing_mm(scan: Element) -> tuple[float, float] | None:
    """Of the first two dimensions of the scan, across and down."""
    general = objects(scan, "UFS_IMAGE_GENERAL_HEADERS")[0]
    told = [
        positive(words(dimension, "UFS_IMAGE_DIMENSION_SCALE_FACTOR"))
        if (words(dimension, "UFS_IMAGE_DIMENSION_UNIT") or "").casefold() == "micrometer"
        else None
        for dimension in objects(general, "UFS_IMAGE_DIMENSIONS")[:2]
    ]
    if len(told) != 2 or told[0] is None or told[1] is None:
        return None
    return told[1] / _UM_PER_MM, told[0] / _UM_PER_MM


def _scanned_at(text: str | None) -> datetime | None:
    for pattern in ("%Y%m%d%H%M%S.%f", "%Y%m%d%H%M%S"):
        try:
            return datetime.strptime(text or "", pattern)  # noqa: DTZ007  no zone is written
        except ValueError:
            continue
    return None


def _all_words(element: Element, name: str) -> Iterator[str]:
    """Every value of that name, however deep."""
    for attribute in element.all("Attribute"):
        if attribute.attributes.get("Name") == name and attribute.text:
            yield attribute.text
        for item in attribute.all("Array", "DataObject"):
            yield from _all_words(item, name)


def _flatten(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Every short value by its name, those of lists with their place."""
    for attribute in element.all("Attribute"):
        name = path + attribute.attributes.get("Name", "")
        if attribute.text and len(attribute.text) <= _LONGEST_VALUE:
            yield name, attribute.text
        for number, item in enumerate(attribute.all("Array", "DataObject")):
            yield from _flatten(item, f"{name}[{number}].")


def _decode(text: str | None) -> bytes:
    """Base64, or nothing; scanners close it with a stray slash at times."""
    for words_ in (text or "", (text or "").rstrip().removesuffix("/")):
        try:
            return base64.b64decode(words_)
        except ValueError:
            continue
    return b""
