"""What is said about a slide, free of DICOM's form: frozen values, absent where unknown."""

from dicom.models.equipment import Equipment
from dicom.models.identity import Patient, Sex, SlideIdentity, Study
from dicom.models.image import ImageDescription, ImageRole, LossyStep, Photometric
from dicom.models.optics import Optics

__all__ = [
    "Equipment",
    "ImageDescription",
    "ImageRole",
    "LossyStep",
    "Optics",
    "Patient",
    "Photometric",
    "Sex",
    "SlideIdentity",
    "Study",
]
