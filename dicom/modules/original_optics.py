"""How light went through the slide, as its file said (PS3.3 C.8.12.5)."""

from collections.abc import Sequence
from copy import deepcopy

import pydicom
from pydicom.multival import MultiValue

from dicom.modules.original_place import is_positive
from dicom.source.part import first_item

_SOUGHT_LIGHT = ("IlluminationWaveLength", "IlluminationColorCodeSequence")
"""One of the two is required."""
_PROFILE = ("ICCProfile", "ColorSpace")
_CHANNELS = ("Red", "Green", "Blue")
_PALETTE = "PaletteColorLookupTableSequence"


def keep_optics(new: pydicom.Dataset, said: Sequence[pydicom.Dataset | None]) -> None:
    """Give each optical path of `new` what the file said of it: lamps, filters, lenses, profile.

    `said` has an item for each path in the order of the frames, None where the file has none;
    where their number is another, nothing is taken over. Of ours stay the identifier, which the
    frames name, and what is required and the file lacks.
    """
    if len(said) != len(new.OpticalPathSequence):
        return
    coloured = new.SamplesPerPixel > 1
    new.OpticalPathSequence = [
        ours if item is None else _merged(ours, item, coloured=coloured)
        for ours, item in zip(new.OpticalPathSequence, said, strict=True)
    ]


def _merged(ours: pydicom.Dataset, said: pydicom.Dataset, *, coloured: bool) -> pydicom.Dataset:
    item = deepcopy(said)
    item.OpticalPathIdentifier = ours.OpticalPathIdentifier
    if "IlluminationWaveLength" in item and not is_positive(item.IlluminationWaveLength):
        del item.IlluminationWaveLength
    _fill(item, ours, ("IlluminationTypeCodeSequence",))
    _fill(item, ours, ("OpticalPathDescription",))
    _fill(item, ours, _SOUGHT_LIGHT)
    if not item.get("ICCProfile"):
        item.pop("ColorSpace", None)
        _fill(item, ours, _PROFILE)
    if coloured or not _has_deep_palette(item):
        item.pop(_PALETTE, None)
    if not coloured:
        _fill(item, ours, (_PALETTE,))
    return item


def _has_deep_palette(item: pydicom.Dataset) -> bool:
    """Whether its entries have 16 bits, as they must have here (PS3.3 C.7.9); some have 8."""
    palette = first_item(item, _PALETTE)
    if palette is None:
        return False
    told = [palette.get(f"{name}PaletteColorLookupTableDescriptor") for name in _CHANNELS]
    return all(isinstance(one, MultiValue) and list(one)[2:] == [16] for one in told)


def _fill(item: pydicom.Dataset, ours: pydicom.Dataset, keywords: Sequence[str]) -> None:
    """Take all of these from ours, if the file has none of them."""
    if any(item.get(keyword) for keyword in keywords):
        return
    for keyword in keywords:
        if keyword in ours:
            item[keyword] = ours[keyword]
