"""The marker segments of a JPEG stream (ISO 10918-1 B.1), read without trusting a single byte."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tiling.codecs.last_header import LastHeader
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.slide import Colour, TileEncoding

SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
DQT, DHT, DRI, COM = 0xDB, 0xC4, 0xDD, 0xFE
APP0, APP14 = 0xE0, 0xEE
SOF0_BASELINE = 0xC0

_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""TEM and the restart markers: they carry no length (table B.1)."""
_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {DHT, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment: `stream[start:end]`, from its 0xFF to the last byte of its payload."""

    marker: int
    start: int
    end: int

    def payload(self, stream: bytes) -> bytes:
        """The bytes after marker and length."""
        return stream[self.start + 4 : self.end]


def iter_segments(stream: bytes) -> Iterator[Segment]:
    """The segments between SOI and the first SOS (given last) or EOI (not given).

    Each step moves forward, so the walk ends on any bytes. Raises DamagedSlideError when the
    stream does not begin with SOI, a marker is missing, or a length leads outside the stream.
    """
    if stream[:2] != bytes((0xFF, SOI)):
        raise DamagedSlideError(_damaged("does not begin as a JPEG image"))
    position = 2
    while True:
        start = position
        if stream[position : position + 1] != b"\xff":
            raise DamagedSlideError(_damaged("lacks a marker where its header needs one"))
        # Any number of 0xFF may fill the space before a marker (B.1.1.2).
        while stream[position : position + 1] == b"\xff":
            start = position
            position += 1
        if position >= len(stream):
            raise DamagedSlideError(_damaged("ends within its header"))
        marker = stream[position]
        position += 1
        if marker == EOI:
            return
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(stream[position : position + 2], "big")
        if length < 2 or position + length > len(stream):
            raise DamagedSlideError(_damaged("has a header that runs past its end"))
        position += length
        yield Segment(marker, start, position)
        if marker == SOS:
            return


@dataclass(frozen=True, slots=True)
class Component:
    """One component of a frame header (B.2.2): its identifier and its sampling factors."""

    identifier: int
    horizontal: int
    vertical: int


@dataclass(frozen=True, slots=True)
class FrameHeader:
    """What a JPEG stream says of itself before its first entropy-coded byte."""

    marker: int
    bits: int
    """Bits per sample."""
    size: Size
    components: tuple[Component, ...]
    decoded_as: Colour
    """What an ordinary decoder takes the samples for, truly or not."""
    end: int = field(compare=False)
    """Where the entropy-coded data begin, in bytes from SOI."""
    subsampling: tuple[int, int] | None = field(init=False, compare=False)
    """Chroma subsampling, horizontal and vertical; None when no ratio describes it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "subsampling", _subsampling(self.components))

    @property
    def is_baseline(self) -> bool:
        """Sequential, Huffman-coded, 8 bits: what every decoder and browser reads."""
        return self.marker == SOF0_BASELINE and self.bits == 8

    def encoding_as(self, colour: Colour) -> TileEncoding | None:
        """What tiles with this header are when their samples are `colour`; None to re-encode them.

        The one place that decides what is handed on. It is what the DICOM writer can hold:
        baseline JPEG of 8 bits in three components, YCbCr or RGB, and RGB without subsampling
        (PS3.5 8.2.1 knows of subsampling for YCbCr alone). Grey is not written yet.
        """
        subsampling = self.subsampling
        if not self.is_baseline or len(self.components) != 3 or subsampling is None:
            return None
        whole = subsampling == (1, 1)
        held = colour is Colour.YCBCR or (colour is Colour.RGB and whole)
        return TileEncoding(colour, subsampling) if held else None


_last_header = LastHeader[FrameHeader]()


def parse_frame_header(stream: bytes) -> FrameHeader:
    """Read size, components and colour of a JPEG stream that has an image.

    Raises DamagedSlideError when there is no frame header or no scan, or either is impossible.
    """
    known = _last_header.of(stream)
    if known is not None:
        return known
    header = _parse_frame_header(stream)
    _last_header.remember(bytes(stream[: header.end]), header)
    return header


def _parse_frame_header(stream: bytes) -> FrameHeader:
    frame: Segment | None = None
    jfif = scan = False
    end = 0
    adobe: int | None = None
    for segment in iter_segments(stream):
        if segment.marker in _FRAME_HEADERS:
            frame = frame or segment
        elif segment.marker == APP0:
            jfif = jfif or is_jfif(segment, stream)
        elif segment.marker == APP14 and is_adobe(segment, stream):
            adobe = segment.payload(stream)[11]
        scan = segment.marker == SOS
        end = segment.end
    if frame is None or not scan:
        raise DamagedSlideError(_damaged("holds no image"))
    payload = frame.payload(stream)
    if len(payload) < 6 or len(payload) != 6 + 3 * payload[5] or payload[5] not in (1, 3, 4):
        raise DamagedSlideError(_damaged("has an impossible frame header"))
    rows, columns = (int.from_bytes(payload[at : at + 2], "big") for at in (1, 3))
    if not rows or not columns:
        raise DamagedSlideError(_damaged("says that it has no pixels"))
    components = tuple(
        Component(payload[at], payload[at + 1] >> 4, payload[at + 1] & 15)
        for at in range(6, len(payload), 3)
    )
    if any(not 1 <= c.horizontal <= 4 or not 1 <= c.vertical <= 4 for c in components):
        raise DamagedSlideError(_damaged("has impossible sampling factors"))
    return FrameHeader(
        frame.marker,
        payload[0],
        Size(columns, rows),
        components,
        _decoded_as(components, jfif=jfif, adobe=adobe),
        end,
    )


def _subsampling(components: tuple[Component, ...]) -> tuple[int, int] | None:
    if len(components) == 1:
        return 1, 1
    luma, *chroma = components
    factors = {(component.horizontal, component.vertical) for component in chroma}
    if len(factors) != 1:
        return None
    horizontal, vertical = factors.pop()
    if luma.horizontal % horizontal or luma.vertical % vertical:
        return None
    return luma.horizontal // horizontal, luma.vertical // vertical


def is_jfif(segment: Segment, stream: bytes) -> bool:
    """Whether a segment is the JFIF header, which makes decoders expect YCbCr."""
    return segment.marker == APP0 and segment.payload(stream).startswith(b"JFIF\0")


def is_adobe(segment: Segment, stream: bytes) -> bool:
    """Whether a segment is Adobe's, whose twelfth byte names the colour transform."""
    payload = segment.payload(stream)
    return segment.marker == APP14 and payload.startswith(b"Adobe") and len(payload) >= 12


def _decoded_as(components: tuple[Component, ...], *, jfif: bool, adobe: int | None) -> Colour:
    """The guess of libjpeg, which is that of every browser: JFIF, then Adobe, then the names."""
    if len(components) == 1:
        return Colour.GREY
    if jfif:
        return Colour.YCBCR
    if adobe is not None:
        return Colour.RGB if adobe == 0 else Colour.YCBCR
    names = bytes(component.identifier for component in components)
    return Colour.RGB if names == b"RGB" else Colour.YCBCR


def _damaged(what: str) -> str:
    return f"A compressed tile {what}; copy the file again from the scanner."
