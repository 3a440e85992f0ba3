"""What made the image: the scanner, and the software that put it into DICOM."""

import pydicom

from dicom.codes import MODIFYING_EQUIPMENT
from dicom.models import Equipment
from dicom.placeholders import UNKNOWN
from dicom.text import short_text
from dicom.uids import IMPLEMENTATION_VERSION_NAME


def equipment(value: Equipment) -> pydicom.Dataset:
    """General and Enhanced General Equipment (PS3.3 C.7.5.1, C.7.5.2): the scanner, all type 1."""
    module = pydicom.Dataset()
    module.Manufacturer = short_text(value.manufacturer) or UNKNOWN
    module.ManufacturerModelName = short_text(value.model) or UNKNOWN
    module.DeviceSerialNumber = short_text(value.serial_number) or UNKNOWN
    module.SoftwareVersions = short_text(value.software) or UNKNOWN
    return module


def converter() -> pydicom.Dataset:
    """Contributing Equipment Sequence of SOP Common (PS3.3 C.12.1): this software."""
    item = pydicom.Dataset()
    item.PurposeOfReferenceCodeSequence = [MODIFYING_EQUIPMENT.item()]
    item.Manufacturer = "SGI"
    item.ManufacturerModelName = "SGI pathology"
    item.SoftwareVersions = IMPLEMENTATION_VERSION_NAME
    item.ContributionDescription = "Conversion of the scanner's file to DICOM"
    module = pydicom.Dataset()
    module.ContributingEquipmentSequence = [item]
    return module
