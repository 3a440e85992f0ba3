"""The attributes by which an instance says whose it is, and those that they replace."""

import pydicom

from dicom.codes import Code
from dicom.models.told import Told, ToldCode, ToldGlass, ToldIdentifier, ToldPatient, ToldUids
from dicom.text import short_text

_PATIENT_GROUPS = frozenset({0x0010, 0x0012, 0x0032, 0x0038})
"""Patient and all that is said of one beside: trials, requests, visits."""
_OF_CASE = frozenset(
    {
        0x00080020,  # Study Date
        0x00080030,  # Study Time
        0x00080050,  # Accession Number
        0x00080051,  # Issuer of Accession Number Sequence
        0x00080090,  # Referring Physician's Name
        0x00080092,
        0x00080094,
        0x00080096,  # … Identification Sequence
        0x0008009C,  # Consulting Physician's Name
        0x0008009D,
        0x00081030,  # Study Description
        0x00081032,  # Procedure Code Sequence
        0x00081048,  # Physician(s) of Record
        0x00081049,
        0x00081060,  # Name of Physician(s) Reading Study
        0x00081062,
        0x00081080,  # Admitting Diagnoses Description
        0x00081084,
        0x00081110,  # Referenced Study Sequence
        0x00081120,  # Referenced Patient Sequence
        0x00200010,  # Study ID
        0x00400275,  # Request Attributes Sequence
        0x00402016,  # Placer Order Number
        0x00402017,  # Filler Order Number
    }
)
_OF_GLASS = frozenset(
    {
        0x00400512,  # Container Identifier
        0x00400513,  # Issuer of the Container Identifier Sequence
        0x00400515,  # Alternate Container Identifier Sequence
        0x00400560,  # Specimen Description Sequence
    }
)
_UIDS = frozenset({0x00080018, 0x0020000D, 0x0020000E})

_SNOMED = "SCT"
_STEP = Code("111701", "DCM", "Processing type")
_SPECIMEN_ID = Code("121041", "DCM", "Specimen Identifier")
_SAMPLING_METHOD = Code("111704", "DCM", "Sampling Method")
_PARENT_ID = Code("111705", "DCM", "Parent Specimen Identifier")
_PARENT_TYPE = Code("111707", "DCM", "Parent specimen type")
_SUBSTANCE = Code("424361007", _SNOMED, "Using substance")
_SAMPLING = Code("433465004", _SNOMED, "Sampling of tissue specimen")
_SECTIONING = Code("434472006", _SNOMED, "Block sectioning")
_TISSUE = Code("119376003", _SNOMED, "Tissue specimen")
_STAINING = Code("127790008", _SNOMED, "Staining")


def is_replaced(tag: int, told: Told) -> bool:
    """Whether an attribute of a stored instance gives way, also to nothing."""
    if tag in _UIDS:
        return True
    if told.glass is not None and tag in _OF_GLASS:
        return True
    return told.case_known and (tag in _OF_CASE or tag >> 16 in _PATIENT_GROUPS)


def told_attributes(told: Told, uids: ToldUids) -> pydicom.Dataset:
    """What takes their place."""
    module = pydicom.Dataset()
    module.SOPInstanceUID = uids.instance
    module.StudyInstanceUID = uids.study
    module.SeriesInstanceUID = uids.series
    if told.glass is not None:
        module.update(specimen(told.glass))
    if told.case_known:
        module.update(case(told))
        module.update(patient(told.patient or ToldPatient()))
    return module


def case(told: Told) -> pydicom.Dataset:
    """General Study (PS3.3 C.7.2.1): its type 2, empty where nobody says."""
    module = pydicom.Dataset()
    module.StudyDate = f"{told.study_date:%Y%m%d}" if told.study_date else ""
    module.StudyTime = ""
    module.AccessionNumber = told.accession_number or ""
    module.ReferringPhysicianName = ""
    module.StudyID = ""
    return module


