"""Where every frame of a stored instance lies, read from the instance itself.

In order of trust: the Extended Offset Table (PS3.3 C.7.6.3.1.8), the Basic Offset Table (PS3.5
A.4), a walk over the items, and plain arithmetic for native pixel data (PS3.5 8.1).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dicom.elements import (
    ITEM,
    MOST_ELEMENTS,
    SEQUENCE_END,
    UNDEFINED_LENGTH,
    Element,
    ElementWalker,
)
from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.fragments import FRAME_MARK_BYTES, begins_frame
from dicom.header import InstanceHeader, PixelDataPlace, read_header
from dicom.padding import padding_length, parse_padding
from dicom.ports import ByteSource
from dicom.window import Window

_ITEM_HEADER_BYTES = 8
_TABLE_BLOCK_BYTES = 1 << 20

_Table = NDArray[np.int64]
"""Bytes, one number a frame."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """The header's facts and the place of every frame, in bytes from the object's beginning."""

    header: InstanceHeader
    offsets: NDArray[np.int64]
    """Of each frame's first byte, shape `(frames,)`, rising."""
    lengths: NDArray[np.int64]
    """Without padding where the instance tells (our own writer's, native); else even."""
    exact: bool
    """False where a frame may be in several fragments: its span then holds their item headers
    too, from the first fragment's bytes to where the next frame's item begins."""

    @classmethod
    def read(cls, source: ByteSource, most_elements: int = MOST_ELEMENTS) -> Self:
        """Read the index through as few requests as the layout allows.

        Time and memory are bounded whatever the bytes. Raises DamagedInstanceError or
        UnsupportedInstanceError.
        """
        window = Window(source)
        walker = ElementWalker(window, most_elements)
        header, place = read_header(window, walker)
        if header.encapsulated != (place.pixel_data.length == UNDEFINED_LENGTH):
            raise DamagedInstanceError("The pixel data are not encoded as the file says.")
        exact = True
        if not header.encapsulated:
            offsets, lengths = _native(header, place.pixel_data)
        elif place.extended_offsets is not None:
            offsets, lengths = _extended(window, walker, header, place)
        else:
            offsets, lengths, exact = _basic_or_walk(window, walker, header, place.pixel_data)
        end = int(offsets[-1] + lengths[-1])
        if len(source.read(end - 1, 1)) != 1:
            raise DamagedInstanceError("The object ends before its last frame; it was cut short.")
        return cls(header, offsets, lengths, exact)

    def offset(self, frame_index: int) -> tuple[int, int]:
        """`(offset, length)` in bytes; raises IndexError outside the frames."""
        if not 0 <= frame_index < len(self.offsets):
            raise IndexError(f"no frame {frame_index} among {len(self.offsets)}")
        return int(self.offsets[frame_index]), int(self.lengths[frame_index])


def _native(header: InstanceHeader, pixel_data: Element) -> tuple[_Table, _Table]:
    bits = header.tile.area * header.samples_per_pixel * header.bits_allocated
    if bits % 8 or header.photometric == "YBR_FULL_422":
        raise UnsupportedInstanceError("Frames of uncompressed pixels that share bytes.")
    length, count = bits // 8, header.number_of_frames
    if pixel_data.length not in (length * count, length * count + (length * count) % 2):
        raise DamagedInstanceError(
            f"The pixel data have {pixel_data.length} bytes instead of {length * count}."
        )
    lengths = np.full(count, length, dtype=np.int64)
    return pixel_data.offset + np.arange(count, dtype=np.int64) * length, lengths


def _extended(
    window: Window, walker: ElementWalker, header: InstanceHeader, place: PixelDataPlace
) -> tuple[_Table, _Table]:
    if place.extended_offsets is None or place.extended_lengths is None:
        raise DamagedInstanceError("The Extended Offset Table lacks its lengths.")
    offsets = _table(window, place.extended_offsets, header.number_of_frames, 8)
    lengths = _table(window, place.extended_lengths, header.number_of_frames, 8)
    first_item, _ = _basic_offset_table(walker, place.pixel_data)
    # The tables are trusted from here on, so they must describe frames one after the other.
    if offsets[0] != 0 or lengths.min() <= 0:
        raise DamagedInstanceError("The Extended Offset Table does not begin at the first frame.")
    if (np.diff(offsets) < lengths[:-1] + _ITEM_HEADER_BYTES).any():
        raise DamagedInstanceError("The Extended Offset Table's frames overlap.")
    if place.padded_frames is not None:
        lengths = lengths - _padding(window, place.padded_frames, header.number_of_frames)
    return offsets + first_item + _ITEM_HEADER_BYTES, lengths


