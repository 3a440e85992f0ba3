"""The images of an OME-XML document (OME Data Model 2016-06), read without trusting it."""

from dataclasses import dataclass
from typing import Literal

from tiling.associated_names import kind_named
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.numerals import positive
from tiling.slide import AssociatedKind
from tiling.xml_tree import Element

MOST_IMAGES = 256
"""Of one file; plates of wells have more, and are no slides."""
_MOST_LAYERS = 4096
"""Channels times planes of one image."""
_DIMENSION_ORDERS = {"XYZCT", "XYZTC", "XYCZT", "XYCTZ", "XYTCZ", "XYTZC"}
_UNITS_MM = {
    "pm": 1e-9, "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}": 1e-7, "\N{ANGSTROM SIGN}": 1e-7,
    "nm": 1e-6, "\N{MICRO SIGN}m": 1e-3, "\N{GREEK SMALL LETTER MU}m": 1e-3,
    "mm": 1.0, "cm": 10.0, "dm": 100.0, "m": 1000.0,
}  # fmt: skip
"""Units of length of a slide's scale; others, such as "pixel", tell no distance."""
_READ_TYPES = {None, "uint8", "uint16"}
Axis = Literal["Z", "C", "T"]


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel, and how many samples of a pixel are its."""

    element: Element
    samples: int


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the document."""

    element: Element
    pixels: Element
    kind: AssociatedKind | None
    """What it is besides the slides; None for a slide."""
    sizes: dict[Axis, int]
    """Planes, channels (of however many samples) and times."""
    order: tuple[Axis, Axis, Axis]
    """The axes beyond columns and rows, the fastest first."""
    channels: tuple[Channel, ...]
    """As many as there are along the axis; never empty."""

    @property
    def planes(self) -> int:
        """Of all axes together."""
        return self.sizes["Z"] * self.sizes["C"] * self.sizes["T"]

    def plane_index(self, z: int, c: int, t: int) -> int:
        """Where a plane comes in the image's order."""
        at = {"Z": z, "C": c, "T": t}
        index, step = 0, 1
        for axis in self.order:
            index += at[axis] * step
            step *= self.sizes[axis]
        return index

    def check_type(self) -> None:
        """Raise UnsupportedSlideError unless the samples are unsigned, of 16 bits at most."""
        if self.pixels.attributes.get("Type") not in _READ_TYPES:
            raise UnsupportedSlideError(
                "The image's samples are signed, fractional or too long; "
                "export it with 8 or 16 bits without sign."
            )

    def check_size(self, size: Size) -> None:
        """Raise DamagedSlideError unless planes of that size are as large as is told."""
        said = self.pixels.attributes
        told = whole(said.get("SizeX"), size.columns), whole(said.get("SizeY"), size.rows)
        if told != (size.columns, size.rows):
            raise DamagedSlideError(
                "An image is of another size than the file's description says; copy it again."
            )

    def check_bits(self, bits: int) -> None:
        """Raise DamagedSlideError unless samples of so many bits are of the type that is told."""
        told = self.pixels.attributes.get("Type")
        if told is not None and (told == "uint16") != (bits > 8):
            raise DamagedSlideError(
                "An image has other samples than the file's description says; copy it again."
            )


def read_images(ome: Element) -> list[Image]:
    """Every image of a document, in its order.

    Raises UnsupportedSlideError when there is none, DamagedSlideError when one contradicts
    itself, SlideTooLargeError when there are absurdly many.
    """
    elements = ome.all("Image")
    if not elements:
        raise UnsupportedSlideError("The file describes no image; export the slide as OME-TIFF.")
    if len(elements) > MOST_IMAGES:
        raise SlideTooLargeError("The file holds more images than any slide; it is refused.")
    return [_read_image(element) for element in elements]


def _read_image(element: Element) -> Image:
    pixels = element.first("Pixels")
    if pixels is None:
        raise DamagedSlideError("An image of the file has no pixels; copy it again.")
    said = pixels.attributes
    channels = _channels(pixels, whole(said.get("SizeC"), 1))
    order = said.get("DimensionOrder", "XYZCT")
    if order not in _DIMENSION_ORDERS:
        raise DamagedSlideError("The order of the file's planes is unknown; copy it again.")
    sizes: dict[Axis, int] = {
        "Z": whole(said.get("SizeZ"), 1),
        "C": len(channels),
        "T": whole(said.get("SizeT"), 1),
    }
    if min(sizes.values()) < 1:
        raise DamagedSlideError("An image of the file has no planes; copy it again.")
    if sizes["Z"] * sum(channel.samples for channel in channels) > _MOST_LAYERS:
        raise SlideTooLargeError("The file announces absurdly many planes; it is refused.")
    kind = kind_named(element.attributes.get("Name"))
    axes: tuple[Axis, Axis, Axis] = (_axis(order[2]), _axis(order[3]), _axis(order[4]))
    return Image(element, pixels, kind, sizes, axes, channels)


def _axis(letter: str) -> Axis:
    return "Z" if letter == "Z" else "C" if letter == "C" else "T"


def _channels(pixels: Element, size_c: int) -> tuple[Channel, ...]:
    """SizeC counts samples; programs leave channels and their samples out where they are plain."""
    if not 1 <= size_c <= _MOST_LAYERS:
        raise DamagedSlideError("An image of the file has no channels; copy it again.")
    count = 1 if size_c == 3 and _has_few_planes(pixels) else size_c
    elements = pixels.all("Channel") or [Element("Channel", {}) for _ in range(count)]
    told = [whole(each.attributes.get("SamplesPerPixel"), 0) for each in elements]
    if sum(told) != size_c:
        each_has, rest = divmod(size_c, len(elements))
        if rest:
            raise DamagedSlideError("The file's channels contradict its size; copy it again.")
        told = [each_has] * len(elements)
    if min(told) < 1:
        raise DamagedSlideError("A channel of the file has no samples; copy it again.")
    return tuple(Channel(*pair) for pair in zip(elements, told, strict=True))


def _has_few_planes(pixels: Element) -> bool:
    """Whether the file names no more planes than there would be of colours side by side."""
    said = pixels.attributes
    told = pixels.all("TiffData")
    planes = sum(whole(each.attributes.get("PlaneCount"), 1) for each in told)
    is_told = all("IFD" in each.attributes or "PlaneCount" in each.attributes for each in told)
    together = whole(said.get("SizeZ"), 1) * whole(said.get("SizeT"), 1)
    return bool(told) and is_told and planes == together


def whole(text: str | None, default: int) -> int:
    """The number that an attribute is; raises DamagedSlideError for what is none."""
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise DamagedSlideError("A number of the file's description is none; copy it again.")
    return int(text)


def length_mm(element: Element, name: str, default_unit: str) -> float | None:
    """A length above zero, by its attribute and the unit beside it."""
    unit = element.attributes.get(f"{name}Unit", default_unit)
    number = positive(element.attributes.get(name))
    return positive(str((number or 0) * _UNITS_MM.get(unit, 0)))


def signed_mm(element: Element, name: str, default_unit: str) -> float | None:
    """A place on an axis; None where its unit tells no distance."""
    text = element.attributes.get(name, "")
    size = length_mm(
        Element("", {**element.attributes, name: text.strip().removeprefix("-")}),
        name,
        default_unit,
    )
    if size is None:
        return None
    return -size if text.strip().startswith("-") else size
