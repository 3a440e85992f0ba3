"""The header of a file as a pydicom dataset, bounded whatever the bytes: no pixels and no bulk."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag

from dicom.elements import LONG_FORM, PIXEL_DATA, Element, ElementWalker
from dicom.errors import DamagedInstanceError
from dicom.header import is_explicit, read_meta
from dicom.ports import ByteSource
from dicom.source.items import walk_dataset
from dicom.window import Window

_LONGEST_VALUE = 1 << 16
_LONGEST_OPTICS = 1 << 24
"""Bytes of Optical Path Sequence, which holds colour profiles."""
_MOST_BYTES = 1 << 25
_MOST_VALUES = 20_000
_MOST_ELEMENTS = 4096
_OPTICAL_PATHS = 0x00480105
_PER_FRAME_GROUPS = 0x52009230
_BULK = frozenset(
    {0x00282000, 0x00281201, 0x00281202, 0x00281203, 0x00281221, 0x00281222, 0x00281223}
)
"""ICC Profile and palettes, the only values that may be longer than the rest."""


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What lies before the frames' own functional groups and the pixels."""

    dataset: pydicom.Dataset
    """Every value converted; what cannot be, and what is too long, is left out."""
    per_frame_groups: Element | None
    explicit: bool


def read_header_dataset(source: ByteSource, most_elements: int) -> Header:
    """Raises DamagedInstanceError or UnsupportedInstanceError where there is no sound header."""
    window = Window(source)
    walker = ElementWalker(window, most_elements)
    syntax, start = read_meta(window, walker)
    explicit = is_explicit(syntax)
    kept = _Kept(explicit=explicit)
    groups = None
    for element, begin, end in _elements(walker, start, explicit=explicit):
        if element.tag == _PER_FRAME_GROUPS:
            groups = element
        elif kept.has_room_for(element, end - begin):
            kept.add(window.read(begin, end - begin))
    return Header(_parse(kept.data, explicit=explicit), groups, explicit)


def _elements(
    walker: ElementWalker, start: int, *, explicit: bool
) -> Iterator[tuple[Element, int, int]]:
    """Each element up to the functional groups of frames or the pixels, with where its header
    begins and its value ends; the end is not looked for of the last one.
    """
    waiting: tuple[Element, int] | None = None
    for element in walker.elements(start, explicit=explicit):
        header_bytes = 12 if explicit and element.representation in LONG_FORM else 8
        begin = element.offset - header_bytes
        if waiting is not None:
            yield *waiting, begin
        if element.tag == _PER_FRAME_GROUPS:
            yield element, begin, begin
        if element.tag in (_PER_FRAME_GROUPS, PIXEL_DATA):
            return
        waiting = element, begin


class _Kept:
    """The bytes of elements that pydicom may be given: few, short and not deeply nested."""

    def __init__(self, *, explicit: bool) -> None:
        self._explicit = explicit
        self._parts: list[bytes] = []
        self._bytes = 0
        self._values = 0

    @property
    def data(self) -> bytes:
        return b"".join(self._parts)

    def has_room_for(self, element: Element, length: int) -> bool:
        longest = _LONGEST_OPTICS if element.tag == _OPTICAL_PATHS else _LONGEST_VALUE
        # What is of unknown representation is parsed by the dictionary, were it a sequence.
        unknown = element.representation == b"UN" and not element.tag >> 16 & 1
        return (
            length <= longest
            and not unknown
            and len(self._parts) < _MOST_ELEMENTS
            and self._bytes + length <= _MOST_BYTES
        )

    def add(self, raw: bytes) -> None:
        """Keep an element, unless it is broken or holds more than any honest one."""
        seen = 0
        modest = True

        def visit(tag: int, begin: int, end: int) -> None:
            nonlocal seen, modest
            seen += 1
            modest = modest and (end - begin <= _LONGEST_VALUE or tag in _BULK)

        try:
            walk_dataset(raw, explicit=self._explicit, visit=visit)
        except DamagedInstanceError:
            return
        self._values += seen
        if modest and self._values <= _MOST_VALUES:
            self._parts.append(raw)
            self._bytes += len(raw)


def _parse(data: bytes, *, explicit: bool) -> pydicom.Dataset:
    """Values are converted now, while it is known what to do with one that cannot be."""
    # pydicom warns of every value that a scanner did not write by the book.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            dataset = read_dataset(BytesIO(data), not explicit, True)
            for tag in list(dataset.keys()):
                try:
                    for _ in _converted(dataset, tag):
                        pass
                except Exception:  # noqa: BLE001 - pydicom's, for whatever the value is
                    del dataset[tag]
        except Exception as error:
            raise DamagedInstanceError("The header cannot be read.") from error
    return dataset


def _converted(dataset: pydicom.Dataset, tag: BaseTag) -> Iterator[object]:
    """Every value below an element, converted by being looked at."""
    element = dataset[tag]
    yield element.value
    if element.VR == "SQ":
        for item in element.value:
            for inner in list(item.keys()):
                yield from _converted(item, inner)
