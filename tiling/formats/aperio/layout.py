"""Where everything lies in an Aperio file, checked against the file's end before it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import FrameHeader, parse_frame_header
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.aperio.description import parse_description
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import AssociatedKind, Colour, Level, SlideMetadata, TileEncoding
from tiling.source import CUT_SHORT, FileSource
from tiling.tiff import Directory, TiffFile

_JPEG = 7
_COLOURS = {1: Colour.GREY, 2: Colour.RGB, 6: Colour.YCBCR}
"""PhotometricInterpretation (TIFF 6.0 sections 4, 6 and 21) of the tiles that are handed on."""
_KINDS = {
    "label": AssociatedKind.LABEL,
    "macro": AssociatedKind.OVERVIEW,
    "thumbnail": AssociatedKind.THUMBNAIL,
}
_SUBFILE_KINDS = {1: AssociatedKind.LABEL, 9: AssociatedKind.OVERVIEW}
"""NewSubfileType as Aperio uses it, for the scanners that do not name the image."""


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A level and where its tiles lie; both arrays have the shape `(tiles,)`, row-major."""

    level: Level
    encoding: TileEncoding
    prefix: FramePrefix
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Bytes; 0 for a tile that the scanner left out."""


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An associated image: which directory of the file it is."""

    index: int
    size: Size


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that an Aperio file says of itself."""

    metadata: SlideMetadata
    levels: tuple[StoredLevel, ...]
    associated: Mapping[AssociatedKind, StoredImage]


def has_mark(file: TiffFile, directory: Directory) -> bool:
    """Whether the image was described by Aperio's software."""
    return file.text(directory, tiff.IMAGE_DESCRIPTION).startswith("Aperio")


def is_readable(file: TiffFile, directory: Directory) -> bool:
    """Whether the image is no level, or one whose tiles can be handed on."""
    return tiff.TILE_OFFSETS not in directory or (
        file.number(directory, tiff.COMPRESSION) == _JPEG
        and file.number(directory, tiff.PHOTOMETRIC) in _COLOURS
        and file.number(directory, tiff.PLANAR_CONFIGURATION, 1) == 1
        and file.number(directory, tiff.BITS_PER_SAMPLE) == 8
    )


def read_layout(file: TiffFile, source: FileSource, limits: Limits) -> Layout:
    """Read and check every directory.

    Raises DamagedSlideError when one contradicts the file or itself, SlideTooLargeError beyond
    the limits, UnsupportedSlideError when tiles are not baseline JPEG.
    """
    directories = list(file.directories())
    tiled = [d for d in directories if tiff.TILE_OFFSETS in d]
    if not tiled or tiled[0] is not directories[0]:
        raise DamagedSlideError("The file holds no tissue image; copy it again from the scanner.")
    tiled.sort(key=lambda directory: -_size(file, directory).area)
    base = _size(file, tiled[0])
    associated: dict[AssociatedKind, StoredImage] = {}
    for index, directory in enumerate(directories):
        kind = None if tiff.TILE_OFFSETS in directory else _kind(file, index, directory)
        if kind is not None:
            image = StoredImage(index, _size(file, directory))
            limits.check_associated(image.size)
            _check_places(
                source,
                file.numbers(directory, tiff.STRIP_OFFSETS),
                file.numbers(directory, tiff.STRIP_BYTE_COUNTS),
            )
            associated.setdefault(kind, image)
    return Layout(
        parse_description(
            file.text(directories[0], tiff.IMAGE_DESCRIPTION),
            file.blob(directories[0], tiff.ICC_PROFILE),
        ),
        tuple(_stored_level(file, directory, source, limits, base) for directory in tiled),
        associated,
    )


def _size(file: TiffFile, directory: Directory) -> Size:
    return Size(file.number(directory, tiff.IMAGE_WIDTH), file.number(directory, tiff.IMAGE_LENGTH))


def _kind(file: TiffFile, index: int, directory: Directory) -> AssociatedKind | None:
    """Which associated image a directory in strips is; None for one that is none of ours.

    The thumbnail comes second in every SVS. The others are named by the first word of the second
    line ("label 387x463"), or else by their subfile type.
    """
    if index == 1:
        return AssociatedKind.THUMBNAIL
    lines = file.text(directory, tiff.IMAGE_DESCRIPTION).splitlines()
    words = lines[1].split() if len(lines) > 1 else []
    subfile_type = file.number(directory, tiff.NEW_SUBFILE_TYPE)
    return _KINDS.get(words[0].lower() if words else "") or _SUBFILE_KINDS.get(subfile_type)


def _stored_level(
    file: TiffFile, directory: Directory, source: FileSource, limits: Limits, base: Size
) -> StoredLevel:
    size = _size(file, directory)
    tile = Size(file.number(directory, tiff.TILE_WIDTH), file.number(directory, tiff.TILE_LENGTH))
    limits.check_level(size, tile)
    offsets = file.numbers(directory, tiff.TILE_OFFSETS)
    lengths = file.numbers(directory, tiff.TILE_BYTE_COUNTS)
    downsample = (base.columns / size.columns + base.rows / size.rows) / 2
    bare = Level(size, tile, downsample)
    if not offsets.size == lengths.size == bare.grid.tiles.area:
        raise DamagedSlideError("A level has too few tiles; copy the file again from the scanner.")
    _check_places(source, offsets, lengths)
    colour = _COLOURS[file.number(directory, tiff.PHOTOMETRIC)]
    encoding, prefix = _encoding(
        file.blob(directory, tiff.JPEG_TABLES), _first_tile(source, offsets, lengths), tile, colour
    )
    return StoredLevel(Level(size, tile, downsample, encoding), encoding, prefix, offsets, lengths)


def _check_places(
    source: FileSource, offsets: NDArray[np.int64], lengths: NDArray[np.int64]
) -> None:
    if offsets.size != lengths.size:
        raise DamagedSlideError("The file's directory is corrupt; copy it again from the scanner.")
    if offsets.size and int((offsets + lengths).max()) > source.size:
        raise DamagedSlideError(CUT_SHORT)


def _first_tile(
    source: FileSource, offsets: NDArray[np.int64], lengths: NDArray[np.int64]
) -> bytes | None:
    """The first tile that the scanner did not leave out; None when it left out all."""
    present = np.flatnonzero(lengths)
    if not present.size:
        return None
    return source.read(int(offsets[present[0]]), int(lengths[present[0]]))


def _encoding(
    tables: bytes | None, tile: bytes | None, tile_size: Size, colour: Colour
) -> tuple[TileEncoding, FramePrefix]:
    """The truth about a level's tiles, from one of them: TIFF's own subsampling tag often lies."""
    if tile is None:
        return TileEncoding(colour), FramePrefix(b"", colour, corrects_colour=False)
    header = parse_frame_header(tile)
    _check_tile(header, tile_size, colour)
    encoding = TileEncoding(colour, header.subsampling or (1, 1))
    return encoding, FramePrefix.of_level(tables, tile, colour)


def _check_tile(header: FrameHeader, tile_size: Size, colour: Colour) -> None:
    if header.size != tile_size:
        raise DamagedSlideError(
            "A compressed tile differs in size from its level; copy the file again."
        )
    samples = 1 if colour is Colour.GREY else 3
    described = header.subsampling is not None and (
        colour is Colour.YCBCR or header.subsampling == (1, 1)
    )
    if not header.is_baseline or len(header.components) != samples or not described:
        raise UnsupportedSlideError(
            "The slide's tiles are in a rare kind of JPEG; export it again as baseline JPEG."
        )
