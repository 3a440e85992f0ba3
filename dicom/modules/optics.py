"""How light went through the slide, and what its colours mean."""

import pydicom
from pydicom.valuerep import format_number_as_ds

from dicom.models import OpticalPath
from dicom.srgb import SRGB_PROFILE

PATH_IDENTIFIER = "1"
"""Optical Path Identifier (0048,0106) of the only path."""


def optical_path(value: OpticalPath) -> pydicom.Dataset:
    """Optical Path (PS3.3 C.8.12.5), one item.

    The ICC profile is 1C, required for colour: the file's own, else sRGB. Color Space is said only
    of the latter, for what another profile is called is not ours to guess.
    """
    item = pydicom.Dataset()
    item.OpticalPathIdentifier = PATH_IDENTIFIER
    item.IlluminationTypeCodeSequence = [value.illumination.item()]
    item.IlluminationColorCodeSequence = [value.illumination_colour.item()]
    item.ICCProfile = value.icc_profile or SRGB_PROFILE
    if value.icc_profile is None:
        item.ColorSpace = "SRGB"
    if value.objective_power is not None:
        item.ObjectiveLensPower = format_number_as_ds(float(value.objective_power))
    module = pydicom.Dataset()
    module.OpticalPathSequence = [item]
    return module
