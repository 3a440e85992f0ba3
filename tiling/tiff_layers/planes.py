"""One image of one optical path and focal plane, from which any rectangle can be cut."""

from dataclasses import dataclass
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from tiling.geometry import Size
from tiling.slide import PixelFormat, Samples
from tiling.source import FileSource
from tiling.tiff_layers.kept import KeptPieces
from tiling.tiff_tiles import TiffTiles

_TRANSPOSED = frozenset({5, 6, 7, 8})
_MIRRORED_ACROSS, _MIRRORED_DOWN = frozenset({2, 3, 6, 7}), frozenset({3, 4, 7, 8})
"""Values of TIFF's Orientation: rows and columns change places first, then the sides do."""


class Plane(Protocol):
    """An image in grey or RGB; safe from several threads."""

    @property
    def size(self) -> Size: ...

    @property
    def pixel_format(self) -> PixelFormat: ...

    @property
    def lossy(self) -> bool: ...

    def cut(self, left: int, top: int, size: Size, background: int) -> Samples:
        """A rectangle inside the image, `(rows, columns, samples)`; what is not there is
        `background`.
        """


@dataclass(frozen=True, slots=True)
class PlaneOfPieces:
    """The image that tiles or strips make: all of their samples, or one."""

    tiles: TiffTiles
    pixel_format: PixelFormat
    first_sample: int
    kept: KeptPieces

    @property
    def size(self) -> Size:
        return self.tiles.grid.image

    @property
    def lossy(self) -> bool:
        return self.tiles.lossy

    def cut(self, left: int, top: int, size: Size, background: int) -> Samples:
        grid, count = self.tiles.grid, self.pixel_format.samples
        shape = (size.rows, size.columns, count)
        whole = np.full(shape, background, self.pixel_format.dtype)
        right, bottom = left + size.columns, top + size.rows
        for row, y in _met(top, bottom, grid.tile.rows):
            for column, x in _met(left, right, grid.tile.columns):
                piece = self._piece(column, row)
                if piece is None:
                    continue
                x0, x1 = max(left, x), min(right, x + grid.tile.columns)
                y0, y1 = max(top, y), min(bottom, y + grid.tile.rows)
                seen = piece[y0 - y : y1 - y, x0 - x : x1 - x]
                whole[y0 - top : y1 - top, x0 - left : x1 - left] = seen[
                    :, :, self.first_sample : self.first_sample + count
                ]
        return whole

    def _piece(self, column: int, row: int) -> Samples | None:
        key = (id(self.tiles), column, row)
        return self.kept.get(key, lambda: self.tiles.read(column, row))


@dataclass(frozen=True, slots=True)
class PlaneOfRows:
    """An image that lies uncompressed in strips, of which no more is read than is asked for.

    Programs write images of any size in a single strip.
    """

    size: Size
    pixel_format: PixelFormat
    inverted: bool
    """Whether the file counts from white."""
    byte_order: Literal["<", ">"]
    source: FileSource
    rows_per_strip: int
    offsets: NDArray[np.int64]

    @property
    def lossy(self) -> bool:
        return False

    def cut(self, left: int, top: int, size: Size, background: int) -> Samples:  # noqa: ARG002
        pixel_bytes = self.pixel_format.bytes_per_pixel
        row_bytes = self.size.columns * pixel_bytes
        rows = []
        for y in range(top, top + size.rows):
            strip, within = divmod(y, self.rows_per_strip)
            at = int(self.offsets[strip]) + within * row_bytes + left * pixel_bytes
            rows.append(self.source.read(at, size.columns * pixel_bytes))
        stored = np.dtype(self.pixel_format.dtype).newbyteorder(self.byte_order)
        flat = np.frombuffer(b"".join(rows), stored).astype(self.pixel_format.dtype)
        shape = (size.rows, size.columns, self.pixel_format.samples)
        samples = cast("Samples", flat.reshape(shape))
        if self.inverted:
            samples = np.subtract(self.pixel_format.brightest, samples, dtype=samples.dtype)
        return samples


@dataclass(frozen=True, slots=True)
class Upright:
    """An image that the file has on its side or in a mirror, as it is to be seen.

    `orientation` is TIFF's own (TIFF 6.0 section 8): which sides the first row and column are.
    """

    plane: Plane
    orientation: int

    @property
    def size(self) -> Size:
        size = self.plane.size
        return Size(size.rows, size.columns) if self.orientation in _TRANSPOSED else size

    @property
    def pixel_format(self) -> PixelFormat:
        return self.plane.pixel_format

    @property
    def lossy(self) -> bool:
        return self.plane.lossy

    def cut(self, left: int, top: int, size: Size, background: int) -> Samples:
        across, down = self.orientation in _MIRRORED_ACROSS, self.orientation in _MIRRORED_DOWN
        whole = self.size
        x = whole.columns - left - size.columns if across else left
        y = whole.rows - top - size.rows if down else top
        if self.orientation in _TRANSPOSED:
            stored = self.plane.cut(y, x, Size(size.rows, size.columns), background)
            samples = stored.transpose(1, 0, 2)
        else:
            samples = self.plane.cut(x, y, size, background)
        samples = samples[:, ::-1] if across else samples
        samples = samples[::-1] if down else samples
        return np.ascontiguousarray(samples)


def _met(first: int, end: int, side: int) -> list[tuple[int, int]]:
    """Index and first pixel of each piece that a range of pixels meets."""
    return [(index, index * side) for index in range(first // side, -(-end // side))]