def patient(value: ToldPatient) -> pydicom.Dataset:
    """Patient (PS3.3 C.7.1.1)."""
    module = pydicom.Dataset()
    module.PatientName = value.name or ""
    module.PatientID = value.identifier.value if value.identifier else ""
    if value.identifier is not None and value.identifier.issuer is not None:
        module.update(_issuer(value.identifier))
    module.PatientBirthDate = f"{value.birth_date:%Y%m%d}" if value.birth_date else ""
    module.PatientSex = value.sex or ""
    if value.other_name is not None:
        module.OtherPatientNames = value.other_name
    if value.others:
        module.OtherPatientIDsSequence = [_other(each) for each in value.others]
    return module


def _other(identifier: ToldIdentifier) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.PatientID = identifier.value
    item.TypeOfPatientID = "TEXT"
    item.update(_issuer(identifier))
    return item


def _issuer(identifier: ToldIdentifier) -> pydicom.Dataset:
    """Issuer of Patient ID Macro (PS3.3 table 10-18)."""
    module = pydicom.Dataset()
    if identifier.issuer is not None:
        module.IssuerOfPatientID = identifier.issuer
    if identifier.oid is not None:
        item = pydicom.Dataset()
        item.UniversalEntityID = identifier.oid
        item.UniversalEntityIDType = "ISO"
        module.IssuerOfPatientIDQualifiersSequence = [item]
    return module


def specimen(glass: ToldGlass) -> pydicom.Dataset:
    """Specimen (PS3.3 C.7.6.22): one, called like its container, as the laboratory does."""
    item = pydicom.Dataset()
    item.SpecimenIdentifier = glass.identifier
    item.IssuerOfTheSpecimenIdentifierSequence = []
    item.SpecimenUID = glass.specimen_uid
    if glass.description is not None:
        item.SpecimenShortDescription = glass.description
    item.SpecimenPreparationSequence = list(_steps(glass))
    if glass.site is not None and glass.site.system == _SNOMED:
        item.PrimaryAnatomicStructureSequence = [_code(glass.site)]
    module = pydicom.Dataset()
    module.ContainerIdentifier = glass.identifier
    module.IssuerOfTheContainerIdentifierSequence = []
    module.SpecimenDescriptionSequence = [item]
    return module


def _steps(glass: ToldGlass) -> list[pydicom.Dataset]:
    """Cut from its block (PS3.16 TID 8002) and stained (TID 8003), as far as that is known."""
    steps = []
    if glass.block is not None:
        sectioned = [
            _said(_SPECIMEN_ID, glass.identifier),
            _coded(_STEP, _SAMPLING.item()),
            _coded(_SAMPLING_METHOD, _SECTIONING.item()),
            _said(_PARENT_ID, glass.block),
            _coded(_PARENT_TYPE, _TISSUE.item()),
        ]
        steps.append(_step(sectioned))
    if glass.stains:
        stained = [_said(_SPECIMEN_ID, glass.identifier), _coded(_STEP, _STAINING.item())]
        stained += [
            _coded(_SUBSTANCE, _code(stain))
            if stain.system == _SNOMED
            else _said(_SUBSTANCE, stain.text or stain.code)
            for stain in glass.stains
        ]
        steps.append(_step(stained))
    return steps


def _step(items: list[pydicom.Dataset]) -> pydicom.Dataset:
    step = pydicom.Dataset()
    step.SpecimenPreparationStepContentItemSequence = items
    return step


def _said(concept: Code, text: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ValueType = "TEXT"
    item.ConceptNameCodeSequence = [concept.item()]
    item.TextValue = text
    return item


def _coded(concept: Code, code: pydicom.Dataset) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ValueType = "CODE"
    item.ConceptNameCodeSequence = [concept.item()]
    item.ConceptCodeSequence = [code]
    return item


def _code(said: ToldCode) -> pydicom.Dataset:
    meaning = short_text(said.text) or said.code
    return Code(said.code, _SNOMED, meaning).item()
