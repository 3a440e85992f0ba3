"""The structure of a dataset in bytes (PS3.5 7), without its meaning.

Made for objects from anywhere: every step moves forward by at least eight bytes, the number of
steps and the depth of nesting are bounded, and no value is read that nobody asked for.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.window import Window

UNDEFINED_LENGTH = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010

LONG_FORM = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""Value representations with a 32-bit length (PS3.5 table 7.1-1)."""
_SHORT_FORM = frozenset(
    (b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN")
) | frozenset((b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"))

MOST_ELEMENTS = 1_000_000
"""More than any header written here; reached within a second or so."""
_DEEPEST = 32


class Element(NamedTuple):
    """Where one element's value lies."""

    tag: int
    """Group and element as one number, 0xGGGGEEEE."""
    representation: bytes
    """Two letters; empty where the transfer syntax leaves it to the dictionary."""
    offset: int
    length: int
    """In bytes, or UNDEFINED_LENGTH."""


class ElementWalker:
    """Walks the elements of one instance, counting its steps."""

    def __init__(self, window: Window, most_elements: int = MOST_ELEMENTS) -> None:
        self._window = window
        self._most = most_elements
        self._steps = 0

    def elements(self, offset: int, *, explicit: bool, end: int | None = None) -> Iterator[Element]:
        """The elements of one dataset from `offset`, in rising order of tag.

        Stops at `end`, at the end of an item of undefined length, or after Pixel Data, whose value
        is left alone. Raises DamagedInstanceError where there is no such structure.
        """
        return self._dataset(offset, explicit, end, 0)

    def item(self, offset: int, *, explicit: bool) -> Iterator[Element]:
        """The elements of a sequence's first item; none if it has no item."""
        tag, length = self.item_header(offset)
        if tag == ITEM:
            end = None if length == UNDEFINED_LENGTH else offset + 8 + length
            yield from self._dataset(offset + 8, explicit, end, 1)

    def item_header(self, offset: int) -> tuple[int, int]:
        """Tag and length of an item or delimiter (PS3.5 7.5)."""
        self._count()
        group, element, length = struct.unpack("<HHI", self._window.read(offset, 8))
        return group << 16 | element, length

    def _dataset(
        self, offset: int, explicit: bool, end: int | None, depth: int
    ) -> Iterator[Element]:
        previous = -1
        while end is None or offset < end:
            element = self._element(offset, explicit)
            if element.tag == ITEM_END and end is None and depth:
                yield element
                return
            if element.tag <= previous or element.tag >> 16 == 0xFFFE:
                raise DamagedInstanceError(
                    f"Element {element.tag:08X} at byte {offset} is out of order."
                )
            previous = element.tag
            yield element
            if element.tag == PIXEL_DATA:
                return
            offset = self._after(element, explicit, depth)
        if end is not None and offset != end:
            raise DamagedInstanceError(f"An element reaches beyond its item at byte {end}.")

    def _element(self, offset: int, explicit: bool) -> Element:
        self._count()
        head = self._window.read(offset, 8)
        group, element = struct.unpack_from("<HH", head)
        tag = group << 16 | element
        if not explicit or group == 0xFFFE:
            return Element(tag, b"", offset + 8, int.from_bytes(head[4:], "little"))
        representation = head[4:6]
        if representation in _SHORT_FORM:
            return Element(tag, representation, offset + 8, int.from_bytes(head[6:], "little"))
        if representation in LONG_FORM:
            length = int.from_bytes(self._window.read(offset + 8, 4), "little")
            return Element(tag, representation, offset + 12, length)
        raise DamagedInstanceError(f"Byte {offset} does not begin a DICOM element.")

    def _after(self, element: Element, explicit: bool, depth: int) -> int:
        """Offset of what follows an element, through its items if its length is undefined."""
        if element.length != UNDEFINED_LENGTH:
            return element.offset + element.length
        if element.representation not in (b"SQ", b"UN", b""):
            raise DamagedInstanceError(f"Element {element.tag:08X} has no length.")
        if depth >= _DEEPEST:
            raise DamagedInstanceError(f"Sequences are nested more than {_DEEPEST} deep.")
        # The content of UN of undefined length is in implicit VR (PS3.5 6.2.2 note 4).
        within = explicit and element.representation == b"SQ"
        offset = element.offset
        while True:
            tag, length = self.item_header(offset)
            offset += 8
            if tag == SEQUENCE_END:
                return offset
            if tag != ITEM:
                raise DamagedInstanceError(f"Byte {offset - 8} does not begin a sequence item.")
            if length != UNDEFINED_LENGTH:
                offset += length
                continue
            for inner in self._dataset(offset, within, None, depth + 1):
                offset = inner.offset
                if inner.tag == PIXEL_DATA:
                    raise DamagedInstanceError("Pixel data lie inside a sequence.")

    def _count(self) -> None:
        self._steps += 1
        if self._steps > self._most:
            raise UnsupportedInstanceError(f"The header has more than {self._most} elements.")
