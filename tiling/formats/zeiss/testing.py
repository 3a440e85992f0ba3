"""Writes CZI files, subblock by subblock, as a microscope's software does."""

import io
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from tiling.codecs import jpeg
from tiling.slide import Samples

UNCOMPRESSED, JPEG, JPEG_XR, ZSTD, ZSTD_WITH_HEADER = 0, 1, 4, 5, 6
LOSSLESS = (UNCOMPRESSED, JPEG_XR, ZSTD, ZSTD_WITH_HEADER)
_PIXEL_TYPES = {(1, 1): 0, (1, 2): 1, (3, 1): 3, (3, 2): 4}
"""By samples and bytes of a sample."""
_ALIGNMENT = 32


@dataclass(frozen=True, slots=True)
class WrittenSubblock:
    """An image, its place and what is said of it."""

    samples: Samples
    """`(rows, columns, samples)`, red first."""
    x: int = 0
    y: int = 0
    places: Mapping[str, int] = field(default_factory=dict)
    """By the letter of the dimension."""
    downsample: int = 1
    size: tuple[int, int] | None = None
    """Columns and rows that it takes, where they are not `downsample` times its own."""
    compression: int = UNCOMPRESSED
    data: bytes | None = None
    """The pixels' bytes, where they are not the samples'."""
    pixel_type: int | None = None
    schema: bytes = b"DV"
    part: int = 0
    metadata: bytes = b"<METADATA/>"


@dataclass(frozen=True, slots=True)
class WrittenAttachment:
    """A file within the file."""

    name: str
    kind: str
    """ "JPG" or "CZI"."""
    data: bytes


def write_czi(
    path: Path,
    subblocks: Sequence[WrittenSubblock],
    *,
    document: str = "<ImageDocument/>",
    attachments: Sequence[WrittenAttachment] = (),
    hole: int = 0,
    part: int = 0,
    unfinished: int = 0,
) -> None:
    """Write one file; `hole` bytes that take no room on the disk lie before the subblocks."""
    with path.open("wb") as file:
        _write(file, subblocks, document, attachments, hole, part, unfinished)


def make_czi(subblocks: Sequence[WrittenSubblock]) -> bytes:
    """A file as bytes, to be attached to another one."""
    file = io.BytesIO()
    _write(file, subblocks, "<ImageDocument/>", (), 0, 0, 0)
    return file.getvalue()


def pack_samples(samples: Samples, compression: int) -> bytes:
    """An image as the bytes of a subblock."""
    ordered = samples[:, :, ::-1] if samples.shape[2] == 3 else samples
    raw = np.ascontiguousarray(ordered, samples.dtype.newbyteorder("<")).tobytes()
    flat = np.ascontiguousarray(samples if samples.shape[2] == 3 else samples[:, :, 0])
    if compression == JPEG:
        return bytes(imagecodecs.jpeg8_encode(flat, 95))
    if compression == JPEG_XR:
        return bytes(imagecodecs.jpegxr_encode(flat, level=1.0))
    if compression == ZSTD:
        return bytes(imagecodecs.zstd_encode(raw))
    if compression == ZSTD_WITH_HEADER:
        if samples.itemsize == 1:
            return b"\1" + bytes(imagecodecs.zstd_encode(raw))
        apart = np.frombuffer(raw, np.uint8).reshape(-1, 2).T.tobytes()
        return b"\3\1\1" + bytes(imagecodecs.zstd_encode(apart))
    return raw


def unpacked(samples: Samples, compression: int) -> Samples:
    """What a reader is to give for an image: itself, but for what JPEG takes away."""
    if compression != JPEG:
        return samples
    return jpeg.decode(pack_samples(samples, JPEG))[:, :, : samples.shape[2]]


def _write(
    file: BinaryIO,
    subblocks: Sequence[WrittenSubblock],
    document: str,
    attachments: Sequence[WrittenAttachment],
    hole: int,
    part: int,
    unfinished: int,
) -> None:
    _put(file, b"ZISRAWFILE", bytes(512))
    file.seek(file.tell() + hole)
    entries = [_put_subblock(file, subblock) for subblock in subblocks]
    directory = _put(
        file,
        b"ZISRAWDIRECTORY",
        struct.pack("<i124x", len(entries)) + b"".join(entries),
    )
    xml = document.encode()
    metadata = _put(file, b"ZISRAWMETADATA", struct.pack("<ii248x", len(xml), 0) + xml)
    attached = [_put_attachment(file, attachment) for attachment in attachments]
    listed = (
        _put(file, b"ZISRAWATTDIR", struct.pack("<i252x", len(attached)) + b"".join(attached))
        if attached
        else 0
    )
    header = struct.pack(
        "<iiii16s16siqqiq", 1, 0, 0, 0, b"primary", b"file", part, directory, metadata,
        unfinished, listed,
    )  # fmt: skip
    file.seek(32)
    file.write(header)


def _put(file: BinaryIO, name: bytes, payload: bytes) -> int:
    """Add a segment, and tell where it begins."""
    position = file.tell()
    allocated = -(-len(payload) // _ALIGNMENT) * _ALIGNMENT
    file.write(struct.pack("<16sqq", name, allocated, len(payload)))
    file.write(payload.ljust(allocated, b"\0"))
    return position


def _put_subblock(file: BinaryIO, subblock: WrittenSubblock) -> bytes:
    """Add an image, and give its entry for the directory."""
    entry = _entry(subblock, file.tell())
    data = subblock.data
    if data is None:
        data = pack_samples(subblock.samples, subblock.compression)
    sizes = struct.pack("<iiq", len(subblock.metadata), 0, len(data))
    _put(file, b"ZISRAWSUBBLOCK", (sizes + entry).ljust(256, b"\0") + subblock.metadata + data)
    return entry


def _entry(subblock: WrittenSubblock, position: int) -> bytes:
    rows, columns, samples = subblock.samples.shape
    factor = subblock.downsample
    across, down = subblock.size or (columns * factor, rows * factor)
    axes = [("X", subblock.x, across, columns), ("Y", subblock.y, down, rows)]
    axes += [(name, place, 1, 1) for name, place in subblock.places.items()]
    kind = subblock.pixel_type
    if kind is None:
        kind = _PIXEL_TYPES[samples, subblock.samples.itemsize]
    fixed = struct.pack(
        "<2siqii6xi",
        subblock.schema,
        kind,
        position,
        subblock.part,
        subblock.compression,
        len(axes),
    )
    return fixed + b"".join(
        struct.pack("<4siifi", name.encode(), start, size, 0, stored)
        for name, start, size, stored in axes
    )


def _put_attachment(file: BinaryIO, attachment: WrittenAttachment) -> bytes:
    """Add an attachment, and give its entry for the directory."""
    entry = struct.pack(
        "<2s10xqi16x8s80s", b"A1", file.tell(), 0, attachment.kind.encode(),
        attachment.name.encode(),
    )  # fmt: skip
    header = struct.pack("<q8x", len(attachment.data)) + entry
    _put(file, b"ZISRAWATTACH", header.ljust(256, b"\0") + attachment.data)
    return entry
