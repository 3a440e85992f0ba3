"""VSI slides written for tests: what the reader believes of the format, and no more."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs import jpeg
from tiling.downsample import halve
from tiling.formats.olympus.tags import MARK, Field
from tiling.slide import Pixels, Samples

RAW, JPEG, JPEG_2000, JPEG_LOSSLESS, PNG, BMP = 0, 2, 3, 5, 8, 9
TILE = 128
_ENCODERS: Mapping[int, Callable[[NDArray[Any]], bytes]] = {
    RAW: lambda tile: tile.astype(tile.dtype.newbyteorder("<")).tobytes(),
    JPEG: lambda tile: jpeg.encode(np.atleast_3d(tile)) if tile.ndim == 3 else _grey_jpeg(tile),
    JPEG_2000: lambda tile: bytes(imagecodecs.jpeg2k_encode(tile, codecformat="j2k", level=0)),
    JPEG_LOSSLESS: lambda tile: bytes(imagecodecs.ljpeg_encode(tile)),
    PNG: lambda tile: bytes(imagecodecs.png_encode(tile)),
    BMP: lambda tile: bytes(imagecodecs.bmp_encode(tile)),
}


@dataclass(frozen=True)
class WrittenImage:
    """One image: `pixels` by path and plane, all of one shape `(rows, columns, samples)`."""

    pixels: Sequence[Sequence[Samples]]
    stack: int = 1
    name: str = "20x"
    kind: int = 0
    compression: int = JPEG
    levels: int = 3
    channels: Sequence[str] = ()
    z_step_um: float | None = None
    z_axis: int = 1
    """The number of what the second axis counts: 1 for heights, 2 for time."""
    left_out: frozenset[tuple[int, int, int]] = frozenset()
    """`(level, column, row)` that have no tile."""
    origin: tuple[int, int] = (0, 0)
    in_directory: int | None = None
    """Not in a stack of tiles, but in this directory of the VSI."""
    blue_first: bool = False
    more: Sequence[Field] = field(default_factory=list)
    """Further properties."""


def write_vsi(
    path: Path, images: Sequence[WrittenImage], *, thumbnail: Pixels | None = None
) -> Path:
    """Write a slide with its folder of stacks; the VSI's first directory is the thumbnail."""
    root = [
        Field(2, fields=(Field(34, value="VS-ASW"), Field(35, value="2.9"))),
        Field(
            2000,
            0,
            fields=(
                *(_image_field(image) for image in images),
                Field(2004, fields=(Field(2062, fields=(Field(120635, value="26H00123-A1"),)),)),
            ),
        ),
    ]
    tags = encode_volume(root)
    pixels = np.zeros((8, 8, 3), np.uint8) if thumbnail is None else thumbnail
    directory_at = 8 + len(tags)
    path.write_bytes(b"II*\0" + struct.pack("<I", directory_at) + tags)
    with path.open("ab") as file:
        file.write(_directory(pixels, directory_at) + pixels.tobytes())
    for image in images:
        if image.in_directory is None:
            folder = path.with_name(f"_{path.stem}_") / f"stack{image.stack}"
            folder.mkdir(parents=True)
            (folder / "frame_t_0.ets").write_bytes(encode_stack(image))
    return path


def encode_volume(fields: Sequence[Field]) -> bytes:
    """A volume of tags with everything below it."""
    encoded = [_encode_field(one) for one in fields]
    body, at = b"", 24
    for number, (flags, tag, length, rest) in enumerate(encoded):
        at += 16 + len(rest)
        step = at if number + 1 < len(encoded) else 0
        body += struct.pack("<IiII", flags, tag, step, length) + rest
    return struct.pack("<4sIqII", MARK, 0, 24, len(encoded), 0) + body


def _encode_field(one: Field) -> tuple[int, int, int, bytes]:
    flags = 0 if one.index is None else 0x08000000
    index = b"" if one.index is None else struct.pack("<i", one.index)
    if one.fields or one.value == ():
        below = encode_volume(one.fields)
        return flags | 0x10000000, one.tag, len(below), index + below
    if isinstance(one.value, str):
        raw = one.value.encode("utf-16-le") + b"\0\0"
        return flags | 8192, one.tag, len(raw), index + raw
    if all(isinstance(number, int) for number in one.value):
        if len(one.value) == 1:
            return flags | 0x40000000 | 5, one.tag, int(one.value[0]) & 0xFFFFFFFF, index
        raw = struct.pack(f"<{len(one.value)}i", *one.value)
        return flags | 8195, one.tag, len(raw), index + raw
    raw = struct.pack(f"<{len(one.value)}d", *one.value)
    return flags | (10 if len(one.value) == 1 else 260), one.tag, len(raw), index + raw


