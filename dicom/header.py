"""The facts of a stored instance that finding and showing its frames needs."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from dicom.elements import PIXEL_DATA, Element, ElementWalker
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.padding import CREATOR, CREATOR_TAG, PADDED_TAG
from dicom.placeholders import NOMINAL_SPACING_COMMENT
from dicom.window import Window
from tiling.geometry import Size

_EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_UNREADABLE = {
    "1.2.840.10008.1.2.2": "big-endian",
    "1.2.840.10008.1.2.1.99": "deflated",
}
_META_OFFSET = 132
"""After the preamble and its magic (PS3.10 7.1)."""
_LONGEST_FACT = 16384
_MOST_FRAMES = 1 << 24

_TRANSFER_SYNTAX = 0x00020010
_IMAGE_TYPE = 0x00080008
_SOP_CLASS = 0x00080016
_SOP_INSTANCE = 0x00080018
_STUDY = 0x0020000D
_SERIES = 0x0020000E
_IMAGE_COMMENTS = 0x00204000
_ORGANIZATION_TYPE = 0x00209311
_SAMPLES = 0x00280002
_PHOTOMETRIC = 0x00280004
_PLANAR = 0x00280006
_FRAMES = 0x00280008
_ROWS = 0x00280010
_COLUMNS = 0x00280011
_PIXEL_SPACING = 0x00280030
_BITS_ALLOCATED = 0x00280100
_PIXEL_MEASURES = 0x00289110
_MATRIX_COLUMNS = 0x00480006
_MATRIX_ROWS = 0x00480007
_OPTICAL_PATHS = 0x00480302
_FOCAL_PLANES = 0x00480303
_SHARED_GROUPS = 0x52009229
_OFFSETS = 0x7FE00001
_LENGTHS = 0x7FE00002

_FACTS = frozenset(
    {
        _IMAGE_TYPE,
        _SOP_CLASS,
        _SOP_INSTANCE,
        _STUDY,
        _SERIES,
        _IMAGE_COMMENTS,
        _ORGANIZATION_TYPE,
        _SAMPLES,
        _PHOTOMETRIC,
        _PLANAR,
        _FRAMES,
        _ROWS,
        _COLUMNS,
        _BITS_ALLOCATED,
        _MATRIX_COLUMNS,
        _MATRIX_ROWS,
        _OPTICAL_PATHS,
        _FOCAL_PLANES,
        CREATOR_TAG,
    }
)
"""Elements of the dataset's top level whose values are kept."""

_PLACES = frozenset({_SHARED_GROUPS, PADDED_TAG, _OFFSETS, _LENGTHS, PIXEL_DATA})
"""Elements whose places are kept, to be read later if at all."""


@dataclass(frozen=True, slots=True)
class InstanceHeader:
    """What an instance says of itself, as far as its frames are concerned."""

    sop_instance_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
    image_type: tuple[str, ...]
    size: Size
    """The total pixel matrix."""
    tile: Size
    number_of_frames: int
    organization: str | None
    """Dimension Organization Type, e.g. TILED_FULL."""
    optical_paths: int
    focal_planes: int
    photometric: str
    samples_per_pixel: int
    planar_configuration: int
    bits_allocated: int
    pixel_spacing_mm: tuple[float, float] | None
    """Between rows, between columns; None when absent or declared a stand-in."""

    @property
    def encapsulated(self) -> bool:
        return self.transfer_syntax_uid not in (_EXPLICIT_LITTLE_ENDIAN, _IMPLICIT_LITTLE_ENDIAN)


@dataclass(frozen=True, slots=True)
class PixelDataPlace:
    """Where the pixels and the tables of their offsets lie."""

    pixel_data: Element
    extended_offsets: Element | None
    extended_lengths: Element | None
    padded_frames: Element | None


def read_header(window: Window, walker: ElementWalker) -> tuple[InstanceHeader, PixelDataPlace]:
    """Parse up to Pixel Data.

    Raises DamagedInstanceError for what is no sound DICOM file, and UnsupportedInstanceError for
    one that is no whole slide image.
    """
    syntax, start = read_meta(window, walker)
    explicit = is_explicit(syntax)
    values: dict[int, bytes] = {}
    places: dict[int, Element] = {}
    for element in walker.elements(start, explicit=explicit):
        if element.tag in _FACTS:
            values[element.tag] = _value(window, element)
            _require_slide(values)
        elif element.tag in _PLACES:
            places[element.tag] = element
    measured = places.get(_SHARED_GROUPS)
    spacing = _shared_spacing(window, walker, measured, explicit=explicit) if measured else None
    place = PixelDataPlace(
        places[PIXEL_DATA],
        places.get(_OFFSETS),
        places.get(_LENGTHS),
        places.get(PADDED_TAG) if values.get(CREATOR_TAG) == CREATOR else None,
    )
    return _Facts(values).header(syntax, spacing), place


def _require_slide(values: dict[int, bytes]) -> None:
    """Turn away anything else before more of it is read: its SOP class is among the first."""
    if max(values) >= _SOP_CLASS and (
        _text(values.get(_SOP_CLASS, b"")) != VLWholeSlideMicroscopyImageStorage
    ):
        raise UnsupportedInstanceError("The instance is not a whole slide microscopy image.")


