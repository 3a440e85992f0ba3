"""Channels as optical paths, and the heights of planes."""

import math
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise

from tiling.formats.ome_tiff.document import Channel, Image, length_mm, signed_mm
from tiling.slide import Illumination, OpticalPath
from tiling.xml_tree import Element

_NM_PER_MM = 1e6
_UM_PER_MM = 1e3
_MICROMETRE = "\N{MICRO SIGN}m"
_BRIGHT = {"Transmitted", "Oblique"}
"""IlluminationType of light that tissue takes away."""
_LARGEST_COLOUR = 1 << 32


def optical_paths(channel: Channel) -> list[OpticalPath]:
    """One path for three samples, which are colours; else one for each sample."""
    element = channel.element
    said = element.attributes
    is_colour = channel.samples == 3
    is_bright = is_colour or said.get("IlluminationType") in _BRIGHT
    path = OpticalPath(
        name=said.get("Name") or said.get("Fluor") or None,
        illumination=Illumination.BRIGHTFIELD if is_bright else Illumination.FLUORESCENCE,
        colour=None if is_colour else _colour(said.get("Color")),
        excitation_nm=_wavelength_nm(element, "ExcitationWavelength"),
        emission_nm=_wavelength_nm(element, "EmissionWavelength"),
    )
    return [path] * (1 if is_colour else channel.samples)


def _colour(text: str | None) -> tuple[int, int, int] | None:
    """Red, green, blue and opacity in a signed number of 32 bits."""
    try:
        number = int(text or "")
    except ValueError:
        return None
    if not -_LARGEST_COLOUR // 2 <= number < _LARGEST_COLOUR:
        return None
    red, green, blue, _ = (number % _LARGEST_COLOUR).to_bytes(4, "big")
    # In black nothing of a channel would be seen.
    return (red, green, blue) if red or green or blue else None


def _wavelength_nm(element: Element, name: str) -> float | None:
    length = length_mm(element, name, "nm")
    return round(length * _NM_PER_MM, 6) or None if length else None


def heights_um(image: Image) -> list[float] | None:
    """The height of each plane in the file's order, as far as it is told; None where none is.

    Of planes that lie one step apart, their places tell whether they rise or fall.
    """
    count = image.sizes["Z"]
    step = length_mm(image.pixels, "PhysicalSizeZ", _MICROMETRE)
    if step is not None:
        heights = [round(number * step * _UM_PER_MM, 6) for number in range(count)]
        return heights[::-1] if _fall(image, count) else heights
    return _told_one_by_one(image, count)


def _fall(image: Image, count: int) -> bool:
    """Whether every plane of the first channel lies below the one before, in whatever unit."""
    told: dict[str, float] = {}
    units = set()
    for plane in _first_planes(image):
        with suppress(ValueError):
            told[plane.attributes.get("TheZ", "")] = float(plane.attributes.get("PositionZ", ""))
            units.add(plane.attributes.get("PositionZUnit"))
    places = [told.get(str(z), math.nan) for z in range(count)]
    return len(units) == 1 and all(below < above for above, below in pairwise(places))


def _first_planes(image: Image) -> Iterator[Element]:
    """Of the first channel at the first time."""
    for plane in image.pixels.all("Plane"):
        if plane.attributes.get("TheC") == plane.attributes.get("TheT") == "0":
            yield plane


def _told_one_by_one(image: Image, count: int) -> list[float] | None:
    """By the first channel's planes, above the lowest; None unless all are told."""
    told: dict[str, float] = {}
    for plane in _first_planes(image):
        unit = plane.attributes.get("PositionZUnit", "reference frame")
        is_zero = plane.attributes.get("PositionZ", "").strip("-+ 0.") == ""
        place = signed_mm(plane, "PositionZ", "reference frame")
        if place is None and is_zero and unit != "reference frame":
            place = 0.0
        if place is not None:
            told[plane.attributes.get("TheZ", "")] = place * _UM_PER_MM
    places = [told[str(z)] for z in range(count) if str(z) in told]
    if len(places) < count:
        return None
    return [round(place - min(places), 6) for place in places]
