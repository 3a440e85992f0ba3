"""What the slide's own DICOM file said and a new instance does not: kept, or recorded as replaced.

An attribute of the file has one of five fates:

- those of the glass win over the stand-ins of a new instance, where they make sense (`_FILE_WINS`);
- a warning of what the image shows is never withdrawn (`_YES_WINS`);
- those of the image as it was stored are described anew (`_ANEW`), the old values recorded;
- what stands for other bytes, or for none any more, is dropped (`_DROPPED`);
- all others are taken over where the new instance has none, else recorded.

Records go into the Original Attributes Sequence (PS3.3 C.12.1.1.9). Optical paths are merged before
by `dicom.modules.original_optics`.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import datetime
from typing import Any

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.tag import Tag

from dicom.modules.original_place import (
    is_orientation,
    is_origin,
    is_positive,
    keep_measures,
    turn_stand_in,
)
from dicom.padding import CREATOR_TAG
from dicom.source.part import items
from dicom.uids import IMPLEMENTATION_VERSION_NAME

_DROPPED_GROUPS = frozenset({0x0002, 0x0004, 0x0006, 0x7FE0, 0xFFFA, 0xFFFC})
"""File meta, directories, pixels, signatures of other bytes, padding."""
_ANEW_GROUPS = frozenset({0x0028, 0x5200})
"""Pixels and functional groups."""
_OF_PIXELS_BUT_TOLD_OF_THE_IMAGE = range(0x00280300, 0x00280304)
"""Quality control, burned in annotation, recognizable features, modified dates."""
_PRIVATE_BLOCK_FIRST, _PRIVATE_BLOCK_LAST = 0x10, 0xFF
_PATIENT_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038})
_CASE_KEYWORDS = ("AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyDate", "StudyTime")
_PATIENT_KEYWORDS = ("PatientID", "PatientName")


def _is_said(_: Any) -> bool:
    return True


_FILE_WINS: Mapping[str, Callable[[Any], bool]] = {
    "ImageOrientationSlide": is_orientation,
    "TotalPixelMatrixOriginSequence": is_origin,
    "ImagedVolumeWidth": is_positive,
    "ImagedVolumeHeight": is_positive,
    "ImagedVolumeDepth": is_positive,
    "ExtendedDepthOfField": ("YES", "NO").__contains__,
    "RecommendedAbsentPixelCIELabValue": _is_said,
}
"""With what makes a value one that can be kept."""
_OF_ITS_OWN_SIZE = frozenset({"ImagedVolumeWidth", "ImagedVolumeHeight"})
"""Not those of a built image, which its own number of pixels tells."""
_YES_WINS = frozenset({"BurnedInAnnotation"})
_DROPPED = frozenset(
    {
        # Its text is the same in other bytes.
        "SpecificCharacterSet",
        "ICCProfile",
        "IconImageSequence",
        "EncryptedAttributesSequence",
        "MACParametersSequence",
        "InstanceOriginStatus",
        "SOPInstanceStatus",
        "QueryRetrieveView",
    }
)
_ANEW = frozenset(
    {
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
        "NumberOfOpticalPaths",
        "OpticalPathSequence",
        "PresentationLUTShape",
        "SpecimenLabelInImage",
        "ReferencedImageNavigationSequence",
        "SourceImageSequence",
        "ReferencedImageSequence",
        "ReferencedInstanceSequence",
        "ReferencedSeriesSequence",
    }
)
"""Of the image as it was stored, or pointing at instances that are not here."""
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
    new: pydicom.Dataset,
    original: pydicom.Dataset,
    modified_at: datetime | None = None,
    *,
    own: bool = True,
) -> None:
    """Add to `new` what it lacks and `original` has, and what `original` knows better.

    `own` says whether `original` is of the very image of `new`; else it is of the base from which
    that was built, and the image as it was stored there is not told of.

    An element of `new` without a value counts as lacking, but of the patient and the case only
    where `new` names neither: two patients are never mixed. Private elements are taken with their
    creator, where `new` has none of that block. With `modified_at`, when the file was taken in,
    the values that were replaced or left out are recorded too; their moment is type 1 and never
    invented.
    """
    names_patient = any(new.get(keyword) for keyword in _PATIENT_KEYWORDS)
    replaced = pydicom.Dataset()
    for element in original:
        if element.tag.is_private:
            _keep_private(new, original, element)
        elif not _is_dropped(element) and element.keyword not in _APPENDED:
            anew = _is_anew(element)
            if _is_kept(new, element, names_patient, own=own):
                _keep(new, element)
            elif not element.is_empty and new.get(element.tag) != element and (own or not anew):
                replaced[element.tag] = _recorded(element)
    turn_stand_in(new, replaced_by=original)
    keep_measures(new, original, own=own)
    for keyword in _APPENDED:
        _append(new, original, keyword)
    if modified_at is not None and len(replaced):
        before = list(new.get("OriginalAttributesSequence") or [])
        new.OriginalAttributesSequence = [*before, _modification(replaced, modified_at)]


def _is_dropped(element: DataElement) -> bool:
    retired_overlays = (
        0x6000 <= element.tag.group <= 0x60FF or 0x5000 <= element.tag.group <= 0x50FF
    )
    return (
        element.tag.group in _DROPPED_GROUPS
        or retired_overlays
        or element.keyword in _DROPPED
        or element.tag.element == 0
    )


def _is_anew(element: DataElement) -> bool:
    """Whether it tells of the image as it was stored."""
    of_pixels = (
        element.tag.group in _ANEW_GROUPS and element.tag not in _OF_PIXELS_BUT_TOLD_OF_THE_IMAGE
    )
    return of_pixels or element.keyword in _ANEW or element.keyword in _OF_ITS_OWN_SIZE


def _is_kept(new: pydicom.Dataset, element: DataElement, names_patient: bool, *, own: bool) -> bool:
    keyword = element.keyword
    if keyword in _FILE_WINS:
        fits = own or keyword not in _OF_ITS_OWN_SIZE
        usual = dictionary_VR(element.tag) == element.VR and not element.is_empty
        return fits and usual and _FILE_WINS[keyword](element.value)
    if keyword in _YES_WINS and keyword in new:
        return bool(element.value == "YES")
    if keyword in _IDENTITY or _is_anew(element):
        return False
    return _is_lacking(new, element, names_patient)


def _keep(new: pydicom.Dataset, element: DataElement) -> None:
    """Take an element over; the height of the lowest plane stays that of the frames here."""
    z_mm = "ZOffsetInSlideCoordinateSystem"
    before = new.get("TotalPixelMatrixOriginSequence")
    new[element.tag] = deepcopy(element)
    if element.keyword == "TotalPixelMatrixOriginSequence" and before and z_mm in before[0]:
        element = new[element.tag]
        element.value[0][z_mm] = before[0][z_mm]


def _recorded(element: DataElement) -> DataElement:
    """A value as it was; profiles, which are large, are kept in the optical paths themselves."""
    found = deepcopy(element)
    if element.keyword == "OpticalPathSequence":
        for item in found.value if found.VR == "SQ" else ():
            item.pop("ICCProfile", None)
    return found


def _is_lacking(new: pydicom.Dataset, element: DataElement, names_patient: bool) -> bool:
    of_patient = element.tag.group in _PATIENT_GROUPS or element.keyword in _CASE_KEYWORDS
    if of_patient and names_patient:
        return False
    return element.tag not in new or new[element.tag].is_empty


def _keep_private(new: pydicom.Dataset, original: pydicom.Dataset, element: DataElement) -> None:
    """Take a private element over with the element that names its creator (PS3.5 7.8.1)."""
    group, number = element.tag.group, element.tag.element
    block = number >> 8
    if group == CREATOR_TAG >> 16:
        return  # the last before the pixels, in which the writer lists the frames that it pads
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
    before = items(original, keyword)
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