def _padding(window: Window, element: Element, frames: int) -> _Table:
    """Bytes of padding after each frame, as our own writer says."""
    if element.length != padding_length(frames):
        raise DamagedInstanceError("The list of padded frames does not fit the frames.")
    return parse_padding(window.read(element.offset, element.length), frames)


def _basic_or_walk(
    window: Window, walker: ElementWalker, header: InstanceHeader, pixel_data: Element
) -> tuple[_Table, _Table, bool]:
    first_item, table_bytes = _basic_offset_table(walker, pixel_data)
    if table_bytes == 0:
        return _walk(window, walker, first_item, header.number_of_frames)
    element = Element(ITEM, b"", first_item - table_bytes, table_bytes)
    offsets = _table(window, element, header.number_of_frames, 4)
    if offsets[0] != 0 or (np.diff(offsets) <= _ITEM_HEADER_BYTES).any():
        raise DamagedInstanceError("The Basic Offset Table's frames overlap.")
    starts = offsets + first_item
    tail, tail_lengths, _ = _walk(window, walker, int(starts[-1]), 1)
    ends = np.append(starts[1:], tail[0] + tail_lengths[0])
    offsets = starts + _ITEM_HEADER_BYTES
    return offsets, ends - offsets, False


def _basic_offset_table(walker: ElementWalker, pixel_data: Element) -> tuple[int, int]:
    """Offset of the first item after the table, and the table's length in bytes."""
    tag, length = walker.item_header(pixel_data.offset)
    if tag != ITEM or length == UNDEFINED_LENGTH:
        raise DamagedInstanceError("The pixel data do not begin with an offset table.")
    return pixel_data.offset + _ITEM_HEADER_BYTES + length, length


def _walk(
    window: Window, walker: ElementWalker, first_item: int, count: int
) -> tuple[_Table, _Table, bool]:
    """Frames by their items: one item each, or every item when there is but one frame.

    Of several fragments a frame beside other frames, the first tells by its beginning. The last of
    what is returned is whether every item is a frame.
    """
    begins, ends = _items(walker, first_item)
    exact = len(begins) == count
    if count == 1 and begins:
        begins, ends = begins[:1], ends[-1:]
    if len(begins) > count:
        firsts = [
            number
            for number, (begin, end) in enumerate(zip(begins, ends, strict=True))
            if begins_frame(window.read(begin, min(end - begin, FRAME_MARK_BYTES)))
        ]
        if len(firsts) != count or firsts[0] != 0:
            raise UnsupportedInstanceError("Frames in several fragments without an offset table.")
        ends = [ends[following - 1] for following in (*firsts[1:], len(ends))]
        begins = [begins[number] for number in firsts]
    offsets = np.array(begins, dtype=np.int64)
    lengths = np.array(ends, dtype=np.int64) - offsets
    if len(begins) < count or lengths.min() == 0:
        raise DamagedInstanceError(f"{len(begins)} frames are there instead of {count}.")
    return offsets, lengths, exact


def _items(walker: ElementWalker, offset: int) -> tuple[list[int], list[int]]:
    """Beginning and end of every item's value, up to the sequence's end."""
    begins: list[int] = []
    ends: list[int] = []
    while True:
        tag, length = walker.item_header(offset)
        if tag == SEQUENCE_END:
            return begins, ends
        if tag != ITEM or length == UNDEFINED_LENGTH:
            raise DamagedInstanceError(f"Byte {offset} does not begin a frame.")
        begins.append(offset + _ITEM_HEADER_BYTES)
        offset += _ITEM_HEADER_BYTES + length
        ends.append(offset)


def _table(window: Window, element: Element, count: int, width: int) -> _Table:
    """`count` little-endian unsigned numbers of `width` bytes; none may exceed 60 bits."""
    if element.length != count * width:
        raise DamagedInstanceError(
            f"An offset table has {element.length} bytes instead of {count * width}."
        )
    blocks = [
        window.read(element.offset + begin, min(_TABLE_BLOCK_BYTES, element.length - begin))
        for begin in range(0, element.length, _TABLE_BLOCK_BYTES)
    ]
    numbers = np.frombuffer(b"".join(blocks), dtype=f"<u{width}")
    if int(numbers.max()) >= 1 << 60:
        raise DamagedInstanceError("An offset table points beyond any object.")
    return numbers.astype(np.int64)
