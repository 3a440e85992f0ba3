"""Tiles of a TIFF that are compressed images themselves: JPEG and JPEG 2000, made samples."""

from dataclasses import dataclass
from typing import cast

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tiling.codecs import jpeg2000, ycbcr
from tiling.codecs.announced import DIFFERS, Announced, unpack
from tiling.codecs.codestream import Header, check_tile_parts, parse_header
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import FrameHeader, parse_frame_header
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import Colour, Pixels, Samples

JPEG = 7
APERIO_YCBCR, APERIO_RGB = 33003, 33005
JPEG_2000 = frozenset({APERIO_YCBCR, APERIO_RGB, 34712})
IMAGE_CODECS = frozenset({JPEG, *JPEG_2000})
"""Values of the field Compression."""

_SEQUENTIAL = frozenset({0xC0, 0xC1, 0xC3})
"""Baseline, extended and lossless JPEG: a few scans, so that no tile takes long."""
_UPSAMPLED = ((2, 1), (2, 2))
"""The halved chroma that OpenJPEG makes whole again, and RGB with it."""


_APERIO_RGB = (0, 1, 2)
"""Names of the components of RGB tiles by Aperio, which decoders take for YCbCr."""


def colour_of_jpeg(header: FrameHeader, said: Colour) -> Colour:
    """What the samples of a JPEG are: what the file says, but for those that cannot be RGB.

    Bio-Formats turns RGB into YCbCr on the way into JPEG, and writes RGB into the directory all
    the same. Hardly anybody gives red more samples than green; halved chroma gives it away, unless
    the components are named as only RGB's are.
    """
    looks_ycbcr = header.decoded_as is Colour.YCBCR and header.subsampling != (1, 1)
    names = tuple(component.identifier for component in header.components)
    return Colour.YCBCR if looks_ycbcr and names != _APERIO_RGB else said


@dataclass(frozen=True, slots=True)
class ImageTiles:
    """What the tiles of a directory are by its fields, and how they are unpacked."""

    compression: int
    samples: int
    """1 or 3."""
    bits: int
    colour: Colour
    """Of the samples as they were coded."""
    tables: bytes | None = None
    """JPEG tables that all tiles share."""

    def unpack(self, data: bytes, tile: Size, visible_rows: int) -> Samples:
        """A tile as RGB or grey `(rows, columns, samples)`.

        The last strip of an image may have fewer rows than `tile`, but has the visible ones.
        Raises DamagedSlideError where the data is not what it should be, UnsupportedSlideError
        for kinds that are not read.
        """
        if self.compression == JPEG:
            size, samples = self._unpack_jpeg(data, tile, visible_rows)
        else:
            size, samples = self._unpack_jpeg_2000(data, tile, visible_rows)
        if samples.ndim == 2:
            samples = samples[:, :, None]
        dtype = np.uint8 if self.bits <= 8 else np.uint16
        if samples.shape != (size.rows, size.columns, self.samples) or samples.dtype != dtype:
            raise DamagedSlideError(DIFFERS)
        return cast("Samples", samples)

    def _check(self, announced: Announced, tile: Size, visible_rows: int) -> None:
        size = announced.size
        fits = size.columns == tile.columns and visible_rows <= size.rows <= tile.rows
        if not fits or announced != Announced(size, self.samples, self.bits):
            raise DamagedSlideError(DIFFERS)

    def _unpack_jpeg(
        self, data: bytes, tile: Size, visible_rows: int
    ) -> tuple[Size, NDArray[np.generic]]:
        header = parse_frame_header(data)
        announced = Announced(header.size, len(header.components), header.bits)
        self._check(announced, tile, visible_rows)
        if header.marker not in _SEQUENTIAL:
            raise UnsupportedSlideError(
                "The image's tiles are in a rare kind of JPEG; export it again as baseline JPEG."
            )
        colour = colour_of_jpeg(header, self.colour)
        stream = FramePrefix.of_level(self.tables, data, colour).apply(data)
        return header.size, unpack(imagecodecs.jpeg8_decode, stream)

    def _unpack_jpeg_2000(
        self, data: bytes, tile: Size, visible_rows: int
    ) -> tuple[Size, NDArray[np.generic]]:
        # Boxes around the codestream could say that its samples are something else.
        stream = data[parse_header(data).start :]
        header = parse_header(stream)
        if len({(each.bits, each.signed) for each in header.components}) > 1:
            raise DamagedSlideError(DIFFERS)
        first = header.components[0]
        announced = Announced(header.size, len(header.components), first.bits)
        self._check(announced, tile, visible_rows)
        if first.signed or not self._has_read_subsampling(header):
            raise UnsupportedSlideError(
                "The image's tiles are in a rare kind of JPEG 2000; export it again as JPEG."
            )
        check_tile_parts(stream, header)
        samples = jpeg2000.unpack_frame(stream)
        stays_ycbcr = header.subsampling == (1, 1) and not header.component_transform
        if self.colour is Colour.YCBCR and stays_ycbcr and samples.dtype == np.uint8:
            samples = ycbcr.to_rgb(cast("Pixels", samples))
        return header.size, samples

    def _has_read_subsampling(self, header: Header) -> bool:
        if header.subsampling == (1, 1):
            return self.colour is not Colour.YCBCR or self.bits == 8
        return (
            header.subsampling in _UPSAMPLED
            and self.colour is Colour.YCBCR
            and self.bits == 8
            and not header.component_transform
        )
