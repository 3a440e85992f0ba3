"""What the XML of a CZI says of channels and focal planes."""

import re
from collections.abc import Sequence

from tiling.focal_planes import FocalPlanes, order_planes
from tiling.formats.zeiss.document import spacing_m
from tiling.formats.zeiss.scene import Scene
from tiling.numerals import positive
from tiling.slide import BRIGHTFIELD_PATH, Illumination, OpticalPath
from tiling.xml_tree import Element

_CHANNELS = ("Metadata", "Information", "Image", "Dimensions", "Channels", "Channel")
_SHOWN = ("Metadata", "DisplaySetting", "Channels", "Channel")
_DEPTHS = ("Metadata", "Information", "Image", "Dimensions", "Z", "Positions", "Interval")
_THROUGH = ("brightfield", "transmitted", "phase", "dic")
"""In the names of contrast methods where the light passes the tissue."""
_UM_PER_M = 1e6


def read_paths(document: Element, scene: Scene) -> tuple[OpticalPath, ...]:
    """One optical path for each of the scene's channels."""
    told, shown = document.all(*_CHANNELS), document.all(*_SHOWN)
    return tuple(
        _path(_of_channel(told, channel), _of_channel(shown, channel), scene)
        for channel in scene.channels
    )


def read_planes(document: Element, scene: Scene) -> FocalPlanes:
    """The scene's focal planes, by their place among its numbers."""
    step = _step_um(document)
    heights = [number * step for number in scene.planes] if step else None
    return order_planes(len(scene.planes), heights)


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
