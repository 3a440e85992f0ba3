"""Attributes as queries name them, and the level of the information model that each belongs to."""

import re
from dataclasses import dataclass

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

from dicom.web.errors import BadQueryError

_HEX = re.compile(r"[0-9A-Fa-f]{8}")
_DEEPEST = 4
STUDY_UID = "0020000D"
SERIES_UID = "0020000E"
SOP_INSTANCE_UID = "00080018"
SOP_CLASS_UID = "00080016"
MODALITY = "00080060"
MODALITIES_IN_STUDY = "00080061"
RETRIEVE_URL = "00081190"
AVAILABILITY = "00080056"
AVAILABLE_SYNTAX = "00083002"
STUDY_SERIES = "00201206"
STUDY_INSTANCES = "00201208"
SERIES_INSTANCES = "00201209"


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute, or one within the items of sequences."""

    tags: tuple[str, ...]
    """Eight hexadecimal digits each, the outermost sequence first."""
    representation: str
    """Value representation of the innermost, as the dictionary has it (PS3.6)."""

    @property
    def outermost(self) -> str:
        return self.tags[0]


def attribute_named(name: str) -> Attribute:
    """Of a keyword, a tag, or several of them with dots between (PS3.18 8.3.4.1).

    Raises BadQueryError for what the dictionary does not have: private attributes, too.
    """
    parts = name.split(".")
    if len(parts) > _DEEPEST:
        raise BadQueryError("An attribute of a query lies too deep in sequences.")
    tags = [_tag_of(part) for part in parts]
    if any(dictionary_VR(tag) != "SQ" for tag in tags[:-1]):
        raise BadQueryError("An attribute of a query is said to hold others, and is no sequence.")
    return Attribute(tuple(f"{tag:08X}" for tag in tags), dictionary_VR(tags[-1]))


def _tag_of(name: str) -> int:
    tag = int(name, 16) if _HEX.fullmatch(name) else tag_for_keyword(name)
    if tag is None or not keyword_for_tag(tag):
        raise BadQueryError("A query names an attribute that is not in DICOM's dictionary.")
    return int(tag)


def _tags(*keywords: str) -> tuple[str, ...]:
    return tuple(attribute_named(keyword).outermost for keyword in keywords)


STUDY_RETURNED = _tags(
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyID",
)
"""Of every study that is found (PS3.18 table 10.6.3-3), beside what is counted."""
SERIES_RETURNED = _tags(
    "Modality",
    "SeriesDescription",
    "SeriesInstanceUID",
    "SeriesNumber",
    "PerformedProcedureStepStartDate",
    "PerformedProcedureStepStartTime",
    "RequestAttributesSequence",
)
"""Of every series (table 10.6.3-4)."""
INSTANCE_RETURNED = _tags(
    "SOPClassUID",
    "SOPInstanceUID",
    "InstanceNumber",
    "Rows",
    "Columns",
    "BitsAllocated",
    "NumberOfFrames",
)
"""Of every instance (table 10.6.3-5)."""
STUDY_LEVEL = frozenset(STUDY_RETURNED) | frozenset(
    _tags(
        "SpecificCharacterSet",
        "TimezoneOffsetFromUTC",
        "StudyDescription",
        "IssuerOfPatientID",
        "IssuerOfPatientIDQualifiersSequence",
        "OtherPatientIDsSequence",
        "PatientAge",
        "PatientSize",
        "PatientWeight",
        "PatientComments",
        "PatientIdentityRemoved",
        "DeidentificationMethod",
        "DeidentificationMethodCodeSequence",
        "EthnicGroup",
        "AdmissionID",
        "IssuerOfAccessionNumberSequence",
        "PhysiciansOfRecord",
        "ProcedureCodeSequence",
        "ClinicalTrialSponsorName",
        "ClinicalTrialProtocolID",
        "ClinicalTrialProtocolName",
        "ClinicalTrialSiteID",
        "ClinicalTrialSubjectID",
    )
)
"""What a patient and a study have: all that can be had of a study (PS3.3 A.1.2)."""
SERIES_LEVEL = frozenset(SERIES_RETURNED) | frozenset(
    _tags(
        "Manufacturer",
        "ManufacturerModelName",
        "DeviceSerialNumber",
        "SoftwareVersions",
        "InstitutionName",
        "StationName",
        "SeriesDate",
        "SeriesTime",
        "ProtocolName",
        "OperatorsName",
        "BodyPartExamined",
        "FrameOfReferenceUID",
        "PositionReferenceIndicator",
        "ContainerIdentifier",
        "IssuerOfTheContainerIdentifierSequence",
        "ContainerTypeCodeSequence",
        "SpecimenDescriptionSequence",
    )
)
"""What a series has; its one glass with it, since a series here is a slide."""
