"""Tiles that lean on their directory, made to stand alone: shared tables and a true colour.

TIFF keeps the tables of all tiles in one place (TIFF Technical Note 2) and says outside of the
JPEG stream what its samples mean. A browser sees the stream only, so both are written into it.
"""

from dataclasses import dataclass, field

from tiling.codecs import segments
from tiling.codecs.last_header import LastHeader
from tiling.codecs.segments import Segment, iter_segments, parse_frame_header
from tiling.errors import DamagedSlideError
from tiling.slide import Colour

_TABLES = frozenset({segments.DQT, segments.DHT, segments.DRI})


@dataclass(frozen=True, slots=True)
class FramePrefix:
    """What every tile of a level gets after its SOI: the same bytes, so lengths are foreseeable."""

    tables: bytes
    """Segments of quantization and Huffman tables; empty where each tile has its own."""
    colour: Colour
    """What the samples are, by the file."""
    corrects_colour: bool
    """Whether decoders, or some of them, would take the samples for something else."""
    _made: LastHeader[tuple[int, bytes]] = field(
        default_factory=LastHeader, init=False, repr=False, compare=False
    )
    """The last header of a tile as it is stored: its length, and what was made of it."""

    @classmethod
    def of_level(cls, tables: bytes | None, tile: bytes, colour: Colour) -> "FramePrefix":
        """Decide from the level's shared tables and any one of its tiles.

        Raises DamagedSlideError when a stream is not JPEG.
        """
        misread = parse_frame_header(tile).decoded_as is not colour
        # Components that are merely named R, G and B are colours to libjpeg, not to all decoders.
        unmarked = colour is Colour.RGB and not _has_adobe(tile)
        corrects = misread or unmarked
        return cls(_only_tables(tables) if tables else b"", colour, corrects)

    def __len__(self) -> int:
        return len(self._insertion)

    def apply(self, tile: bytes) -> bytes:
        """The tile as a stream of its own, exactly `len(self)` bytes longer.

        Entropy-coded data stays as it is. Raises DamagedSlideError when the tile is no JPEG
        stream, or would be taken for another colour than its level's.
        """
        made = self._made.of(tile)
        if made is not None:
            length, header = made
            return header + tile[length:]
        stream = (
            tile[:2] + self._insertion + _silence(tile)
            if self.corrects_colour
            else (tile[:2] + self._insertion + tile[2:] if self.tables else tile)
        )
        found = parse_frame_header(stream)
        if found.decoded_as is not self.colour:
            raise DamagedSlideError(
                "A compressed tile differs in colour from its level; "
                "copy the file again from the scanner."
            )
        length = found.end - len(self)
        self._made.remember(tile[:length], (length, stream[: found.end]))
        return stream

    @property
    def _insertion(self) -> bytes:
        return (_adobe(self.colour) if self.corrects_colour else b"") + self.tables


def _only_tables(stream: bytes) -> bytes:
    """The table segments of an abbreviated stream, without its SOI and EOI."""
    return b"".join(
        stream[segment.start : segment.end]
        for segment in iter_segments(stream)
        if segment.marker in _TABLES
    )


def _adobe(colour: Colour) -> bytes:
    """Adobe's APP14 segment, 16 bytes: version 100, no flags, and the colour transform."""
    transform = 1 if colour is Colour.YCBCR else 0
    return b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes((transform,))


def _silence(tile: bytes) -> bytes:
    """All of `tile` after its SOI, with the segments that name a colour turned into comments.

    JFIF outranks Adobe in libjpeg, and a later Adobe segment outranks an earlier one. A comment
    has the same length, so that the tile's length stays known without reading it.
    """
    silenced = bytearray(tile)
    for segment in iter_segments(tile):
        if _names_colour(segment, tile):
            silenced[segment.start + 1] = segments.COM
    return bytes(silenced[2:])


def _has_adobe(tile: bytes) -> bool:
    return any(segments.is_adobe(segment, tile) for segment in iter_segments(tile))


def _names_colour(segment: Segment, tile: bytes) -> bool:
    return segments.is_jfif(segment, tile) or segments.is_adobe(segment, tile)
