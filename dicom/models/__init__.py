"""What is said about a slide, free of DICOM's form: frozen values, absent where unknown."""

from dicom.models.equipment import Equipment
from dicom.models.identity import Patient, Sex, SlideIdentity, Study
from dicom.models.image import ImageDescription, ImageRole, LossyStep, Photometric
from dicom.models.optics import OpticalPath

__all__ = [
    "Equipment",
    "ImageDescription",
    "ImageRole",
    "LossyStep",
    "OpticalPath",
    "Patient",
    "Photometric",
    "Sex",
    "SlideIdentity",
    "Study",
]
