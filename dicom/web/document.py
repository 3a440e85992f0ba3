"""The header of an instance as DICOM JSON (PS3.18 annex F), with bulk data left where they lie.

Read element by element, in bounded time and memory whatever the bytes: no value is taken on trust,
and none that is long is read at all.
"""

import base64
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dicom.elements import (
    ITEM,
    ITEM_END,
    PIXEL_DATA,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    Element,
    ElementWalker,
)
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import read_meta
from dicom.ports import ByteSource
from dicom.window import Window

Document = dict[str, dict[str, Any]]
"""By tag, eight hexadecimal digits: `vr`, and `Value`, `InlineBinary` or `BulkDataURI`."""

BULK = "bulkdata/"
"""What a BulkDataURI begins with, relative to the address of its instance."""
_IMPLICIT = "1.2.840.10008.1.2"
_OURS_FOR_FRAMES = 0x7FDF0010
"""From here on lie the offsets of frames and the frames, which are not metadata."""
_MOST_ELEMENTS = 100_000
_MOST_ITEMS = 10_000
_MOST_BYTES = 8 << 20
_DEEPEST = 12
_LONGEST_INLINE = 1024
"""Holds a palette of 256 colours, which viewers do not fetch."""
_ALWAYS_BULK = frozenset((0x00282000,))
"""ICC Profile, which they do."""
_LONGEST_TEXT = 1 << 16
_BINARY = frozenset((b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"UN"))
_ONE_TEXT = frozenset((b"LT", b"ST", b"UR", b"UT"))
_NUMBERS = {
    b"FD": "d",
    b"FL": "f",
    b"SL": "i",
    b"SS": "h",
    b"SV": "q",
    b"UL": "I",
    b"US": "H",
    b"UV": "Q",
}
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


@dataclass(frozen=True, slots=True)
class BulkPlace:
    """Where a value lies in its object."""

    offset: int
    length: int
    representation: str


def read_document(source: ByteSource) -> Document:
    """All that comes before the frames; Pixel Data as a BulkDataURI alone.

    Raises DamagedInstanceError or UnsupportedInstanceError.
    """
    reading = _Reading(source)
    document = reading.dataset(reading.top(), "", 0)
    document[f"{PIXEL_DATA:08X}"] = {
        "vr": reading.pixel_representation,
        "BulkDataURI": f"{BULK}{PIXEL_DATA:08X}",
    }
    return document


def find_bulk(source: ByteSource, path: str) -> BulkPlace | None:
    """The value that a BulkDataURI of a document names: tags, and numbers of items from 1, with
    dots between. None where there is no such value.
    """
    reading = _Reading(source)
    return reading.find(path.split("."))


def located(document: Document, address: str) -> Document:
    """A document whose BulkDataURIs are absolute, below the address of its instance."""
    return {tag: _located(told, address) for tag, told in document.items()}


def _located(told: dict[str, Any], address: str) -> dict[str, Any]:
    if "BulkDataURI" in told:
        return {**told, "BulkDataURI": f"{address}/{told['BulkDataURI']}"}
    if told["vr"] == "SQ" and "Value" in told:
        return {**told, "Value": [located(item, address) for item in told["Value"]]}
    return told


