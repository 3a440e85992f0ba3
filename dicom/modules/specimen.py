"""The glass and what lies on it."""

import pydicom

from dicom.codes import MICROSCOPE_SLIDE
from dicom.models import ImageDescription, SlideIdentity
from dicom.placeholders import UNKNOWN
from dicom.text import short_text

_LONGEST_LABEL = 10240
"""Characters of an Unlimited Text that is kept here."""


def specimen(identity: SlideIdentity) -> pydicom.Dataset:
    """Specimen (PS3.3 C.7.6.22).

    A slide whose specimens the laboratory does not name holds one, called like its container:
    the identifier is type 1, and one section on one glass is the rule. How the specimen was
    prepared is type 2 and stays empty: a scanner does not know the stain.
    """
    container = identity.container_identifier or UNKNOWN
    module = pydicom.Dataset()
    module.ContainerIdentifier = container
    module.IssuerOfTheContainerIdentifierSequence = []
    module.ContainerTypeCodeSequence = [MICROSCOPE_SLIDE.item()]
    module.SpecimenDescriptionSequence = [
        _description(identity, name) for name in identity.specimen_identifiers or (container,)
    ]
    return module


def _description(identity: SlideIdentity, identifier: str) -> pydicom.Dataset:
    item = pydicom.Dataset()
    item.SpecimenIdentifier = identifier
    item.IssuerOfTheSpecimenIdentifierSequence = []
    item.SpecimenUID = identity.specimen_uid(identifier)
    item.SpecimenPreparationSequence = []
    return item


def slide_label(image: ImageDescription) -> pydicom.Dataset:
    """Slide Label (PS3.3 C.8.12.8): type 2, empty where nobody has read it."""
    module = pydicom.Dataset()
    # Cut short or changed it would be the code of another glass.
    code = image.barcode or ""
    module.BarcodeValue = code if code == (short_text(code) or "") else ""
    module.LabelText = short_text(image.label_text, _LONGEST_LABEL) or ""
    return module
