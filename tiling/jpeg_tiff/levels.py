"""Levels of JPEG tiles, checked against the file's end before they are believed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import FrameHeader, parse_frame_header
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size, TileGrid
from tiling.limits import Limits
from tiling.slide import Colour, Level, TileEncoding
from tiling.source import CUT_SHORT, FileSource
from tiling.tiff import Directory, TiffFile

_JPEG = 7
_COLOURS = {2: Colour.RGB, 6: Colour.YCBCR}
"""PhotometricInterpretation (TIFF 6.0 sections 4, 6 and 21) of the tiles that are handed on."""
_PLANES_TOGETHER = 1
"""PlanarConfiguration of tiles that hold all of their colours."""
_APERIO_RGB = (0, 1, 2)
"""Names of the components of RGB tiles by Aperio, which decoders take for YCbCr."""


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A level and where its tiles lie; both arrays have the shape `(tiles,)`, row-major."""

    level: Level
    encoding: TileEncoding
    prefix: FramePrefix
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Bytes; 0 for a tile that the scanner left out."""


def is_jpeg_tiled(file: TiffFile, directory: Directory) -> bool:
    """Whether a directory's tiles are such as are handed on, as far as its fields tell."""
    return (
        tiff.TILE_OFFSETS in directory
        and file.number(directory, tiff.COMPRESSION) == _JPEG
        and file.number(directory, tiff.PHOTOMETRIC) in _COLOURS
        and file.number(directory, tiff.PLANAR_CONFIGURATION, 1) == _PLANES_TOGETHER
        and file.number(directory, tiff.IMAGE_DEPTH, 1) == 1
        and set(file.numbers(directory, tiff.BITS_PER_SAMPLE).tolist()) == {8}
    )


def read_size(file: TiffFile, directory: Directory) -> Size:
    return Size(file.number(directory, tiff.IMAGE_WIDTH), file.number(directory, tiff.IMAGE_LENGTH))


def read_level(
    file: TiffFile,
    source: FileSource,
    limits: Limits,
    directory: Directory,
    size: Size,
    downsample: float,
) -> StoredLevel:
    """The level of `size` pixels that the upper left tiles of a directory make.

    Raises UnsupportedSlideError when they are no baseline JPEG, DamagedSlideError when the
    directory contradicts the file or itself, SlideTooLargeError beyond the limits.
    """
    if not is_jpeg_tiled(file, directory):
        raise UnsupportedSlideError(
            "The slide's tiles are not all 8-bit JPEG; export it again as baseline JPEG."
        )
    tile = Size(file.number(directory, tiff.TILE_WIDTH), file.number(directory, tiff.TILE_LENGTH))
    limits.check_level(size, tile)
    stored_grid = TileGrid(read_size(file, directory), tile)
    limits.check_level(stored_grid.image, tile)
    offsets = file.numbers(directory, tiff.TILE_OFFSETS)
    lengths = file.numbers(directory, tiff.TILE_BYTE_COUNTS)
    if not offsets.size == lengths.size == stored_grid.tiles.area:
        raise DamagedSlideError("A level has too few tiles; copy the file again from the scanner.")
    check_places(source, offsets, lengths)
    grid = TileGrid(size, tile)
    offsets, lengths = (_upper_left(places, stored_grid, grid) for places in (offsets, lengths))
    colour = _COLOURS[file.number(directory, tiff.PHOTOMETRIC)]
    encoding, prefix = _encoding(
        file.blob(directory, tiff.JPEG_TABLES), _first_tile(source, offsets, lengths), tile, colour
    )
    return StoredLevel(Level(size, tile, downsample, encoding), encoding, prefix, offsets, lengths)


def check_places(
    source: FileSource, offsets: NDArray[np.int64], lengths: NDArray[np.int64]
) -> None:
    """Raise DamagedSlideError when a tile or strip that is there lies beyond the file's end."""
    if offsets.size != lengths.size:
        raise DamagedSlideError("The file's directory is corrupt; copy it again from the scanner.")
    present = lengths > 0
    if present.any() and int((offsets + lengths)[present].max()) > source.size:
        raise DamagedSlideError(CUT_SHORT)


def _upper_left(places: NDArray[np.int64], stored: TileGrid, wanted: TileGrid) -> NDArray[np.int64]:
    if wanted.tiles.columns > stored.tiles.columns or wanted.tiles.rows > stored.tiles.rows:
        raise DamagedSlideError("A level has too few tiles; copy the file again from the scanner.")
    table = places.reshape(stored.tiles.rows, stored.tiles.columns)
    return np.ascontiguousarray(table[: wanted.tiles.rows, : wanted.tiles.columns]).ravel()


def _first_tile(
    source: FileSource, offsets: NDArray[np.int64], lengths: NDArray[np.int64]
) -> bytes | None:
    """The first tile that the scanner did not leave out; None when it left out all."""
    present = np.flatnonzero(lengths)
    if not present.size:
        return None
    return source.read(int(offsets[present[0]]), int(lengths[present[0]]))


def _encoding(
    tables: bytes | None, tile: bytes | None, tile_size: Size, said: Colour
) -> tuple[TileEncoding, FramePrefix]:
    """The truth about a level's tiles, from one of them: TIFF's own subsampling tag often lies."""
    if tile is None:
        return TileEncoding(said), FramePrefix(b"", said, corrects_colour=False)
    header = parse_frame_header(tile)
    colour = _colour(header, said)
    return _check_tile(header, tile_size, colour), FramePrefix.of_level(tables, tile, colour)


def _colour(header: FrameHeader, said: Colour) -> Colour:
    """What the file says, but for samples that cannot be RGB.

    Bio-Formats turns RGB into YCbCr on the way into JPEG, and writes RGB into the directory all
    the same. Hardly anybody gives red more samples than green; halved chroma gives it away, unless
    the components are named as only RGB's are.
    """
    looks_ycbcr = header.decoded_as is Colour.YCBCR and header.subsampling != (1, 1)
    names = tuple(component.identifier for component in header.components)
    return Colour.YCBCR if looks_ycbcr and names != _APERIO_RGB else said


def _check_tile(header: FrameHeader, tile_size: Size, colour: Colour) -> TileEncoding:
    """What a level's tiles are; raises UnsupportedSlideError when they cannot be handed on."""
    if header.size != tile_size:
        raise DamagedSlideError(
            "A compressed tile differs in size from its level; copy the file again."
        )
    encoding = header.encoding_as(colour)
    if encoding is None:
        raise UnsupportedSlideError(
            "The slide's tiles are in a rare kind of JPEG; export it again as baseline JPEG."
        )
    return encoding
