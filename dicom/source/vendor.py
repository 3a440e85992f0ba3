"""What of a header may be shown and logged: how the image was made, and never whose it is.

Left out are, by keyword or by group: Patient and everything beside it (group 0010), Clinical Trial
(0012), Study, Visit and Procedure (0008,xxxx but for what is listed here, 0032, 0038, 0040),
Specimen and Container (0040), Label and Barcode (2200, told as fields of their own), physicians,
operators, institutions, stations, identifiers of instances, free comments, and private elements.
"""

from collections.abc import Iterator, Mapping

import pydicom
from pydicom.datadict import keyword_for_tag

from dicom.source.part import text_of

_GROUPS = frozenset({0x0018, 0x0020, 0x0022, 0x0028, 0x0048})
_KEYWORDS_OF_0008 = frozenset(
    {
        "ImageType",
        "AcquisitionDateTime",
        "Modality",
        "Manufacturer",
        "ManufacturerModelName",
        "VolumetricProperties",
        "DerivationDescription",
        "TimezoneOffsetFromUTC",
    }
)
_KEYWORDS_OF_0020 = frozenset(
    {"PositionReferenceIndicator", "DimensionOrganizationType", "InConcatenationTotalNumber"}
)
_FREE_TEXT = frozenset(
    {
        "AcquisitionComments",
        "AcquisitionProtocolDescription",
        "AcquisitionProtocolElementSpecificationSequence",
        "ContributingEquipmentSequence",
        "ContributionDescription",
        "DeviceDescription",
        "DeviceUID",
        "GantryID",
        "OperatorsName",
        "PlateID",
        "ProtocolName",
        "CassetteID",
        "DetectorID",
        "RequestedImageProcessingDescription",
        "SecondaryCaptureDeviceID",
        "UDISequence",
        "ReferencedImageNavigationSequence",
    }
)
"""Of the groups shown, what may hold words about a person or point at other instances."""
_SHOWN_REPRESENTATIONS = frozenset(
    ("CS", "DS", "DT", "FD", "FL", "IS", "LO", "SH", "SL", "SS", "ST", "TM", "UC", "UL", "US")
)
_LONGEST = 256
_MOST = 400
_DEEPEST = 3


def vendor_attributes(dataset: pydicom.Dataset) -> Mapping[str, str]:
    """Readable attributes by their keywords, those in sequences by a path of them."""
    shown: dict[str, str] = {}
    for name, text in _attributes(dataset, "", 0):
        if len(shown) >= _MOST:
            break
        shown[name] = text
    return shown


def _attributes(dataset: pydicom.Dataset, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for element in dataset:
        keyword = keyword_for_tag(element.tag)
        if not keyword or not _is_shown(element.tag.group, keyword, depth):
            continue
        if element.VR == "SQ" and depth < _DEEPEST:
            for number, item in enumerate(element.value, start=1):
                yield from _attributes(item, f"{prefix}{keyword}[{number}].", depth + 1)
        elif element.VR in _SHOWN_REPRESENTATIONS:
            text = text_of(dataset, keyword)
            if text is not None:
                yield prefix + keyword, text[:_LONGEST]


def _is_shown(group: int, keyword: str, depth: int) -> bool:
    if keyword in _FREE_TEXT:
        return False
    if group == 0x0008:
        return keyword in _KEYWORDS_OF_0008 or (depth > 0 and keyword == "CodeMeaning")
    if group == 0x0020:
        return keyword in _KEYWORDS_OF_0020
    return group in _GROUPS
