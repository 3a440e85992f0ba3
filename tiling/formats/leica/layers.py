"""Areas in several channels or focal planes, each of whose images is a directory of its own."""

import re
from collections.abc import Mapping

from tiling import tiff
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.focal_planes import FocalPlanes, order_planes
from tiling.formats.leica.layout import has_mark, is_plain, read_areas, read_metadata, read_overview
from tiling.geometry import Size
from tiling.jpeg_tiff import AssociatedImage, Layout
from tiling.numerals import positive
from tiling.slide import AssociatedKind, Illumination, OpticalPath
from tiling.tiff import Directory, TiffFile
from tiling.tiff_layers import Layer, LayeredTiff, Scene, ordered_pyramid
from tiling.xml_tree import Element, parse_xml

_BRIGHT = "brightfield"
_COLOURS = 3
_MOST_AREAS = 256
_NM_PER_UM = 1000.0
_RGB = re.compile(r"#?([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_BAND = re.compile(r"(?:BP )?([0-9]{3,4})/[0-9]{1,3}")
"""Middle and width of what a filter lets through, in nanometres."""
_Place = tuple[int, int]
"""Channel and plane."""


def is_layered(file: TiffFile, directory: Directory) -> bool:
    """Whether any area of a Leica SCN is in fluorescence, or in several channels or planes."""
    if not has_mark(file, directory):
        return False
    areas, _ = read_areas(parse_xml(file.text(directory, tiff.IMAGE_DESCRIPTION)))
    return any(not is_plain(area) for area in areas)


def read_scenes(file: LayeredTiff) -> list[Scene | Layout]:
    """Each area, in the file's order.

    Raises UnsupportedSlideError for what is not read, DamagedSlideError where an area
    contradicts itself or lacks an image, SlideTooLargeError beyond the limits.
    """
    scn = parse_xml(file.description(file.directories[0]))
    areas, whole = read_areas(scn)
    if len(areas) > _MOST_AREAS:
        raise SlideTooLargeError("The slide holds absurdly many areas; it is refused.")
    associated = read_overview(file, whole)
    return [_scene(file, scn, area, associated) for area in areas]


def _scene(
    file: LayeredTiff,
    scn: Element,
    area: Element,
    associated: Mapping[AssociatedKind, AssociatedImage],
) -> Scene:
    levels = _levels(file, area)
    channels, planes = (1 + max(place[axis] for place in levels[0]) for axis in (0, 1))
    for level in levels:
        if len(level) != channels * planes:
            raise DamagedSlideError(
                "An area lacks a channel or a plane; copy the file again from the scanner."
            )
    base = levels[0][0, 0]
    is_colour = file.number(base, tiff.SAMPLES_PER_PIXEL, 1) == _COLOURS
    ordered = _order_planes(area, planes)

    def layer(directory: Directory) -> Layer:
        if not file.is_upright(directory):
            raise UnsupportedSlideError("The slide lies on its side; export it upright.")
        return file.colour_layer(directory) if is_colour else file.grey_layer(directory)

    layers = [
        [layer(level[channel, plane]) for channel in range(channels) for plane in ordered.numbers]
        for level in levels
    ]
    told = read_metadata(file, scn, area, base).keeping_less(*ordered.not_kept)
    paths = _optical_paths(area, channels)
    return Scene.of(told, paths, ordered.heights_um, layers, associated, file.limits)


def _levels(file: LayeredTiff, area: Element) -> list[dict[_Place, Directory]]:
    """The directories of each resolution, the largest first."""
    by_size: dict[tuple[int, int], dict[_Place, Directory]] = {}
    for dimension in area.all("pixels", "dimension"):
        said = dimension.attributes
        index = _whole(said.get("ifd", ""))
        if index >= len(file.directories):
            raise DamagedSlideError(
                "A resolution is missing; copy the file again from the scanner."
            )
        directory = file.directories[index]
        size = file.size(directory)
        place = _whole(said.get("c", "0")), _whole(said.get("z", "0"))
        by_size.setdefault((size.columns, size.rows), {})[place] = directory
    if not by_size:
        raise DamagedSlideError("An area has no image; copy the file again from the scanner.")
    found = sorted(by_size.values(), key=lambda level: -_size_of(file, level).area)
    if (0, 0) not in found[0]:
        raise DamagedSlideError("An area lacks its first channel; copy the file again.")
    sizes = [_size_of(file, level) for level in found]
    return [found[0], *(found[1 + n] for n in ordered_pyramid(sizes[0], sizes[1:]))]


def _size_of(file: LayeredTiff, level: dict[_Place, Directory]) -> Size:
    return file.size(next(iter(level.values())))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 6):
        raise DamagedSlideError("A resolution has no place; copy the file again.")
    return int(text)


def _order_planes(area: Element, planes: int) -> FocalPlanes:
    view = area.first("view")
    spacing_nm = positive(view.attributes.get("spacingZ")) if view is not None else None
    if spacing_nm is None:
        return order_planes(planes, None)
    return order_planes(planes, [round(n * spacing_nm / _NM_PER_UM, 6) for n in range(planes)])


def _optical_paths(area: Element, channels: int) -> list[OpticalPath]:
    light = area.words("scanSettings", "illuminationSettings", "illuminationSource")
    told = {
        element.attributes.get("index", str(number)): element
        for number, element in enumerate(area.all("scanSettings", "channelSettings", "channel"))
    }
    named = [told.get(str(channel)) for channel in range(channels)]
    if light == _BRIGHT:
        return [OpticalPath(_name(channel)) for channel in named]
    return [_optical_path(channel) for channel in named]


def _name(channel: Element | None) -> str | None:
    return (channel.attributes.get("name") or None) if channel is not None else None


def _optical_path(channel: Element | None) -> OpticalPath:
    if channel is None:
        return OpticalPath(illumination=Illumination.FLUORESCENCE)
    return OpticalPath(
        name=_name(channel),
        illumination=Illumination.FLUORESCENCE,
        colour=_colour(channel.attributes.get("rgb", "")),
        excitation_nm=_middle_nm(channel.words("fluorescenceCube", "excitationFilter")),
        emission_nm=_middle_nm(channel.words("fluorescenceCube", "suppressionFilter")),
    )


def _colour(text: str) -> tuple[int, int, int] | None:
    match = _RGB.fullmatch(text)
    if match is None:
        return None
    red, green, blue = (int(part, 16) for part in match.groups())
    return (red, green, blue) if red or green or blue else None


def _middle_nm(text: str | None) -> float | None:
    match = _BAND.fullmatch(text or "")
    return float(match[1]) if match else None
