"""Levels of JPEG and JPEG 2000 tiles, checked against the file's end before they are believed."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size, TileGrid
from tiling.jpeg_tiff.streams import AsStored, TileStreams, jpeg_2000_streams, jpeg_streams
from tiling.limits import Limits
from tiling.slide import Codec, Colour, Level, TileEncoding
from tiling.source import CUT_SHORT, FileSource
from tiling.tiff import Directory, TiffFile
from tiling.tiff_images import APERIO_YCBCR, IMAGE_CODECS, JPEG_2000
from tiling.tiff_tiles import TiffTiles

_COLOURS = {2: Colour.RGB, 6: Colour.YCBCR}
"""PhotometricInterpretation (TIFF 6.0 sections 4, 6 and 21) of the tiles that are handed on."""
_PLANES_TOGETHER = 1
"""PlanarConfiguration of tiles that hold all of their colours."""
_MENDABLE = frozenset({Codec.JPEG, Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS})
"""Codecs in which tiles are made here, for those that the scanner left out."""


@dataclass(frozen=True, slots=True)
class StoredLevel:
    """A level and where its tiles lie; both arrays have the shape `(tiles,)`, row-major."""

    level: Level
    streams: TileStreams
    """What makes handed-on tiles of the stored ones, where the level has an encoding."""
    pixels: TiffTiles | None
    """Unpacks the stored ones, where it has none."""
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Bytes; 0 for a tile that the scanner left out."""


def is_jpeg_tiled(file: TiffFile, directory: Directory) -> bool:
    """Whether a directory has tiles in JPEG or JPEG 2000 such as are read here."""
    return (
        tiff.TILE_OFFSETS in directory
        and file.number(directory, tiff.COMPRESSION) in IMAGE_CODECS
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

    Raises UnsupportedSlideError when they are of a kind that is not read, DamagedSlideError when
    the directory contradicts the file or itself, SlideTooLargeError beyond the limits.
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
    found = _streams(file, directory, _first_tile(source, offsets, lengths), tile)
    if found is not None and (found[0].codec in _MENDABLE or lengths.all()):
        encoding, streams = found
        return StoredLevel(Level(size, tile, downsample, encoding), streams, None, offsets, lengths)
    pixels = TiffTiles.of(file, source, limits, directory)
    _prove_read(pixels)
    return StoredLevel(Level(size, tile, downsample), AsStored(), pixels, offsets, lengths)


def _streams(
    file: TiffFile, directory: Directory, tile: bytes | None, tile_size: Size
) -> tuple[TileEncoding, TileStreams] | None:
    """What the tiles are, and how they are handed on; None where they cannot be."""
    said = _COLOURS[file.number(directory, tiff.PHOTOMETRIC)]
    compression = file.number(directory, tiff.COMPRESSION)
    if compression in JPEG_2000:
        # Aperio calls the image RGB all the same.
        coded = Colour.YCBCR if compression == APERIO_YCBCR else said
        return jpeg_2000_streams(tile, tile_size, coded)
    return jpeg_streams(file.blob(directory, tiff.JPEG_TABLES), tile, tile_size, said)


def _prove_read(pixels: TiffTiles) -> None:
    """Unpack one tile: raises UnsupportedSlideError when another reader had better try."""
    for column, row in pixels.grid.positions():
        if pixels.is_there(column, row):
            pixels.read(column, row)
            return


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
