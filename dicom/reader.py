"""A stored instance: its facts, its frames, its whole header."""

from dataclasses import dataclass
from typing import Self

from dicom.errors import DamagedInstanceError
from dicom.frame_index import FrameIndex
from dicom.header import InstanceHeader
from dicom.ports import ByteSource

_ITEM_HEADER_BYTES = 8
_ITEM_TAG = b"\xfe\xff\x00\xe0"


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An instance open for reading; as safe for threads as its source is."""

    source: ByteSource
    index: FrameIndex

    @classmethod
    def open(cls, source: ByteSource) -> Self:
        """Raises DamagedInstanceError or UnsupportedInstanceError."""
        return cls(source, FrameIndex.read(source))

    @property
    def header(self) -> InstanceHeader:
        return self.index.header

    def frame(self, frame_index: int) -> bytes:
        """The bytes of a frame as stored, in one request.

        Raises IndexError outside the frames, DamagedInstanceError where they end early.
        """
        offset, length = self.index.offset(frame_index)
        if self.index.exact:
            return self._read(offset, length)
        return _joined(self._read(offset - _ITEM_HEADER_BYTES, length + _ITEM_HEADER_BYTES))

    def _read(self, offset: int, length: int) -> bytes:
        data = self.source.read(offset, length)
        if len(data) != length:
            raise DamagedInstanceError(f"The object ends within the frame at byte {offset}.")
        return data


def _joined(span: bytes) -> bytes:
    """The fragments of one frame without their item headers (PS3.5 A.4)."""
    fragments = []
    position = 0
    while position < len(span):
        header = span[position : position + _ITEM_HEADER_BYTES]
        length = int.from_bytes(header[4:], "little")
        position += _ITEM_HEADER_BYTES
        if header[:4] != _ITEM_TAG or position + length > len(span):
            raise DamagedInstanceError("The offset table does not point at a frame.")
        fragments.append(span[position : position + length])
        position += length
    return b"".join(fragments)
