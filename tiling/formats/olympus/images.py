"""The images of a VSI file, as its tags tell of them."""

from dataclasses import dataclass
from enum import IntEnum

from tiling.formats.olympus.tags import Field
from tiling.geometry import Size

COLLECTION, IMAGE, FRAME, FILE, PROPERTIES = 2000, 2001, 2002, 2018, 2005
_BOUNDARY, _IS_EXTERNAL, _DIRECTORY, _ORIGIN = 2053, 20005, 2016, 2410
_NAME, _KIND = 2030, 2074
AXIS, _AXIS_ENTRY, _MEANING, _Z_START = 2007, 2008, 2023, 2012

LARGEST_SIDE = 1 << 30
"""In pixels; a side beyond this is no size."""


class ImageKind(IntEnum):
    """What an image is for; masks, focus maps and the like have other numbers."""

    SCAN = 0
    OVERVIEW = 1
    MACRO = 256


class AxisKind(IntEnum):
    """What counts along an axis besides columns and rows."""

    Z = 1
    TIME = 2
    WAVELENGTH = 3
    CHANNEL = 4
    PHASE = 9


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of an image's tiles beyond columns and rows."""

    kind: int | None
    """An `AxisKind`; None where the file does not say, which it need not of a single entry."""
    entries: tuple[Field, ...]
    """What is said of each place along it, or once for all."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the file."""

    stack: int
    """The number in the name of its folder."""
    field: Field
    name: str
    kind: int
    size: Size | None
    origin: tuple[int, int]
    """Where its stored pixels begin, column and row, counted from the image's own: 0 or less."""
    is_external: bool
    """Whether its pixels are in a stack of tiles, and not in the VSI itself."""
    directory: int | None
    """The TIFF directory that holds an image that is not external."""
    axes: tuple[Axis, ...]

    @property
    def properties(self) -> Field:
        return self.field.first(PROPERTIES) or Field(PROPERTIES)


def read_images(root: Field) -> list[Image]:
    """Every image, in the file's order."""
    return [_read_image(field) for field in root.all(COLLECTION, IMAGE)]


def _read_image(field: Field) -> Image:
    frame = next((f for f in field.all(FRAME) if f.first(FILE) or f.first(_DIRECTORY)), field)
    directory, kind = frame.first(_DIRECTORY), field.whole(PROPERTIES, _KIND)
    origin = [int(number) for number in frame.numbers(FILE, _ORIGIN)[:2]]
    return Image(
        stack=field.index or 0,
        field=field,
        name=field.text(PROPERTIES, _NAME) or "",
        # Software of microscopes makes scans alone, and does not say so.
        kind=ImageKind.SCAN if kind is None else kind,
        size=_size(frame.numbers(FILE, _BOUNDARY)),
        origin=(origin[0], origin[1]) if len(origin) == 2 else (0, 0),
        is_external=frame.number(FILE, _IS_EXTERNAL) == 1,
        directory=directory.index if directory else None,
        axes=tuple(_read_axis(axis) for axis in field.all(AXIS)),
    )


def _size(boundary: tuple[float, ...]) -> Size | None:
    if len(boundary) != 4 or not all(0 < side < LARGEST_SIDE for side in boundary[2:]):
        return None
    return Size(int(boundary[2]), int(boundary[3]))


def _read_axis(field: Field) -> Axis:
    """Older files do not say what an axis means: only heights begin somewhere, and only channels
    are told of one by one.
    """
    entries = tuple(field.all(_AXIS_ENTRY))
    kind = next((meaning for entry in entries if (meaning := entry.whole(_MEANING))), None)
    if kind is None and any(entry.first(_Z_START) for entry in entries):
        kind = AxisKind.Z
    if kind is None and len(entries) > 1:
        kind = AxisKind.CHANNEL
    return Axis(kind, entries)
