"""Optical paths as a file describes them (PS3.3 C.8.12.5)."""

from struct import unpack_from
from typing import Any

import pydicom

from dicom.codes import EPIFLUORESCENCE
from dicom.source.part import first_item, items, number_of, text_of
from tiling.slide import Illumination, OpticalPath

_CHANNELS = ("Red", "Green", "Blue")
_DISCRETE, _LINEAR = 0, 1


def optical_path_of(
    item: pydicom.Dataset | None, identifier: str, *, several: bool, coloured: bool
) -> OpticalPath:
    """An item of the Optical Path Sequence; `several` when the image is one of many paths."""
    if item is None:
        return OpticalPath(name=identifier if several else None)
    fluorescent = _is_fluorescent(item, unless_told=several and not coloured)
    return OpticalPath(
        name=text_of(item, "OpticalPathDescription") or (identifier if several else None),
        illumination=Illumination.FLUORESCENCE if fluorescent else Illumination.BRIGHTFIELD,
        colour=_colour(item),
        excitation_nm=number_of(item, "IlluminationWaveLength")
        or _filter_nm(item, "LightPathFilter"),
        emission_nm=_filter_nm(item, "ImagePathFilter"),
    )


def _is_fluorescent(item: pydicom.Dataset, *, unless_told: bool) -> bool:
    """What its code says; many channels of light without any are fluorescence."""
    codes = items(item, "IlluminationTypeCodeSequence")
    if not codes:
        return unless_told
    return any(text_of(code, "CodeValue") == EPIFLUORESCENCE.value for code in codes)


def _filter_nm(item: pydicom.Dataset, side: str) -> float | None:
    """What a filter lets pass: the wavelength it names, or the middle of its band."""
    passed = number_of(item, f"{side}PassThroughWavelength")
    if passed is not None:
        return passed
    band: Any = item.get(f"{side}PassBand")
    try:
        low, high = (float(edge) for edge in band)
    except (TypeError, ValueError):
        return None
    return (low + high) / 2 if 0 < low <= high < float("inf") else None


def _colour(item: pydicom.Dataset) -> tuple[int, int, int] | None:
    """The colour of the brightest sample, by the palette; None where none is given."""
    palette = first_item(item, "PaletteColorLookupTableSequence")
    if palette is None:
        return None
    red, green, blue = (_last_entry(palette, channel) for channel in _CHANNELS)
    if red is None or green is None or blue is None:
        return None
    return red, green, blue


def _last_entry(palette: pydicom.Dataset, channel: str) -> int | None:
    """The last entry of a palette as 8 bits (PS3.3 C.7.6.3.1.5)."""
    name = f"{channel}PaletteColorLookupTable"
    descriptor: Any = palette.get(f"{name}Descriptor")
    try:
        entries, _, bits = (int(value) for value in descriptor)
    except (TypeError, ValueError):
        return None
    data: Any = palette.get(f"{name}Data")
    segmented: Any = palette.get(f"Segmented{name}Data")
    last: int | None = None
    if isinstance(data, bytes) and data:
        # Entries of 8 bits take a byte each, or two.
        single = bits == 8 and len(data) < 2 * (entries or 1 << 16)
        last = data[-1] if single else int.from_bytes(data[-2:], "little")
        if single and entries % 2 and len(data) > entries:
            last = data[-2]
    elif isinstance(segmented, bytes):
        last = _last_of_segments(segmented)
    if last is None:
        return None
    return last & 0xFF if bits == 8 else last >> 8


def _last_of_segments(data: bytes) -> int | None:
    """The last value of a segmented palette (PS3.3 C.7.9.2); None where it repeats segments."""
    last, at = None, 0
    while at + 6 <= len(data):
        kind, length = unpack_from("<HH", data, at)
        values = length if kind == _DISCRETE else 1
        at += 4 + 2 * values
        if kind not in (_DISCRETE, _LINEAR) or values == 0 or at > len(data):
            return None
        (last,) = unpack_from("<H", data, at - 2)
    return last
