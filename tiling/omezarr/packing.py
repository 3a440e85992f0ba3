"""Tiles as compressed chunks without loss, and back; a blank one is no chunk at all."""

from dataclasses import dataclass

import imagecodecs

from tiling.blank import blank_tile, is_blank
from tiling.geometry import Size
from tiling.omezarr.chunks import chunk_bytes, from_planar, planar
from tiling.omezarr.crc32c import crc32c
from tiling.omezarr.documents import LITTLE_ENDIAN, Document
from tiling.omezarr.shards import SEAL_BYTES
from tiling.slide import PixelFormat, Samples


@dataclass(frozen=True, slots=True)
class Packing:
    """Zstandard over planar samples, and a CRC-32C over that: a bit that flips in an archive is
    noticed by whoever reads the chunk. Every Zarr 3 library that is in use has both.
    """

    pixel_format: PixelFormat
    fill_value: int
    """The sample that a chunk which is not there is full of."""
    zstd_level: int

    @property
    def codecs(self) -> list[Document]:
        """As an array's document lists them."""
        zstd = {"name": "zstd", "configuration": {"level": self.zstd_level, "checksum": False}}
        return [LITTLE_ENDIAN, zstd, {"name": "crc32c"}]

    def pack(self, samples: Samples) -> bytes | None:
        """The chunk of a tile; None when it has nothing but the fill value."""
        rows, columns = samples.shape[:2]
        if is_blank(samples, self._blank(Size(columns, rows))):
            return None
        packed = bytes(imagecodecs.zstd_encode(planar(samples), level=self.zstd_level))
        return packed + crc32c(packed).to_bytes(SEAL_BYTES, "little")

    def unpack(self, packed: bytes | None, tile: Size) -> Samples:
        """The tile that `pack` was given, in this process: its seal is not looked at."""
        if packed is None:
            return self._blank(tile)
        length = chunk_bytes(tile, self.pixel_format)
        data = bytes(imagecodecs.zstd_decode(packed[:-SEAL_BYTES], out=length))
        return from_planar(data, tile, self.pixel_format)

    def _blank(self, tile: Size) -> Samples:
        return blank_tile(tile, self.pixel_format, self.fill_value)
