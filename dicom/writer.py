"""An instance as a stream of bytes: hashed, indexed and written in one pass, memory bounded."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO

import numpy as np
import pydicom
from numpy.typing import NDArray

from dicom.errors import FrameMismatchError, UnsupportedInstanceError
from dicom.hashing import HashingSink
from dicom.padding import padding_elements
from dicom.ports import ByteSink

_EXTENDED_OFFSET_TABLE = (0x7FE0, 0x0001)
_EXTENDED_OFFSET_TABLE_LENGTHS = (0x7FE0, 0x0002)
_PIXEL_DATA = (0x7FE0, 0x0010)
_UNDEFINED_LENGTH = 0xFFFFFFFF
_LONGEST_VALUE = 0xFFFFFFFE
"""A 32-bit length that is even and not the undefined one (PS3.5 7.1)."""
_ITEM_HEADER = struct.Struct("<HHI")


@dataclass(frozen=True, slots=True)
class WrittenInstance:
    """What was written, for the catalogue and for the proof that it can be read back."""

    size_bytes: int
    sha256: str
    """Of the whole object, in hexadecimal."""
    frame_hashes: bytes
    """The SHA-256 of every unpadded frame, 32 bytes each, one after the other."""
    header_bytes: int
    """Before the first frame."""
    header_sha256: str
    """Of those bytes, in hexadecimal."""


def write_instance(
    sink: ByteSink,
    dataset: pydicom.Dataset,
    frame_lengths: NDArray[np.int64],
    frames: Iterable[bytes],
) -> WrittenInstance:
    """Write a DICOM file (PS3.10 7) whose frames' lengths are known before the first is read.

    An encapsulated transfer syntax gets an Extended Offset Table (PS3.3 C.7.6.3.1.8), which also
    holds frames beyond 4 GiB, an empty Basic Offset Table and one fragment for each frame (PS3.5
    A.4). A native one gets the frames one after the other (PS3.5 8.1).

    `frame_lengths` is in bytes, unpadded, shape `(frames,)`. Raises FrameMismatchError when the
    frames differ from it, and UnsupportedInstanceError for what DICOM cannot hold.
    """
    lengths = np.asarray(frame_lengths, dtype=np.int64)
    if int(dataset.NumberOfFrames) != len(lengths) or len(lengths) == 0:
        raise FrameMismatchError(
            f"{dataset.NumberOfFrames} frames are described, but {len(lengths)} announced."
        )
    encapsulated = dataset.file_meta.TransferSyntaxUID.is_encapsulated
    opening = _encapsulated_opening(lengths) if encapsulated else _native_opening(lengths, dataset)
    header = _header(dataset) + opening
    first_item = _item_header(int(lengths[0])) if encapsulated else b""
    hashes = bytearray()
    with HashingSink(sink) as out:
        out.write(header)
        for frame in _checked(frames, lengths):
            hashes += sha256(frame).digest()
            if encapsulated:
                out.write(_item_header(len(frame)))
            out.write(frame)
            if encapsulated and len(frame) % 2:
                out.write(b"\0")
        if encapsulated:
            out.write(_ITEM_HEADER.pack(0xFFFE, 0xE0DD, 0))
        elif int(lengths.sum()) % 2:
            out.write(b"\0")
    return WrittenInstance(
        size_bytes=out.size_bytes,
        sha256=out.hexdigest(),
        frame_hashes=bytes(hashes),
        header_bytes=len(header) + len(first_item),
        header_sha256=sha256(header + first_item).hexdigest(),
    )


def _item_header(frame_bytes: int) -> bytes:
    """What comes before a frame of an encapsulated transfer syntax (PS3.5 A.4)."""
    return _ITEM_HEADER.pack(0xFFFE, 0xE000, frame_bytes + frame_bytes % 2)


def _header(dataset: pydicom.Dataset) -> bytes:
    """Preamble, file meta information and every element before the pixel data."""
    buffer = BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _encapsulated_opening(lengths: NDArray[np.int64]) -> bytes:
    """Which frames are padded, the Extended Offset Table, and the start of Pixel Data.

    Offsets count from the first item after the Basic Offset Table, to each frame's item tag;
    lengths count the padding, as readers in use demand.
    """
    if int(lengths.min()) <= 0 or int(lengths.max()) > _LONGEST_VALUE or len(lengths) > 2**28:
        raise UnsupportedInstanceError("A frame is empty, or longer than an item of DICOM can be.")
    padded = lengths + lengths % 2
    offsets = np.concatenate(([0], np.cumsum(padded[:-1] + _ITEM_HEADER.size)))
    return b"".join(
        (
            padding_elements(lengths),
            _element(_EXTENDED_OFFSET_TABLE, b"OV", 8 * len(lengths)),
            offsets.astype("<u8").tobytes(),
            _element(_EXTENDED_OFFSET_TABLE_LENGTHS, b"OV", 8 * len(lengths)),
            padded.astype("<u8").tobytes(),
            _element(_PIXEL_DATA, b"OB", _UNDEFINED_LENGTH),
            _ITEM_HEADER.pack(0xFFFE, 0xE000, 0),
        )
    )


def _native_opening(lengths: NDArray[np.int64], dataset: pydicom.Dataset) -> bytes:
    total = int(lengths.sum())
    if total > _LONGEST_VALUE - 1:
        raise UnsupportedInstanceError(
            f"{total} bytes of uncompressed pixels are more than DICOM's 4 GiB; compress them."
        )
    # Words where a sample is one (PS3.5 8.2).
    representation = b"OW" if dataset.BitsAllocated > 8 else b"OB"
    return _element(_PIXEL_DATA, representation, total + total % 2)


def _element(tag: tuple[int, int], representation: bytes, length: int) -> bytes:
    """The header of an explicit VR element of the long form (PS3.5 table 7.1-1)."""
    return struct.pack("<HH2s2xI", *tag, representation, length)


def _checked(frames: Iterable[bytes], lengths: NDArray[np.int64]) -> Iterator[bytes]:
    """The frames, as long as each is what was announced."""
    announced = lengths.tolist()
    count = 0
    for frame in frames:
        if count == len(announced):
            raise FrameMismatchError(f"More frames came than the {len(announced)} announced.")
        if len(frame) != announced[count]:
            raise FrameMismatchError(
                f"Frame {count + 1} has {len(frame)} bytes, not the {announced[count]} announced."
            )
        count += 1
        yield frame
    if count != len(announced):
        raise FrameMismatchError(f"{count} frames came, not the {len(announced)} announced.")
