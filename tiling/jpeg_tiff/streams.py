"""What is done to the stored tiles of a level, so that each is a stream that stands alone.

JPEG tiles get their directory's tables and colour (`FramePrefix`). JPEG 2000 tiles stand alone
already, but for one byte of some.
"""

from dataclasses import dataclass
from typing import Protocol

from tiling.codecs import jpeg2000
from tiling.codecs.prefix import FramePrefix
from tiling.codecs.segments import parse_frame_header
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.slide import Codec, Colour, TileEncoding
from tiling.tiff_images import colour_of_jpeg

_OTHER_SIZE = "A compressed tile differs in size from its level; copy the file again."


class TileStreams(Protocol):
    """From a tile as it is stored to one that can be handed on."""

    def __len__(self) -> int:
        """Bytes that every tile gains."""

    def apply(self, tile: bytes) -> bytes:
        """The tile as a stream of its own; its entropy-coded data stays as it is.

        May raise DamagedSlideError when the tile is not like the others of its level.
        """


@dataclass(frozen=True, slots=True)
class AsStored:
    """Tiles that are streams of their own."""

    def __len__(self) -> int:
        return 0

    def apply(self, tile: bytes) -> bytes:
        return tile


@dataclass(frozen=True, slots=True)
class DeclaredIct:
    """YCbCr in JPEG 2000, declared to be the component transform of RGB that it amounts to."""

    def __len__(self) -> int:
        return 0

    def apply(self, tile: bytes) -> bytes:
        return jpeg2000.declare_ict(tile)


def jpeg_streams(
    tables: bytes | None, tile: bytes | None, tile_size: Size, said: Colour
) -> tuple[TileEncoding, TileStreams]:
    """The truth about a level's tiles, from one of them: TIFF's own subsampling tag often lies.

    Raises UnsupportedSlideError when they cannot be handed on.
    """
    if tile is None:
        return TileEncoding(said), AsStored()
    header = parse_frame_header(tile)
    if header.size != tile_size:
        raise DamagedSlideError(_OTHER_SIZE)
    colour = colour_of_jpeg(header, said)
    encoding = header.encoding_as(colour)
    if encoding is None:
        raise UnsupportedSlideError(
            "The slide's tiles are in a rare kind of JPEG; export it again as baseline JPEG."
        )
    return encoding, FramePrefix.of_level(tables, tile, colour)


def jpeg_2000_streams(
    tile: bytes | None, tile_size: Size, said: Colour
) -> tuple[TileEncoding, TileStreams] | None:
    """What a level's tiles are, from one of them; None where DICOM has no true name for that.

    Raises UnsupportedSlideError when the file contradicts the stream, and nobody knows who is
    right.
    """
    if tile is None:
        return TileEncoding(Colour.ICT, codec=Codec.JPEG_2000), AsStored()
    header = jpeg2000.parse_header(tile)
    if header.size != tile_size:
        raise DamagedSlideError(_OTHER_SIZE)
    if said is Colour.YCBCR and header.component_transform:
        raise UnsupportedSlideError(
            "The slide's tiles name two transforms of colour; export it again as JPEG."
        )
    announced = header.announced
    if announced is None or (announced.samples, announced.bits) != (3, 8):
        return None
    encoding = jpeg2000.encoding_of(header, said)
    if encoding is not None:
        return encoding, AsStored()
    if header.can_become_ict and not header.is_boxed:
        codec = Codec.HTJ2K if header.high_throughput else Codec.JPEG_2000
        return TileEncoding(Colour.ICT, codec=codec), DeclaredIct()
    return None
