"""A note that instances are not to be used any more: IHE's Imaging Object Change Management.

A Key Object Selection Document (PS3.3 A.35.4, PS3.16 TID 2010) in the study of what it rejects.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from io import BytesIO

import pydicom
from pydicom.dataset import FileMetaDataset
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    KeyObjectSelectionDocumentStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from dicom.codes import Code
from dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

# Without other identifiers: a note stays for ever, an INS may be told only while it holds.
_OF_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "IssuerOfPatientIDQualifiersSequence",
    "PatientBirthDate",
    "PatientSex",
    "OtherPatientNames",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyID",
    "AccessionNumber",
)


class Rejection(StrEnum):
    """Why, by DICOM's codes (PS3.16 CID 7010)."""

    WRONG_PATIENT = "113037"
    """They said that the slide is another patient's."""
    WRONG_WORDS = "113038"
    """What they said of the patient or the case was not right, or not known yet."""


_TITLES = {
    Rejection.WRONG_PATIENT: Code("113037", "DCM", "Rejected for Patient Safety Reasons"),
    Rejection.WRONG_WORDS: Code("113038", "DCM", "Incorrect Modality Worklist Entry"),
}


def rejection_note(
    before: pydicom.Dataset,
    rejected: Iterable[str],
    reason: Rejection,
    *,
    series_uid: str,
    instance_uid: str,
    made_at: datetime,
) -> bytes:
    """The note as a DICOM file.

    Args:
        before: the attributes of one of the rejected instances, as it was told until now.
        rejected: SOP Instance UIDs, all of that instance's series.
        reason: why they are rejected.
        series_uid: of the note's own series.
        instance_uid: of the note.
        made_at: when they were.
    """
    note = pydicom.Dataset()
    note.SpecificCharacterSet = "ISO_IR 192"
    note.SOPClassUID = KeyObjectSelectionDocumentStorage
    note.SOPInstanceUID = instance_uid
    for keyword in _OF_PATIENT_AND_STUDY:
        if keyword in before:
            note[keyword] = before[keyword]
    note.Modality = "KO"
    note.SeriesInstanceUID = series_uid
    note.SeriesNumber = 2
    note.ReferencedPerformedProcedureStepSequence = []
    note.Manufacturer = ""
    note.InstanceNumber = 1
    note.ContentDate = f"{made_at:%Y%m%d}"
    note.ContentTime = f"{made_at:%H%M%S}"
    references = [_reference(uid) for uid in rejected]
    note.CurrentRequestedProcedureEvidenceSequence = [
        _evidence(before.StudyInstanceUID, before.SeriesInstanceUID, references)
    ]
    note.ValueType = "CONTAINER"
    note.ConceptNameCodeSequence = [_TITLES[reason].item()]
    note.ContinuityOfContent = "SEPARATE"
    note.ContentTemplateSequence = [_template()]
    note.ContentSequence = [_image(reference) for reference in references]
    note.file_meta = _meta(instance_uid)
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, note, enforce_file_format=True)
    return buffer.getvalue()


def _reference(uid: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.ReferencedSOPClassUID = VLWholeSlideMicroscopyImageStorage
    item.ReferencedSOPInstanceUID = uid
    return item


def _evidence(
    study_uid: str, series_uid: str, references: list[pydicom.Dataset]
) -> pydicom.Dataset:
    """Hierarchical SOP Instance Reference Macro (PS3.3 table C.17-3)."""
    series = pydicom.Dataset()
    series.SeriesInstanceUID = series_uid
    series.ReferencedSOPSequence = references
    study = pydicom.Dataset()
    study.StudyInstanceUID = study_uid
    study.ReferencedSeriesSequence = [series]
    return study


def _template() -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.MappingResource = "DCMR"
    item.TemplateIdentifier = "2010"
    return item


def _image(reference: pydicom.Dataset) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.RelationshipType = "CONTAINS"
    item.ValueType = "IMAGE"
    item.ReferencedSOPSequence = [reference]
    return item


def _meta(instance_uid: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = KeyObjectSelectionDocumentStorage
    meta.MediaStorageSOPInstanceUID = UID(instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    meta.ImplementationVersionName = IMPLEMENTATION_VERSION_NAME
    return meta
