"""Tiles that are handed on as they are: those of directories in JPEG and JPEG 2000."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.codecs import frames, jpeg2000
from tiling.codecs.announced import Announced
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.jpeg_tiff.streams import AsStored, TileStreams, jpeg_2000_streams, jpeg_streams
from tiling.slide import Codec, Colour, PixelFormat, TileEncoding
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile
from tiling.tiff_images import APERIO_YCBCR, JPEG, JPEG_2000

MENDABLE = frozenset({Codec.JPEG, Codec.JPEG_2000, Codec.JPEG_2000_LOSSLESS})
"""Codecs in which tiles are made here, for those that were left out."""
_COLOURS = {1: Colour.GREY, 2: Colour.RGB, 6: Colour.YCBCR}
"""PhotometricInterpretation of tiles whose samples mean what their codec says."""
_PLANES_TOGETHER = 1


@dataclass(frozen=True, slots=True)
class EncodedTiles:
    """Where a directory's tiles lie, and what they are; both arrays `(tiles,)`, row-major."""

    tile: Size
    encoding: TileEncoding
    streams: TileStreams
    source: FileSource
    offsets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """Bytes; 0 for a tile that was left out."""

    def read(self, index: int) -> bytes | None:
        """A tile as a stream that stands alone; None for one that was left out."""
        length = int(self.lengths[index])
        if not length:
            return None
        return self.streams.apply(self.source.read(int(self.offsets[index]), length))


def find_encoded(
    file: TiffFile, source: FileSource, directory: Directory, pixel_format: PixelFormat
) -> EncodedTiles | None:
    """The tiles of a directory that was found whole; None where they cannot be handed on."""
    colour = _COLOURS.get(file.number(directory, tiff.PHOTOMETRIC, 1))
    if (
        colour is None
        or (colour is Colour.GREY) != (pixel_format.samples == 1)
        or file.number(directory, tiff.PLANAR_CONFIGURATION, 1) != _PLANES_TOGETHER
    ):
        return None
    tile = Size(file.number(directory, tiff.TILE_WIDTH), file.number(directory, tiff.TILE_LENGTH))
    offsets = file.numbers(directory, tiff.TILE_OFFSETS)
    lengths = file.numbers(directory, tiff.TILE_BYTE_COUNTS)
    present = np.flatnonzero(lengths)
    if not present.size:
        return None
    first = source.read(int(offsets[present[0]]), int(lengths[present[0]]))
    found = _streams(file, directory, first, tile, colour, pixel_format)
    return EncodedTiles(tile, *found, source, offsets, lengths) if found else None


def _streams(
    file: TiffFile,
    directory: Directory,
    stored: bytes,
    tile: Size,
    colour: Colour,
    pixel_format: PixelFormat,
) -> tuple[TileEncoding, TileStreams] | None:
    """By one of the tiles; what is broken in it is told when it is read as pixels."""
    compression = file.number(directory, tiff.COMPRESSION)
    try:
        if compression == JPEG:
            tables = file.blob(directory, tiff.JPEG_TABLES)
            found: tuple[TileEncoding, TileStreams] | None
            found = jpeg_streams(tables, stored, tile, colour)
        elif compression in JPEG_2000 and colour is not Colour.GREY:
            coded = Colour.YCBCR if compression == APERIO_YCBCR else colour
            found = jpeg_2000_streams(stored, tile, coded)
        elif compression in JPEG_2000:
            found = _grey_2000(stored, tile, pixel_format)
        else:
            return None
        if found is not None:
            frames.check(found[1].apply(stored), found[0], tile, pixel_format)
    except (UnsupportedSlideError, DamagedSlideError):
        return None
    return found


def _grey_2000(
    stored: bytes, tile: Size, pixel_format: PixelFormat
) -> tuple[TileEncoding, TileStreams] | None:
    header = jpeg2000.parse_header(stored)
    if header.announced != Announced(tile, pixel_format.samples, pixel_format.bits):
        return None
    encoding = jpeg2000.encoding_of(header, Colour.GREY)
    return (encoding, AsStored()) if encoding else None
