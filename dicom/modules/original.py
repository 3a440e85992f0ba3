"""What the slide's own DICOM file said and a new instance does not: kept, or recorded as replaced.

Some modules of the file are made anew with every instance (pixels, tiles, functional groups,
optical paths); all else that the new one lacks is taken over. What it has otherwise goes into the
Original Attributes Sequence (PS3.3 C.12.1.1.9).
"""

from copy import deepcopy
from datetime import datetime

import pydicom
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicom.uids import IMPLEMENTATION_VERSION_NAME

_STRUCTURAL_GROUPS = frozenset({0x0002, 0x0004, 0x0006, 0x0028, 0x5200, 0x7FE0, 0xFFFA, 0xFFFC})
"""File meta, directories, pixels, functional groups, signatures of other bytes, padding."""
_PRIVATE_BLOCK_FIRST, _PRIVATE_BLOCK_LAST = 0x10, 0xFF
_PATIENT_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038})
_CASE_KEYWORDS = ("AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyDate", "StudyTime")
_PATIENT_KEYWORDS = ("PatientID", "PatientName")

_STRUCTURAL = frozenset(
    {
        "SpecificCharacterSet",
        "ImageType",
        "SOPClassUID",
        "InstanceCreationDate",
        "InstanceCreationTime",
        "InstanceNumber",
        "ConcatenationUID",
        "InConcatenationNumber",
        "InConcatenationTotalNumber",
        "ConcatenationFrameOffsetNumber",
        "SOPInstanceUIDOfConcatenationSource",
        "DimensionOrganizationSequence",
        "DimensionOrganizationType",
        "DimensionIndexSequence",
        "TotalPixelMatrixColumns",
        "TotalPixelMatrixRows",
        "TotalPixelMatrixFocalPlanes",
        "TotalPixelMatrixOriginSequence",
        "ImageOrientationSlide",
        "ImagedVolumeWidth",
        "ImagedVolumeHeight",
        "ImagedVolumeDepth",
        "NumberOfOpticalPaths",
        "OpticalPathSequence",
        "SpecimenLabelInImage",
        "PresentationLUTShape",
        "RecommendedAbsentPixelCIELabValue",
        "ReferencedImageNavigationSequence",
        "SourceImageSequence",
        "ReferencedImageSequence",
        "ReferencedInstanceSequence",
        "ReferencedSeriesSequence",
        "IconImageSequence",
        "EncryptedAttributesSequence",
        "MACParametersSequence",
        "InstanceOriginStatus",
        "SOPInstanceStatus",
        "QueryRetrieveView",
    }
)
"""Of the image as it was stored; it is described anew, or points at instances that are not here."""
_IDENTITY = frozenset(
    {
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "FrameOfReferenceUID",
        "PyramidUID",
    }
)
"""Never taken over, always recorded."""
_APPENDED = ("ContributingEquipmentSequence", "OriginalAttributesSequence")
"""The new items come after those of the file."""


def keep_original(
    new: pydicom.Dataset, original: pydicom.Dataset, modified_at: datetime | None = None
) -> None:
    """Add to `new` what it lacks and `original` has.

    An element of `new` without a value counts as lacking, but of the patient and the case only
    where `new` names neither: two patients are never mixed. Private elements are taken with their
    creator, where `new` has none of that block. With `modified_at`, when the file was taken in,
    the values that were replaced are recorded too; their moment is type 1 and never invented.
    """
    names_patient = any(new.get(keyword) for keyword in _PATIENT_KEYWORDS)
    replaced = pydicom.Dataset()
    for element in original:
        if element.tag.is_private:
            _keep_private(new, original, element)
        elif _is_structural(element) or element.keyword in _APPENDED:
            continue
        elif element.keyword in _IDENTITY or not _is_lacking(new, element, names_patient):
            if element.value and new.get(element.tag) != element:
                replaced[element.tag] = deepcopy(element)
        else:
            new[element.tag] = deepcopy(element)
    for keyword in _APPENDED:
        _append(new, original, keyword)
    if modified_at is not None and len(replaced):
        before = list(new.get("OriginalAttributesSequence") or [])
        new.OriginalAttributesSequence = [*before, _modification(replaced, modified_at)]


def _is_structural(element: DataElement) -> bool:
    retired_overlays = (
        0x6000 <= element.tag.group <= 0x60FF or 0x5000 <= element.tag.group <= 0x50FF
    )
    return (
        element.tag.group in _STRUCTURAL_GROUPS
        or retired_overlays
        or element.keyword in _STRUCTURAL
        or element.tag.element == 0
    )


def _is_lacking(new: pydicom.Dataset, element: DataElement, names_patient: bool) -> bool:
    of_patient = element.tag.group in _PATIENT_GROUPS or element.keyword in _CASE_KEYWORDS
    if of_patient and names_patient:
        return False
    return element.tag not in new or new[element.tag].is_empty


def _keep_private(new: pydicom.Dataset, original: pydicom.Dataset, element: DataElement) -> None:
    """Take a private element over with the element that names its creator (PS3.5 7.8.1)."""
    group, number = element.tag.group, element.tag.element
    block = number >> 8
    if not _PRIVATE_BLOCK_FIRST <= block <= _PRIVATE_BLOCK_LAST:
        return
    creator = Tag(group, block)
    if creator not in original or element.VR == "UN":
        return
    if creator in new and new[creator].value != original[creator].value:
        return
    new[creator] = deepcopy(original[creator])
    if element.tag not in new:
        new[element.tag] = deepcopy(element)


def _append(new: pydicom.Dataset, original: pydicom.Dataset, keyword: str) -> None:
    before = list(original.get(keyword) or [])
    if before:
        setattr(new, keyword, [*map(deepcopy, before), *(new.get(keyword) or [])])


def _modification(replaced: pydicom.Dataset, modified_at: datetime) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ModifiedAttributesSequence = [replaced]
    item.AttributeModificationDateTime = f"{modified_at:%Y%m%d%H%M%S%z}"
    item.ModifyingSystem = IMPLEMENTATION_VERSION_NAME
    item.SourceOfPreviousValues = ""
    item.ReasonForTheAttributeModification = "COERCE"
    return item
