"""Whose image it is: patient, study, series, frame of reference."""

import pydicom

from dicom.models import Patient, SlideIdentity, Study


def patient(value: Patient) -> pydicom.Dataset:
    """Patient (PS3.3 C.7.1.1): all of it type 2, empty where the laboratory does not say."""
    module = pydicom.Dataset()
    module.PatientName = value.name or ""
    module.PatientID = value.identifier or ""
    module.PatientBirthDate = f"{value.birth_date:%Y%m%d}" if value.birth_date else ""
    module.PatientSex = value.sex.value if value.sex else ""
    return module


def study(identity: SlideIdentity) -> pydicom.Dataset:
    """General Study (PS3.3 C.7.2.1)."""
    value: Study = identity.study
    module = pydicom.Dataset()
    module.StudyInstanceUID = identity.study_uid
    module.StudyDate = f"{value.started_at:%Y%m%d}" if value.started_at else ""
    module.StudyTime = f"{value.started_at:%H%M%S}" if value.started_at else ""
    module.ReferringPhysicianName = ""
    module.StudyID = value.identifier or ""
    module.AccessionNumber = value.accession_number or ""
    return module


def series(identity: SlideIdentity) -> pydicom.Dataset:
    """General Series (PS3.3 C.7.3.1) and Whole Slide Microscopy Series (C.8.12.3)."""
    module = pydicom.Dataset()
    module.Modality = "SM"
    module.SeriesInstanceUID = identity.series_uid
    module.SeriesNumber = 1
    return module


def frame_of_reference(identity: SlideIdentity) -> pydicom.Dataset:
    """Frame of Reference (PS3.3 C.7.4.1): the glass, from its corner (C.8.12.2)."""
    module = pydicom.Dataset()
    module.FrameOfReferenceUID = identity.frame_of_reference_uid
    module.PositionReferenceIndicator = "SLIDE_CORNER"
    return module
