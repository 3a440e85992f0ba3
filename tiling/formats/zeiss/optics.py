"""What the XML of a CZI says of channels and focal planes."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tiling.formats.zeiss.document import spacing_m
from tiling.formats.zeiss.scene import Scene
from tiling.numerals import positive
from tiling.slide import BRIGHTFIELD_PATH, Illumination, OpticalPath
from tiling.xml_tree import Element

ONE_PLANE = (
    "Only the middle focal plane is kept, since the file does not say how far apart they are."
)
_CHANNELS = ("Metadata", "Information", "Image", "Dimensions", "Channels", "Channel")
_SHOWN = ("Metadata", "DisplaySetting", "Channels", "Channel")
_DEPTHS = ("Metadata", "Information", "Image", "Dimensions", "Z", "Positions", "Interval")
_THROUGH = ("brightfield", "transmitted", "phase", "dic")
"""In the names of contrast methods where the light passes the tissue."""
_UM_PER_M = 1e6


@dataclass(frozen=True, slots=True)
class FocalPlanes:
    """The planes that are kept: the file's numbers and heights in micrometres, both in order."""

    numbers: tuple[int, ...]
    heights_um: tuple[float, ...]
    not_kept: tuple[str, ...] = ()


def read_paths(document: Element, scene: Scene) -> tuple[OpticalPath, ...]:
    """One optical path for each of the scene's channels."""
    told, shown = document.all(*_CHANNELS), document.all(*_SHOWN)
    return tuple(
        _path(_of_channel(told, channel), _of_channel(shown, channel), scene)
        for channel in scene.channels
    )


def read_planes(document: Element, scene: Scene) -> FocalPlanes:
    """The heights of the focal planes, where the file says how far apart they are."""
    numbers = scene.planes
    if len(numbers) == 1:
        return FocalPlanes(numbers, (0.0,))
    step = _step_um(document)
    heights = sorted((number * step, number) for number in numbers) if step else []
    if not heights or not all(math.isfinite(height) for height, _ in heights):
        return FocalPlanes((numbers[len(numbers) // 2],), (0.0,), (ONE_PLANE,))
    return FocalPlanes(
        tuple(number for _, number in heights), tuple(height for height, _ in heights)
    )


def _step_um(document: Element) -> float | None:
    """From a focal plane to the next one; below 0 where the first is the highest."""
    interval = document.first(*_DEPTHS)
    text = interval.words("Increment") if interval else None
    downwards = (text or "").startswith("-")
    increment = positive((text or "").removeprefix("-"))
    if increment:
        return -increment if downwards else increment
    spacing = spacing_m(document, "Z")
    return spacing * _UM_PER_M if spacing else None


def _of_channel(elements: Sequence[Element], channel: int) -> Element:
    """By its Id, which counts from 0, or by its place where the Ids are of another kind."""
    for element in elements:
        if element.attributes.get("Id") == f"Channel:{channel}":
            return element
    return elements[channel] if channel in range(len(elements)) else Element("", {})


def _path(told: Element, shown: Element, scene: Scene) -> OpticalPath:
    name = told.attributes.get("Name") or shown.attributes.get("Name") or None
    if scene.pixel_format.samples != 1:
        return OpticalPath(name=name, illumination=BRIGHTFIELD_PATH.illumination)
    return OpticalPath(
        name=name,
        illumination=_illumination(told),
        colour=_colour(told, shown),
        excitation_nm=positive(told.words("ExcitationWavelength")),
        emission_nm=positive(told.words("EmissionWavelength")),
    )


def _illumination(told: Element) -> Illumination:
    """Grey is the light of fluorescence, unless it is said to have passed the tissue."""
    methods = f"{told.words('ContrastMethod')} {told.words('IlluminationType')}".lower()
    if "fluorescence" not in methods and any(word in methods for word in _THROUGH):
        return Illumination.BRIGHTFIELD
    return Illumination.FLUORESCENCE


def _colour(told: Element, shown: Element) -> tuple[int, int, int] | None:
    """As `#AARRGGBB` or `#RRGGBB`; a channel may be set to be shown without its colour."""
    if (shown.words("ColorMode") or "").lower() == "none":
        return None
    text = shown.words("Color") or told.words("Color") or ""
    if not re.fullmatch(r"#(?:[0-9A-Fa-f]{2})?[0-9A-Fa-f]{6}", text):
        return None
    red, green, blue = bytes.fromhex(text[-6:])
    return red, green, blue