def is_explicit(transfer_syntax_uid: str) -> bool:
    """Whether elements name their value representations (PS3.5 A.1 and A.2)."""
    return transfer_syntax_uid != _IMPLICIT_LITTLE_ENDIAN


def read_meta(window: Window, walker: ElementWalker) -> tuple[str, int]:
    """The transfer syntax, and where the dataset begins: after the last element of group 2.

    Raises like `read_header`.
    """
    if window.read(0, _META_OFFSET)[128:] != b"DICM":
        raise DamagedInstanceError("The object is not a DICOM file.")
    syntax = None
    offset = _META_OFFSET
    while window.read(offset, 2) == b"\x02\x00":
        element = next(walker.elements(offset, explicit=True))
        if element.tag == _TRANSFER_SYNTAX:
            syntax = _text(_value(window, element))
        offset = element.offset + element.length
    if syntax is None:
        raise DamagedInstanceError("The file does not name its transfer syntax.")
    if syntax in _UNREADABLE:
        raise UnsupportedInstanceError(f"The dataset is {_UNREADABLE[syntax]}; transcode it.")
    if not re.fullmatch(r"[0-9.]{1,64}", syntax):
        raise DamagedInstanceError("The file's transfer syntax is not a UID.")
    return syntax, offset


def _shared_spacing(
    window: Window, walker: ElementWalker, groups: Element, *, explicit: bool
) -> tuple[float, float] | None:
    """Pixel Spacing in the Pixel Measures of the Shared Functional Groups."""
    for group in _first_item(walker, groups, explicit=explicit):
        if group.tag == _PIXEL_MEASURES:
            for measure in _first_item(walker, group, explicit=explicit):
                if measure.tag == _PIXEL_SPACING:
                    return _spacing(_text(_value(window, measure)))
    return None


def _first_item(walker: ElementWalker, sequence: Element, *, explicit: bool) -> Iterable[Element]:
    return walker.item(sequence.offset, explicit=explicit) if sequence.length else ()


def _spacing(text: str) -> tuple[float, float] | None:
    try:
        between_rows, between_columns = (float(value) for value in text.split("\\"))
    except ValueError:
        return None
    if not (0 < between_rows < math.inf and 0 < between_columns < math.inf):
        return None
    return between_rows, between_columns


def _value(window: Window, element: Element) -> bytes:
    if element.length > _LONGEST_FACT:
        raise DamagedInstanceError(f"Element {element.tag:08X} is {element.length} bytes long.")
    return window.read(element.offset, element.length)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace").strip(" \0")


class _Facts:
    """Typed look-ups in raw values: absent falls back, unreadable is damage."""

    def __init__(self, values: dict[int, bytes]) -> None:
        self._values = values

    def header(self, syntax: str, spacing: tuple[float, float] | None) -> InstanceHeader:
        tile = Size(self._count(_COLUMNS), self._count(_ROWS))
        comments = self._string(_IMAGE_COMMENTS, "")
        return InstanceHeader(
            sop_instance_uid=self._string(_SOP_INSTANCE),
            study_uid=self._string(_STUDY),
            series_uid=self._string(_SERIES),
            transfer_syntax_uid=syntax,
            image_type=tuple(filter(None, self._string(_IMAGE_TYPE, "").split("\\"))),
            size=Size(
                self._count(_MATRIX_COLUMNS, tile.columns), self._count(_MATRIX_ROWS, tile.rows)
            ),
            tile=tile,
            number_of_frames=self._frames(),
            organization=self._string(_ORGANIZATION_TYPE, "") or None,
            optical_paths=self._count(_OPTICAL_PATHS, 1),
            focal_planes=self._count(_FOCAL_PLANES, 1),
            photometric=self._string(_PHOTOMETRIC),
            samples_per_pixel=self._count(_SAMPLES),
            planar_configuration=self._number(_PLANAR, 0),
            bits_allocated=self._count(_BITS_ALLOCATED),
            pixel_spacing_mm=None if NOMINAL_SPACING_COMMENT in comments else spacing,
        )

    def _frames(self) -> int:
        text = self._string(_FRAMES, "1")
        if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) > 0):
            raise DamagedInstanceError("The number of frames is not a number.")
        if int(text) > _MOST_FRAMES:
            raise UnsupportedInstanceError(f"{text} frames are more than {_MOST_FRAMES}.")
        return int(text)

    def _string(self, tag: int, absent: str | None = None) -> str:
        value = self._values.get(tag)
        if value is not None:
            return _text(value)
        if absent is None:
            raise DamagedInstanceError(f"The instance lacks element {tag:08X}.")
        return absent

    def _count(self, tag: int, absent: int | None = None) -> int:
        number = self._number(tag, absent)
        if number <= 0:
            raise DamagedInstanceError(f"Element {tag:08X} is not a positive number.")
        return number

    def _number(self, tag: int, absent: int | None = None) -> int:
        """A US or UL value."""
        value = self._values.get(tag)
        if value is None and absent is not None:
            return absent
        if value is None or len(value) not in (2, 4):
            raise DamagedInstanceError(f"Element {tag:08X} is missing or of the wrong length.")
        return int.from_bytes(value, "little")