def _image_field(image: WrittenImage) -> Field:
    rows, columns = image.pixels[0][0].shape[:2]
    frame = (
        Field(
            2018,
            fields=(
                Field(2053, value=(0, 0, columns, rows)),
                Field(2410, value=(*image.origin, 0, 0)),
                Field(20005, value=(1,)),
            ),
        )
        if image.in_directory is None
        else Field(2016, image.in_directory, fields=())
    )
    properties = (
        Field(2030, value=image.name),
        Field(2074, value=(image.kind,)),
        Field(2019, value=(0.25, 0.26)),
        Field(2020, value="10^-6m^1"),
        Field(2015, value=(1773310271,)),
        Field(2043, fields=(_objective, _microscope)),
        *image.more,
    )
    return Field(
        2001,
        image.stack,
        fields=(
            Field(2002, 0, fields=(frame,)),
            Field(2005, fields=properties),
            *_axes(image),
        ),
    )


_objective = Field(
    1, fields=(Field(120114, fields=(Field(120060, value=(20.0,)),)), Field(120130, value=(20000,)))
)
_microscope = Field(
    2,
    fields=(
        Field(120130, value=(40500,)),
        Field(120116, value="VS200"),
        Field(120133, value="Olympus"),
    ),
)


def _axes(image: WrittenImage) -> Iterator[Field]:
    channels = [
        Field(
            2008,
            number,
            fields=(
                Field(2023, value=(4,)),
                Field(2021, value=name),
                Field(2417, fields=_quantity("10^-9m^1", 400.0 + number)),
                Field(2004, fields=(Field(268435458, value=(0, 0, 0, 255, 128, 0)),)),
            ),
        )
        for number, name in enumerate(image.channels)
    ]
    yield Field(2007, 0, fields=tuple(channels))
    step = (
        ()
        if image.z_step_um is None
        else (Field(2013, fields=_quantity("10^-6m^1", image.z_step_um)),)
    )
    yield Field(
        2007, 1, fields=(Field(2008, 0, fields=(Field(2023, value=(image.z_axis,)), *step)),)
    )


def _quantity(unit: str, number: float) -> tuple[Field, ...]:
    return Field(268435456, value=unit), Field(268435458, value=(number,))


def encode_stack(image: WrittenImage) -> bytes:
    """An ETS file: its headers, its tiles, its directory."""
    rows, columns, samples = image.pixels[0][0].shape
    bits = 8 * image.pixels[0][0].dtype.itemsize
    second = struct.pack(
        "<4s9I", b"ETS\0", 0x30006, 2 if bits == 8 else 4, samples, 1 if samples == 1 else 4,
        image.compression, 90, TILE, TILE, 1,
    )  # fmt: skip
    second += bytes(68 + 40) + struct.pack("<iI", int(image.blue_first), int(image.levels > 1))
    second += bytes(16) + struct.pack("<2i", *image.origin) + bytes(4)
    second += struct.pack("<5I", 4, columns, rows, len(image.pixels), len(image.pixels[0]))
    body, directory = b"", b""
    start = 64 + len(second)
    for number, (coordinates, tile) in enumerate(_tiles(image)):
        stream = _ENCODERS[image.compression](tile[:, :, 0] if samples == 1 else tile)
        directory += struct.pack("<I5iQII", number, *coordinates, start + len(body), len(stream), 0)
        body += stream
    count = len(directory) // 40
    header = struct.pack(
        "<4s3IQIIQI", b"SIS\0", 64, 3, 5, 64, len(second), 0, start + len(body), count
    )
    return header.ljust(64, b"\0") + second + body + directory


def _tiles(image: WrittenImage) -> Iterator[tuple[tuple[int, ...], NDArray[Any]]]:
    """Each tile with its coordinates: column, row, path, plane, level."""
    for path, planes in enumerate(image.pixels):
        for plane, pixels in enumerate(planes):
            for level in range(image.levels):
                rows, columns = pixels.shape[:2]
                for row, column in product(range(-(-rows // TILE)), range(-(-columns // TILE))):
                    if (level, column, row) in image.left_out:
                        continue
                    part = pixels[
                        row * TILE : (row + 1) * TILE, column * TILE : (column + 1) * TILE
                    ]
                    tile = np.zeros((TILE, TILE, pixels.shape[2]), pixels.dtype)
                    tile[: part.shape[0], : part.shape[1]] = part
                    stored = tile[:, :, ::-1] if image.blue_first else tile
                    yield (column, row, path, plane, level), stored
                pixels = halve(pixels)[: pixels.shape[0] // 2, : pixels.shape[1] // 2]


def _grey_jpeg(tile: NDArray[Any]) -> bytes:
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(tile), 90))


def _directory(pixels: Pixels, at: int) -> bytes:
    """A TIFF directory of an RGB image that follows it, in one strip."""
    rows, columns = pixels.shape[:2]
    bits_at = at + 2 + 9 * 12 + 4
    entries = [
        (256, 4, 1, columns), (257, 4, 1, rows), (258, 3, 3, bits_at), (259, 3, 1, 1),
        (262, 3, 1, 2), (273, 4, 1, bits_at + 6), (277, 3, 1, 3), (278, 4, 1, rows),
        (279, 4, 1, pixels.size),
    ]  # fmt: skip
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<H", 9) + packed + bytes(4) + struct.pack("<3H", 8, 8, 8)
