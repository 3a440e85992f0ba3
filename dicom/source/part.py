"""One file of a slide, open: its facts, its frames as they are stored, and where they lie."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom

from dicom.errors import DamagedInstanceError, UnsupportedInstanceError
from dicom.fragments import TAIL_BYTES, padding_after
from dicom.frame_index import FrameIndex
from dicom.header import InstanceHeader
from dicom.reader import Instance
from dicom.source.files import PathSource
from dicom.source.header_dataset import read_header_dataset
from dicom.source.per_frame import FramePositions, read_positions
from tiling.errors import SlideTooLargeError
from tiling.geometry import Size, TileGrid
from tiling.slide import AssociatedKind, PixelFormat

_MOST_ELEMENTS = 1 << 25
"""Elements and items of a header: those of a million frames whose groups have no lengths."""
_MOST_FRAMES = 1 << 22
_ITEM_HEADER_BYTES = 8
VOLUME = "VOLUME"
ASSOCIATED = {
    "LABEL": AssociatedKind.LABEL,
    "OVERVIEW": AssociatedKind.OVERVIEW,
    "THUMBNAIL": AssociatedKind.THUMBNAIL,
}
"""Image Type value 3 (PS3.3 C.8.12.4.1.1)."""
LOCALIZERS = frozenset({"LOCALIZER", "REGIONLOCALIZER"})
"""What older software calls a picture of the glass: an overview, or else of the tissue alone."""
BESIDE = frozenset(ASSOCIATED) | LOCALIZERS
"""Images that are no levels."""
_FRAME_BYTES_BEYOND_RAW = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """An instance; as safe for threads as reading by offset is."""

    name: str
    """Of the file."""
    source: PathSource
    instance: Instance
    dataset: pydicom.Dataset
    """The header without pixels and bulk, all converted."""
    positions: FramePositions | None
    """None where the frames' order tells."""
    pixel_format: PixelFormat

    @classmethod
    def open(cls, path: Path) -> "Part":
        """Raises DicomError or TilingError; the file is closed then."""
        source = PathSource(path)
        try:
            return cls._read(path.name, source)
        except BaseException:
            source.close()
            raise

    @classmethod
    def _read(cls, name: str, source: PathSource) -> "Part":
        instance = Instance(source, FrameIndex.read(source, _MOST_ELEMENTS))
        frames = instance.header.number_of_frames
        if frames > _MOST_FRAMES:
            raise SlideTooLargeError("The file has more frames than any slide; it is refused.")
        read = read_header_dataset(source, _MOST_ELEMENTS)
        positions = None
        if read.per_frame_groups is not None and not _is_full(instance.header):
            positions = read_positions(
                source, read.per_frame_groups, frames, explicit=read.explicit
            )
        pixels = _pixel_format(instance.header, read.dataset)
        return cls(name, source, instance, read.dataset, positions, pixels)

    @property
    def header(self) -> InstanceHeader:
        return self.instance.header

    @property
    def role(self) -> str:
        """Image Type value 3: VOLUME where the file does not say."""
        return (*self.header.image_type[2:3], VOLUME)[0]

    @property
    def grid(self) -> TileGrid:
        """The total pixel matrix in tiles.

        A label or the like is a single frame, whatever the matrix of the slide (C.7.6.17.3).
        """
        size, tile = self.header.size, self.header.tile
        if self.role in BESIDE and self.frames == 1:
            size = Size(min(size.columns, tile.columns), min(size.rows, tile.rows))
        return TileGrid(size, tile)

    @property
    def frames(self) -> int:
        return self.header.number_of_frames

    def number(self, keyword: str) -> int | None:
        """A whole number of the header's top level; None where it has none."""
        value = self.dataset.get(keyword)
        return int(value) if isinstance(value, int | np.integer) else None

    def text(self, keyword: str) -> str | None:
        return text_of(self.dataset, keyword)

    def shared(self, keyword: str) -> pydicom.Dataset | None:
        """The item of a functional group that all frames share."""
        groups = first_item(self.dataset, "SharedFunctionalGroupsSequence")
        return None if groups is None else first_item(groups, keyword)

    def frame(self, frame_index: int) -> bytes:
        """The bytes of a frame without what was put between fragments and after its end.

        Raises IndexError outside the frames and DamagedInstanceError where they are not whole.
        """
        _, length = self.instance.index.offset(frame_index)
        raw = self.header.tile.area * self.pixel_format.bytes_per_pixel
        if length > 8 * raw + _FRAME_BYTES_BEYOND_RAW:
            raise DamagedInstanceError("A frame has many times the bytes of its pixels.")
        data = self.instance.frame(frame_index)
        if not self.header.encapsulated:
            return data
        return data[: len(data) - padding_after(data[-TAIL_BYTES:])]

    def frame_bytes(self, frame_index: int) -> int:
        """Bytes of what `frame` gives, read without the frame itself."""
        index = self.instance.index
        offset, length = index.offset(frame_index)
        if not self.header.encapsulated:
            return length
        if not index.exact:
            item = self.source.read(offset - _ITEM_HEADER_BYTES, _ITEM_HEADER_BYTES)
            if int.from_bytes(item[4:], "little") != length:
                return len(self.frame(frame_index))
        tail = min(length, TAIL_BYTES)
        return length - padding_after(self.source.read(offset + length - tail, tail))


def first_item(dataset: pydicom.Dataset, keyword: str) -> pydicom.Dataset | None:
    """The first item of a sequence; None where there is none."""
    found = items(dataset, keyword)
    return found[0] if found else None


def items(dataset: pydicom.Dataset, keyword: str) -> list[pydicom.Dataset]:
    value: Any = dataset.get(keyword)
    return list(value) if isinstance(value, pydicom.Sequence) else []


def text_of(dataset: pydicom.Dataset, keyword: str) -> str | None:
    """One line of text, several values side by side; None where nothing is said."""
    value: Any = dataset.get(keyword)
    if value is None or isinstance(value, bytes | pydicom.Sequence):
        return None
    several = isinstance(value, list | tuple | pydicom.multival.MultiValue)
    words = " ".join(str(one) for one in (value if several else [value])).split()
    return " ".join(words) or None


def number_of(dataset: pydicom.Dataset, keyword: str) -> float | None:
    """A finite number above zero; None where none is said."""
    value: Any = dataset.get(keyword)
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 < number < float("inf") else None


def _is_full(header: InstanceHeader) -> bool:
    return header.organization == "TILED_FULL"


def _pixel_format(header: InstanceHeader, dataset: pydicom.Dataset) -> PixelFormat:
    """Raises UnsupportedInstanceError for pixels that are neither colours nor grey values."""
    stored: Any = dataset.get("BitsStored", header.bits_allocated)
    if header.photometric == "PALETTE COLOR":
        raise UnsupportedInstanceError("The pixels are entries of a palette.")
    if header.samples_per_pixel not in (1, 3):
        raise UnsupportedInstanceError(f"The pixels have {header.samples_per_pixel} samples.")
    if header.bits_allocated not in (8, 16) or dataset.get("PixelRepresentation", 0) != 0:
        raise UnsupportedInstanceError("The samples are not whole numbers of 8 or 16 bits.")
    if not isinstance(stored, int) or not 1 <= stored <= header.bits_allocated:
        raise DamagedInstanceError("The samples have an impossible number of bits.")
    # Samples that take two bytes each are 16-bit numbers here, however few bits count.
    bits = max(stored, 9) if header.bits_allocated == 16 else stored
    return PixelFormat(header.samples_per_pixel, bits)
