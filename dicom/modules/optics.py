"""How light went through the slide, and what its colours mean."""

import numpy as np
import pydicom
from pydicom.valuerep import format_number_as_ds

from dicom.codes import BRIGHTFIELD, EPIFLUORESCENCE, FULL_SPECTRUM
from dicom.models import Optics
from dicom.srgb import SRGB_PROFILE
from dicom.text import short_text
from tiling.slide import Illumination, OpticalPath

_ILLUMINATION = {
    Illumination.BRIGHTFIELD: BRIGHTFIELD,
    Illumination.FLUORESCENCE: EPIFLUORESCENCE,
}
_PALETTE_ENTRIES = 256


def path_identifier(path: int) -> str:
    """Optical Path Identifier (0048,0106) of the path of that index."""
    return str(path + 1)


def optical_paths(value: Optics) -> pydicom.Dataset:
    """Optical Path (PS3.3 C.8.12.5), an item for each."""
    module = pydicom.Dataset()
    module.OpticalPathSequence = [_item(value, path) for path in range(len(value.paths))]
    module.NumberOfOpticalPaths = len(value.paths)
    return module


def _item(value: Optics, index: int) -> pydicom.Dataset:
    """The ICC profile is 1C, required for colours, also for those of a palette: the file's own,
    else sRGB. Color Space is said only of the latter, for what another profile is called is not
    ours to guess.
    """
    path = value.paths[index]
    item = _illumination(path)
    item.OpticalPathIdentifier = path_identifier(index)
    if name := short_text(path.name):
        item.OpticalPathDescription = name
    if not value.coloured and path.colour is not None:
        item.PaletteColorLookupTableSequence = [_palette(path.colour)]
    if value.coloured or path.colour is not None:
        item.ICCProfile = value.icc_profile or SRGB_PROFILE
        if value.icc_profile is None:
            item.ColorSpace = "SRGB"
    if value.objective_power is not None:
        item.ObjectiveLensPower = format_number_as_ds(float(value.objective_power))
    return item


def _illumination(path: OpticalPath) -> pydicom.Dataset:
    """Its wavelength where the file tells; else its colour, which is then required (1C)."""
    item = pydicom.Dataset()
    item.IlluminationTypeCodeSequence = [_ILLUMINATION[path.illumination].item()]
    if path.excitation_nm is None:
        item.IlluminationColorCodeSequence = [FULL_SPECTRUM.item()]
    else:
        item.IlluminationWaveLength = float(path.excitation_nm)
    if path.emission_nm is not None:
        item.ImagePathFilterPassThroughWavelength = round(path.emission_nm)
    return item


def _palette(colour: tuple[int, int, int]) -> pydicom.Dataset:
    """The path's colour from black to full (PS3.3 C.7.6.19), as 16-bit numbers."""
    ramp = np.linspace(0.0, 1.0, _PALETTE_ENTRIES)
    item = pydicom.Dataset()
    for name, value in zip(("Red", "Green", "Blue"), colour, strict=True):
        entries = np.rint(ramp * value * 257).astype("<u2")
        setattr(item, f"{name}PaletteColorLookupTableDescriptor", [_PALETTE_ENTRIES, 0, 16])
        setattr(item, f"{name}PaletteColorLookupTableData", entries.tobytes())
    return item