class _Reading:
    """One pass over a header; counts what it takes."""

    def __init__(self, source: ByteSource) -> None:
        self._window = Window(source)
        self._walker = ElementWalker(self._window, _MOST_ELEMENTS)
        self._bytes_left = _MOST_BYTES
        self._items_left = _MOST_ITEMS
        syntax, self._start = read_meta(self._window, self._walker)
        if syntax == _IMPLICIT:
            raise UnsupportedInstanceError("The dataset does not name its representations.")
        self.pixel_representation = "OB"

    def top(self) -> list[Element]:
        """The elements before those of the frames."""
        found = []
        for element in self._walker.elements(self._start, explicit=True):
            if element.tag >= _OURS_FOR_FRAMES:
                break
            found.append(element)
        return found

    def dataset(self, elements: list[Element], path: str, depth: int) -> Document:
        document: Document = {}
        for element in elements:
            tag = f"{element.tag:08X}"
            if element.tag == 0x00280100 and self._take(element) != b"\x08\x00":
                self.pixel_representation = "OW"
            if element.representation != b"SQ":
                document[tag] = self._told(element, f"{path}{tag}")
                continue
            if depth >= _DEEPEST:
                raise DamagedInstanceError("Sequences are nested too deep.")
            items = [
                self.dataset(item, f"{path}{tag}.{number}.", depth + 1)
                for number, item in enumerate(self._items(element), 1)
            ]
            document[tag] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
        return document

    def find(self, path: list[str]) -> BulkPlace | None:
        elements = self.top()
        for depth in range(0, len(path), 2):
            element = next((e for e in elements if f"{e.tag:08X}" == path[depth]), None)
            if element is None:
                return None
            if depth == len(path) - 1:
                if element.representation == b"SQ" or element.length == UNDEFINED_LENGTH:
                    return None
                return BulkPlace(element.offset, element.length, element.representation.decode())
            items = self._items(element) if element.representation == b"SQ" else []
            number = int(path[depth + 1]) if path[depth + 1].isdecimal() else 0
            if not 1 <= number <= len(items):
                return None
            elements = items[number - 1]
        return None

    def _items(self, sequence: Element) -> list[list[Element]]:
        """The elements of each item of a sequence (PS3.5 7.5)."""
        offset = sequence.offset
        whole = sequence.length != UNDEFINED_LENGTH
        end = offset + sequence.length
        items: list[list[Element]] = []
        while not whole or offset < end:
            tag, length = self._walker.item_header(offset)
            if tag == SEQUENCE_END and not whole:
                break
            self._items_left -= 1
            if tag != ITEM or self._items_left < 0:
                raise DamagedInstanceError("A sequence holds something else than items.")
            elements = list(self._walker.item(offset, explicit=True))
            if length == UNDEFINED_LENGTH:
                offset = elements.pop().offset
            else:
                offset += 8 + length
            items.append([element for element in elements if element.tag != ITEM_END])
        return items

    def _told(self, element: Element, path: str) -> dict[str, Any]:
        kind = element.representation
        told: dict[str, Any] = {"vr": kind.decode("ascii")}
        if element.length in (0, UNDEFINED_LENGTH):
            return told
        longest = _LONGEST_INLINE if kind in _BINARY else _LONGEST_TEXT
        if element.length > longest or element.tag in _ALWAYS_BULK:
            return {**told, "BulkDataURI": BULK + path}
        value = self._take(element)
        if kind in _BINARY:
            return {**told, "InlineBinary": base64.b64encode(value).decode("ascii")}
        values = _values(kind, value)
        return {**told, "Value": values} if any(each is not None for each in values) else told

    def _take(self, element: Element) -> bytes:
        self._bytes_left -= element.length
        if self._bytes_left < 0 or element.length > _LONGEST_TEXT:
            raise UnsupportedInstanceError("The header has more values than any that is written.")
        return self._window.read(element.offset, element.length)


def _values(kind: bytes, value: bytes) -> list[Any]:
    if kind in _NUMBERS:
        size = struct.calcsize(_NUMBERS[kind])
        count = len(value) // size
        numbers = struct.unpack(f"<{count}{_NUMBERS[kind]}", value[: count * size])
        return [each if math.isfinite(each) else None for each in numbers]
    if kind == b"AT":
        pairs = struct.iter_unpack("<HH", value[: len(value) // 4 * 4])
        return [f"{group:04X}{element:04X}" for group, element in pairs]
    # Every instance that is written here says ISO_IR 192.
    text = value.decode("utf-8", "replace").rstrip(" \0").replace("\0", "\ufffd")
    if kind in _ONE_TEXT:
        return [text or None]
    make = _MAKERS.get(kind, _text)
    return [make(part.strip(" ")) for part in text.split("\\")]


def _text(part: str) -> str | None:
    return part or None


def _name(part: str) -> dict[str, str] | None:
    groups = zip(_NAME_GROUPS, part.split("=", 2), strict=False)
    return {name: group for name, group in groups if group} or None


def _integer(part: str) -> int | None:
    try:
        return int(part) if len(part) <= 12 else None
    except ValueError:
        return None


def _decimal(part: str) -> float | int | None:
    try:
        number = float(part)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() and abs(number) < 1 << 53 else number


_MAKERS: dict[bytes, Callable[[str], Any]] = {b"PN": _name, b"IS": _integer, b"DS": _decimal}
