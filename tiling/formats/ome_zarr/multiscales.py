"""What the attributes of an image say: its axes, the arrays of its levels, scale and channels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.formats.ome_zarr.files import is_plain
from tiling.formats.ome_zarr.values import (
    DAMAGED,
    Mapped,
    mapping,
    number,
    optional_mapping,
    sequence,
    text,
)
from tiling.slide import BRIGHTFIELD_PATH, Illumination, OpticalPath

_VERSIONS = ("0.4", "0.5")
_MOST_LEVELS = 64
_MOST_AXES = 5
_MOST_CHANNELS = 4096
_UNITS_UM = {
    "angstrom": 1e-4, "picometer": 1e-6, "nanometer": 1e-3, "micrometer": 1.0, "micron": 1.0,
    "\N{MICRO SIGN}m": 1.0, "\N{GREEK SMALL LETTER MU}m": 1.0, "um": 1.0, "nm": 1e-3,
    "millimeter": 1e3, "mm": 1e3, "centimeter": 1e4, "inch": 25400.0, "meter": 1e6,
}  # fmt: skip
_COLOUR = re.compile(r"#?([0-9A-Fa-f]{6})(?:[0-9A-Fa-f]{2})?\Z")
_RGB = ((255, 0, 0), (0, 255, 0), (0, 0, 255))
_RGB_WORDS = ("red", "green", "blue")
_NO_STAIN = frozenset({"", "c", "ch", "channel"})
"""What is left of a label like "Channel 0" without its number."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of the arrays."""

    name: str
    unit_um: float | None
    """Micrometres of its unit of length; None where it has none that is known."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One level: the folder of its array, and the distance between samples along each axis."""

    path: str
    scale: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel, as it is to be shown."""

    label: str | None
    colour: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Image:
    """A multiscale image; `datasets` are as the file lists them, the base first."""

    name: str | None
    axes: tuple[Axis, ...]
    datasets: tuple[Dataset, ...]
    channels: tuple[Channel, ...]

    def axis(self, name: str) -> int | None:
        """The index of an axis."""
        names = [axis.name for axis in self.axes]
        return names.index(name) if name in names else None

    @property
    def pictures(self) -> tuple[OpticalPath, ...]:
        """The optical paths whose red, green and blue the channels are; empty where they are not.

        OME-Zarr has no mark for it. What is taken for one is what is written for one: three
        channels shown in pure red, green and blue, of which none is named like a stain. Those of
        several pictures are named "H&E Red", "H&E Green", "H&E Blue" and so on.
        """
        triples = [self.channels[at : at + 3] for at in range(0, len(self.channels), 3)]
        if any([channel.colour for channel in triple] != list(_RGB) for triple in triples):
            return ()
        if len(triples) == 1:
            return (BRIGHTFIELD_PATH,) if _names_no_stain(triples[0]) else ()
        names = [_common_name(triple) for triple in triples]
        found = tuple(OpticalPath(name) for name in names if name is not None)
        return found if len(found) == len(triples) else ()

    def optical_path(self, channel: int) -> OpticalPath:
        """A channel that is a light of its own; the format does not tell how it was lit."""
        said = self.channels[channel] if channel < len(self.channels) else Channel(None, None)
        return OpticalPath(said.label or None, Illumination.FLUORESCENCE, said.colour)


def read_image(attributes: Mapped) -> Image:
    """The first multiscale image of a group (OME-Zarr 0.4 and 0.5, "multiscales").

    Raises UnsupportedSlideError for other versions.
    """
    listed = sequence(attributes.get("multiscales"))
    if not listed:
        raise DamagedSlideError(DAMAGED)
    said = mapping(listed[0])
    version = attributes.get("version", said.get("version", _VERSIONS[0]))
    if not isinstance(version, str) or not version.startswith(_VERSIONS):
        raise UnsupportedSlideError("The slide is not in OME-Zarr 0.4 or 0.5; write it in one.")
    axes = tuple(_axis(axis) for axis in sequence(said.get("axes")))
    names = [axis.name for axis in axes]
    if len(set(names)) != len(names) or len(names) > _MOST_AXES or not {"x", "y"} <= set(names):
        raise UnsupportedSlideError("The slide has other axes than t, c, z, y and x; write those.")
    datasets = sequence(said.get("datasets"))
    if not 1 <= len(datasets) <= _MOST_LEVELS:
        raise SlideTooLargeError("The slide has more levels than any pyramid; it is refused.")
    whole = _scale(said, len(axes))
    name = said.get("name")
    return Image(
        name if isinstance(name, str) else None,
        axes,
        tuple(_dataset(dataset, whole, len(axes)) for dataset in datasets),
        _channels(attributes),
    )


def _axis(said: object) -> Axis:
    axis = mapping(said)
    unit = axis.get("unit")
    return Axis(text(axis.get("name")), _UNITS_UM.get(unit) if isinstance(unit, str) else None)


def _dataset(said: object, whole: Sequence[float] | None, axes: int) -> Dataset:
    dataset = mapping(said)
    path = text(dataset.get("path"))
    if not is_plain(path):
        raise DamagedSlideError("The slide names a folder outside its own; it is refused.")
    scale = _scale(dataset, axes)
    if scale is not None and whole is not None:
        scale = tuple(one * other for one, other in zip(scale, whole, strict=True))
    return Dataset(path, scale)


def _scale(said: Mapped, axes: int) -> tuple[float, ...] | None:
    """The scale among the transformations; None where there is none.

    Other kinds than a scale and a translation are for coordinates beyond the slide's own.
    """
    listed = said.get("coordinateTransformations", [])
    for transformation in map(optional_mapping, sequence(listed)):
        if transformation.get("type") == "scale" and "scale" in transformation:
            scale = tuple(number(one) for one in sequence(transformation["scale"]))
            if len(scale) != axes:
                raise DamagedSlideError(DAMAGED)
            return scale
    return None


def _channels(attributes: Mapped) -> tuple[Channel, ...]:
    listed = optional_mapping(attributes.get("omero")).get("channels")
    if not isinstance(listed, list):
        return ()
    return tuple(_channel(optional_mapping(channel)) for channel in listed[:_MOST_CHANNELS])


def _channel(said: Mapped) -> Channel:
    label, shown = said.get("label"), said.get("color")
    colour = _COLOUR.match(shown) if isinstance(shown, str) else None
    return Channel(
        label[:64] if isinstance(label, str) else None,
        None if colour is None else _bytes_of(colour[1]),
    )


def _bytes_of(digits: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(digits)
    return red, green, blue


def _names_no_stain(triple: Sequence[Channel]) -> bool:
    return all(
        _letters(channel.label) in {*_NO_STAIN, word, word[0]}
        for channel, word in zip(triple, _RGB_WORDS, strict=True)
    )


def _common_name(triple: Sequence[Channel]) -> str | None:
    """What the labels of a picture's colours say before the colour; None where they differ."""
    names = set()
    for channel, word in zip(triple, _RGB_WORDS, strict=True):
        name, _, colour = (channel.label or "").strip().rpartition(" ")
        names.add(name.strip() if colour.lower() == word else "")
    name = names.pop()
    return name if name and not names else None


def _letters(label: str | None) -> str:
    return re.sub(r"[^a-z]", "", (label or "").lower())
