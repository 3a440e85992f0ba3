"""A stored instance told anew: another beginning in front of the same frames.

The object in the store never changes. What is sent is the header that is made here, followed by
the stored bytes from the first frame on; all that is not about whose slide it is stays bit for bit.
"""

import struct
from collections.abc import Iterator
from io import BytesIO

import pydicom
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from dicom.elements import LONG_FORM, PIXEL_DATA, ElementWalker
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.header import is_explicit, read_meta
from dicom.models.told import Told, ToldUids
from dicom.modules.told import is_replaced, told_attributes
from dicom.window import Window

_MOST_ELEMENTS = 100_000
_META_OFFSET = 132
_META_LENGTH_BYTES = 12
"""Of File Meta Information Group Length (0002,0000), which comes first."""
_INSTANCE_IN_META = 0x00020003
_CHARACTER_SET = 0x00080005
_UTF8 = b"ISO_IR 192"


class _Bytes:
    """Bytes in memory, as a source."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset : offset + length]


def told_header(header: bytes, told: Told, uids: ToldUids) -> bytes:
    """The beginning of a stored instance, up to its first frame, as it is told.

    Raises DamagedInstanceError for what is no such beginning, and UnsupportedInstanceError for one
    that was not written here.
    """
    window = Window(_Bytes(header))
    walker = ElementWalker(window, _MOST_ELEMENTS)
    syntax, start = read_meta(window, walker)
    if not is_explicit(syntax):
        raise UnsupportedInstanceError("The dataset does not name its representations.")
    new = dict(_raw_elements(told_attributes(told, uids)))
    parts = [_meta(header, start, uids.instance)]
    for tag, begin, end in _places(walker, start, len(header)):
        parts += [new.pop(earlier) for earlier in [each for each in new if each < tag]]
        if tag == _CHARACTER_SET and header[begin:end].rstrip(b" \0")[8:] != _UTF8:
            raise UnsupportedInstanceError("The dataset's text is not in UTF-8.")
        if not is_replaced(tag, told):
            parts.append(header[begin:end])
        if tag in new:
            parts.append(new.pop(tag))
    return b"".join(parts)


def _places(walker: ElementWalker, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Tag, first byte and end of each element of the dataset; Pixel Data as far as it is there."""
    waiting: tuple[int, int] | None = None
    for element in walker.elements(start, explicit=True):
        head = 12 if element.representation in LONG_FORM else 8
        begin = element.offset - head
        if waiting is not None:
            yield *waiting, begin
        waiting = element.tag, begin
        if element.tag == PIXEL_DATA:
            break
    if waiting is None or waiting[0] != PIXEL_DATA:
        raise DamagedInstanceError("The header ends before the pixels.")
    yield *waiting, end


def _raw_elements(dataset: pydicom.Dataset) -> Iterator[tuple[int, bytes]]:
    """Each element as bytes, in rising order of tag."""
    dataset.SpecificCharacterSet = _UTF8.decode()
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_dataset(buffer, dataset)
    data = buffer.getvalue()
    walker = ElementWalker(Window(_Bytes(data)), _MOST_ELEMENTS)
    elements = list(walker.elements(0, explicit=True, end=len(data)))
    begins = [each.offset - (12 if each.representation in LONG_FORM else 8) for each in elements]
    for element, begin, end in zip(elements, begins, [*begins[1:], len(data)], strict=True):
        if element.tag != _CHARACTER_SET:
            yield element.tag, data[begin:end]


def _meta(header: bytes, end: int, instance_uid: str) -> bytes:
    """Preamble and file meta information (PS3.10 7.1) that names the instance."""
    walker = ElementWalker(Window(_Bytes(header[:end])), _MOST_ELEMENTS)
    kept = BytesIO()
    for element in walker.elements(_META_OFFSET + _META_LENGTH_BYTES, explicit=True, end=end):
        begin = element.offset - (12 if element.representation in LONG_FORM else 8)
        if element.tag == _INSTANCE_IN_META:
            value = instance_uid.encode("ascii")
            value += b"\0" * (len(value) % 2)
            kept.write(struct.pack("<HH2sH", 0x0002, 0x0003, b"UI", len(value)) + value)
        else:
            kept.write(header[begin : element.offset + element.length])
    body = kept.getvalue()
    length = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(body))
    return header[:_META_OFFSET] + length + body
