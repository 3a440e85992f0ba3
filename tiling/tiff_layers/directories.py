"""An open TIFF file, each of whose directories may be a layer of a slide."""

from pathlib import Path

import numpy as np

from tiling import tiff
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.jpeg_tiff import JpegTiff
from tiling.limits import Limits
from tiling.slide import Colour, PixelFormat
from tiling.source import CUT_SHORT, FileSource
from tiling.tiff import Directory
from tiling.tiff_layers.encoded import EncodedTiles, find_encoded
from tiling.tiff_layers.kept import KeptPieces
from tiling.tiff_layers.levels import Layer
from tiling.tiff_layers.planes import PlaneOfPieces, PlaneOfRows
from tiling.tiff_tiles import TiffTiles

_LEAST_TILE = 16
"""Pixels along a side of a tile (TIFF 6.0 section 15)."""
_UNCOMPRESSED = 1
_PLANES_TOGETHER = 1
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE = 0, 1, 2, 3
"""PhotometricInterpretation."""
_UNSIGNED = 1
_COLOURS = 3


class LayeredTiff(JpegTiff):
    """The directories of one file, and the layers that are in them."""

    def __init__(self, path: Path, source: FileSource, limits: Limits, kept: KeptPieces) -> None:
        super().__init__(path, source, limits)
        self.source = source
        self._kept = kept
        self._tiles: dict[tuple[tuple[int, tiff.Entry], ...], TiffTiles] = {}
        self._tiles_left = limits.level_tiles

    def samples(self, directory: Directory) -> int:
        """Of a pixel."""
        return self.number(directory, tiff.SAMPLES_PER_PIXEL, 1)

    def is_upright(self, directory: Directory) -> bool:
        return self.number(directory, tiff.ORIENTATION, 1) == 1

    def colour_layer(self, directory: Directory) -> Layer:
        """A directory whose three samples are red, green and blue.

        Raises UnsupportedSlideError for what is not read, DamagedSlideError when the directory
        contradicts the file or itself, SlideTooLargeError beyond the limits.
        """
        if self.samples(directory) != _COLOURS:
            raise UnsupportedSlideError(
                "The image's colours are not red, green and blue; export it in RGB."
            )
        return self._layer(directory, first_sample=0, count=_COLOURS)

    def grey_layer(self, directory: Directory, sample: int = 0, samples: int = 1) -> Layer:
        """One sample of a directory that has so many; raises as `colour_layer`.

        A palette is how its writer showed the samples, and is passed over.
        """
        if self.samples(directory) != samples:
            raise DamagedSlideError(
                "An image has not as many channels as the file says; copy it again."
            )
        if self.number(directory, tiff.PHOTOMETRIC, _MIN_IS_BLACK) == _PALETTE:
            directory = {tag: entry for tag, entry in directory.items() if tag != tiff.PHOTOMETRIC}
        return self._layer(directory, first_sample=sample, count=1)

    def _layer(self, directory: Directory, first_sample: int, count: int) -> Layer:
        self.limits.check_bytes(self.size(directory), self.source.size)
        rows = self._rows(directory, count)
        if rows is not None:
            return Layer(rows, None)
        tiles = self._pieces(directory)
        if count == 1 and tiles.colour is not Colour.GREY:
            raise UnsupportedSlideError(
                "The file calls an image grey that is in colours; export it anew."
            )
        pixel_format = PixelFormat(count, tiles.bits)
        plane = PlaneOfPieces(tiles, pixel_format, first_sample, self._kept)
        return Layer(plane, self._encoded(directory, pixel_format))

    def _pieces(self, directory: Directory) -> TiffTiles:
        """The tiles or strips of a directory, which may be that of several samples."""
        key = _identity(directory)
        if key not in self._tiles:
            tiles = TiffTiles.of(self._file, self.source, self.limits, directory)
            is_tiled = self.is_tiled(directory)
            if is_tiled and min(tiles.grid.tile.columns, tiles.grid.tile.rows) < _LEAST_TILE:
                raise DamagedSlideError("The file's tiles are smaller than any; export it anew.")
            self._tiles_left -= tiles.grid.tiles.area
            if self._tiles_left < 0:
                raise SlideTooLargeError(
                    "The file announces more tiles than any slide; it is refused."
                )
            self._tiles[key] = tiles
        return self._tiles[key]

    def _encoded(self, directory: Directory, pixel_format: PixelFormat) -> EncodedTiles | None:
        """The tiles as they can be handed on, where the layer is all that is in them."""
        if self.samples(directory) != pixel_format.samples or not self.is_tiled(directory):
            return None
        return find_encoded(self._file, self.source, directory, pixel_format)

    def _rows(self, directory: Directory, count: int) -> PlaneOfRows | None:
        """The layer as rows to be read at will; None where it is not all of plain strips."""

        def number(tag: int, default: int) -> int:
            return self.number(directory, tag, default)

        bits = set(self._file.numbers(directory, tiff.BITS_PER_SAMPLE).tolist())
        formats = set(self._file.numbers(directory, tiff.SAMPLE_FORMAT).tolist())
        wanted = {_RGB} if count == _COLOURS else {_MIN_IS_BLACK, _MIN_IS_WHITE}
        photometric = number(tiff.PHOTOMETRIC, _MIN_IS_BLACK)
        if (
            self.is_tiled(directory)
            or number(tiff.COMPRESSION, _UNCOMPRESSED) != _UNCOMPRESSED
            or number(tiff.PREDICTOR, 1) != 1
            or number(tiff.FILL_ORDER, 1) != 1
            or number(tiff.IMAGE_DEPTH, 1) != 1
            or (number(tiff.PLANAR_CONFIGURATION, 1) != _PLANES_TOGETHER and count > 1)
            or self.samples(directory) != count
            or photometric not in wanted
            or not formats <= {_UNSIGNED}
            or bits not in ({8}, {16})
        ):
            return None
        pixel_format = PixelFormat(count, bits.pop())
        size = self.size(directory)
        rows_per_strip = min(number(tiff.ROWS_PER_STRIP, size.rows), size.rows) or size.rows
        row_bytes = size.columns * pixel_format.bytes_per_pixel
        offsets = self._file.numbers(directory, tiff.STRIP_OFFSETS)
        lengths = self._file.numbers(directory, tiff.STRIP_BYTE_COUNTS)
        if not offsets.size == lengths.size == -(-size.rows // rows_per_strip):
            raise DamagedSlideError("An image has too few strips; copy the file again.")
        rows = np.full(offsets.size, rows_per_strip, np.int64)
        rows[-1] = size.rows - rows_per_strip * (offsets.size - 1)
        if (lengths < rows * row_bytes).any():
            return None
        if int((offsets + rows * row_bytes).max()) > self.source.size:
            raise DamagedSlideError(CUT_SHORT)
        self._tiles_left -= offsets.size
        if self._tiles_left < 0:
            raise SlideTooLargeError("The file announces more strips than any; it is refused.")
        return PlaneOfRows(
            size,
            pixel_format,
            photometric == _MIN_IS_WHITE,
            self._file.byte_order,
            self.source,
            rows_per_strip,
            offsets,
        )


def _identity(directory: Directory) -> tuple[tuple[int, tiff.Entry], ...]:
    """What tells a directory from another."""
    return tuple(sorted(directory.items(), key=lambda item: item[0]))
