"""The tiles or strips of a TIFF directory as samples, whatever compressed them.

For images whose compressed tiles cannot be handed on. tifffile would read them as well, but takes
the header's word for how much memory a tile needs; here that is known before any is taken.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling import tiff
from tiling.codecs.announced import BROKEN
from tiling.errors import DamagedSlideError, SlideTooLargeError, UnsupportedSlideError
from tiling.geometry import Size, TileGrid
from tiling.limits import Limits
from tiling.slide import Colour, Samples
from tiling.source import CUT_SHORT, FileSource
from tiling.tiff import Directory, TiffFile
from tiling.tiff_images import APERIO_YCBCR, IMAGE_CODECS, ImageTiles

_NONE = 1
_BYTE_CODECS: Mapping[int, Callable[..., Any]] = {
    5: imagecodecs.lzw_decode,
    8: imagecodecs.zlib_decode,
    32773: imagecodecs.packbits_decode,
    32946: imagecodecs.zlib_decode,
    34926: imagecodecs.zstd_decode,
    50000: imagecodecs.zstd_decode,
}
"""Compression (TIFF 6.0 and its successors) of samples as bytes."""
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _YCBCR = 0, 1, 2, 6
_COLOURS = {
    _MIN_IS_WHITE: Colour.GREY,
    _MIN_IS_BLACK: Colour.GREY,
    _RGB: Colour.RGB,
    _YCBCR: Colour.YCBCR,
}
_UNSIGNED, _UNDEFINED = 1, 4
"""SampleFormat."""
_NO_PREDICTOR, _HORIZONTAL = 1, 2
_SEPARATE_PLANES = 2
_MAX_SAMPLES = 64
_LARGEST_GROWTH = 2
"""How much longer than its samples a piece may be, by a compression that failed."""


@dataclass(frozen=True, slots=True)
class _Fields:
    """What a directory says of its samples."""

    samples: int
    bits: int
    """Of each sample; 0 where they differ."""
    colour: Colour | None
    inverted: bool
    together: bool
    """Whether the samples of a pixel lie side by side, and not each in a plane of its own."""
    compression: int
    predictor: int
    byte_order: Literal["<", ">"]
    is_plain: bool
    """Whether samples are unsigned, and bits and slices in their usual order."""

    @classmethod
    def of(cls, file: TiffFile, directory: Directory) -> "_Fields":
        def number(tag: int, default: int) -> int:
            return file.number(directory, tag, default)

        bits = set(file.numbers(directory, tiff.BITS_PER_SAMPLE).tolist()) or {1}
        formats = set(file.numbers(directory, tiff.SAMPLE_FORMAT).tolist())
        photometric = number(tiff.PHOTOMETRIC, _MIN_IS_BLACK)
        return cls(
            samples=number(tiff.SAMPLES_PER_PIXEL, 1),
            bits=bits.pop() if len(bits) == 1 else 0,
            colour=_COLOURS.get(photometric),
            inverted=photometric == _MIN_IS_WHITE,
            together=number(tiff.PLANAR_CONFIGURATION, 1) != _SEPARATE_PLANES,
            compression=number(tiff.COMPRESSION, _NONE),
            predictor=number(tiff.PREDICTOR, _NO_PREDICTOR),
            byte_order=file.byte_order,
            is_plain=formats <= {_UNSIGNED, _UNDEFINED}
            and number(tiff.FILL_ORDER, 1) == number(tiff.IMAGE_DEPTH, 1) == 1,
        )

    @property
    def per_piece(self) -> int:
        """Samples of a pixel in one tile or strip."""
        return self.samples if self.together else 1

    @property
    def are_read(self) -> bool:
        """Whether they are of a kind that is read here."""
        if self.colour is None or not 1 <= self.samples <= _MAX_SAMPLES or not self.is_plain:
            return False
        if self.colour is not Colour.GREY and self.samples != 3:
            return False
        if self.compression in IMAGE_CODECS:
            whole = self.colour is not Colour.YCBCR or self.together
            return self.per_piece in (1, 3) and 1 <= self.bits <= 16 and whole
        return (
            self.compression in {_NONE, *_BYTE_CODECS}
            and self.colour is not Colour.YCBCR
            and self.bits in (8, 16)
            and self.predictor in (_NO_PREDICTOR, _HORIZONTAL)
        )

    def images(self, tables: bytes | None) -> ImageTiles | None:
        """How tiles that are images are unpacked; None for samples as bytes."""
        if self.compression not in IMAGE_CODECS or self.colour is None:
            return None
        coded = Colour.YCBCR if self.compression == APERIO_YCBCR else self.colour
        colour = coded if self.per_piece == 3 else Colour.GREY
        return ImageTiles(self.compression, self.per_piece, self.bits, colour, tables)


@dataclass(frozen=True, slots=True)
class TiffTiles:
    """One directory's image in pieces; a strip is a tile as wide as the image.

    Reads are safe from several threads at once.
    """

    grid: TileGrid
    _fields: "_Fields"
    _images: ImageTiles | None
    """How the pieces are unpacked where they are images themselves."""
    _source: FileSource
    _offsets: NDArray[np.int64]
    _lengths: NDArray[np.int64]
    """Both `(planes, tiles)`, with one plane where the samples of a pixel lie together."""

    @classmethod
    def of(
        cls, file: TiffFile, source: FileSource, limits: Limits, directory: Directory
    ) -> "TiffTiles":
        """Find the pieces of a directory; nothing is unpacked.

        Raises UnsupportedSlideError for what is not read here (palettes, signs, fractions, rare
        compressions), DamagedSlideError where the directory contradicts the file or itself,
        SlideTooLargeError beyond the limits.
        """
        fields = _Fields.of(file, directory)
        if not fields.are_read:
            raise UnsupportedSlideError(
                "The image's samples are of a kind that is not read here; "
                "export it with 8 or 16 bits, in grey or RGB."
            )
        grid = _grid(file, limits, directory)
        if grid.tile.area * fields.per_piece > 4 * limits.tile_pixels:
            raise SlideTooLargeError("The file announces tiles larger than any; it is refused.")
        planes = fields.samples // fields.per_piece
        offsets, lengths = _places(file, source, directory, grid, planes)
        if int(lengths.max()) > _LARGEST_GROWTH * (4 * limits.tile_pixels):
            raise SlideTooLargeError("The file announces tiles larger than any; it is refused.")
        tables = file.blob(directory, tiff.JPEG_TABLES)
        return cls(grid, fields, fields.images(tables), source, offsets, lengths)

    @property
    def samples(self) -> int:
        """Of a pixel: 3 in RGB; several in grey are as many images."""
        return self._fields.samples

    @property
    def bits(self) -> int:
        """Of a sample, 1 to 16; 8 or 16 but for JPEG and JPEG 2000."""
        return self._fields.bits

    @property
    def colour(self) -> Colour:
        """RGB or grey, as `read` gives it."""
        return Colour.GREY if self._fields.colour is Colour.GREY else Colour.RGB

    @property
    def lossy(self) -> bool:
        """Whether the compression lost something, or may have."""
        return self._images is not None

    @property
    def dtype(self) -> type[np.uint8] | type[np.uint16]:
        return np.uint8 if self.bits <= 8 else np.uint16

    def is_there(self, column: int, row: int) -> bool:
        """Whether a tile was not left out; raises IndexError outside the grid."""
        return bool(self._lengths[:, self.grid.frame_index(column, row)].all())

    def read(self, column: int, row: int) -> Samples | None:
        """A whole tile `(tile.rows, tile.columns, samples)`; None for one that was left out.

        Grey rises with the light. What lies beyond the image is as the file has it, or 0. Raises
        IndexError outside the grid and DamagedSlideError when the tile cannot be unpacked.
        """
        if not self.is_there(column, row):
            return None
        planes = [self._plane(plane, column, row) for plane in range(len(self._offsets))]
        samples = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        if self._fields.inverted:
            samples = np.subtract((1 << self.bits) - 1, samples, dtype=self.dtype)
        return samples

    def _plane(self, plane: int, column: int, row: int) -> Samples:
        index = self.grid.frame_index(column, row)
        data = self._source.read(int(self._offsets[plane, index]), int(self._lengths[plane, index]))
        count = self._fields.per_piece
        visible = self.grid.visible(column, row)
        found = (
            self._from_bytes(data, visible.rows, count)
            if self._images is None
            else self._images.unpack(data, self.grid.tile, visible.rows)
        )
        whole = np.zeros((self.grid.tile.rows, self.grid.tile.columns, count), self.dtype)
        whole[: found.shape[0]] = found
        return whole

    def _from_bytes(self, data: bytes, visible_rows: int, count: int) -> Samples:
        """The rows that are there: the last strip has fewer than the others, in most files."""
        row_bytes = self.grid.tile.columns * count * np.dtype(self.dtype).itemsize
        room = row_bytes * self.grid.tile.rows
        if self._fields.compression != _NONE:
            data = _decompress(_BYTE_CODECS[self._fields.compression], data, room)
        rows = min(len(data) // row_bytes, self.grid.tile.rows)
        if rows < visible_rows:
            raise DamagedSlideError(BROKEN)
        stored = np.dtype(self.dtype).newbyteorder(self._fields.byte_order)
        flat = np.frombuffer(data, stored, rows * row_bytes // stored.itemsize)
        samples = flat.reshape(rows, self.grid.tile.columns, count).astype(self.dtype)
        if self._fields.predictor == _HORIZONTAL:
            np.cumsum(samples, axis=1, dtype=self.dtype, out=samples)
        return cast("Samples", samples)


def _grid(file: TiffFile, limits: Limits, directory: Directory) -> TileGrid:
    def side(tag: int, default: int = 0) -> int:
        value = file.number(directory, tag, default)
        if value <= 0:
            raise DamagedSlideError("The file announces an image without pixels; copy it again.")
        return value

    size = Size(side(tiff.IMAGE_WIDTH), side(tiff.IMAGE_LENGTH))
    if tiff.TILE_OFFSETS in directory:
        tile = Size(side(tiff.TILE_WIDTH), side(tiff.TILE_LENGTH))
    else:
        tile = Size(size.columns, min(size.rows, side(tiff.ROWS_PER_STRIP, size.rows)))
    limits.check_level(size, tile)
    return TileGrid(size, tile)


def _places(
    file: TiffFile, source: FileSource, directory: Directory, grid: TileGrid, planes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    tiled = tiff.TILE_OFFSETS in directory
    offsets = file.numbers(directory, tiff.TILE_OFFSETS if tiled else tiff.STRIP_OFFSETS)
    lengths = file.numbers(directory, tiff.TILE_BYTE_COUNTS if tiled else tiff.STRIP_BYTE_COUNTS)
    if not offsets.size == lengths.size == planes * grid.tiles.area:
        raise DamagedSlideError("An image has too few tiles; copy the file again from the scanner.")
    present = lengths > 0
    if present.any() and int((offsets + lengths)[present].max()) > source.size:
        raise DamagedSlideError(CUT_SHORT)
    return offsets.reshape(planes, -1), lengths.reshape(planes, -1)


def _decompress(decoder: Callable[..., Any], data: bytes, room: int) -> bytes:
    """At most `room` bytes, whatever the data announces."""
    try:
        return bytes(decoder(data, out=room))
    except Exception as error:
        raise DamagedSlideError(BROKEN) from error
