"""The headers of a JPEG 2000 codestream, read without trusting a single byte.

ISO 15444-1 annex A, and ISO 15444-15 annex A for the high throughput. A header that would cost a
decoder more than its tile is worth is refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tiling.codecs.announced import CORRUPT, CUT_SHORT, Announced
from tiling.codecs.last_header import LastHeader
from tiling.codecs.wavelet import Coding, parse_coding
from tiling.errors import DamagedSlideError, SlideTooLargeError
from tiling.geometry import Size

_SOC, _CAP, _SIZ, _COD, _COC, _SOT, _SOD = 0xFF4F, 0xFF50, 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF93
_EOC = b"\xff\xd9"
_JP2_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_PART_15 = 1 << 17
"""The bit of Pcap in CAP for HTJ2K (ISO 15444-15 A.3)."""

MAX_TILES = 4096
"""Tiles inside one codestream; a decoder keeps kilobytes for each before it reads any."""
MAX_BLOCKS = 1 << 19
"""Precincts and code-blocks of one codestream: a tile of 4096 x 4096 pixels has about 2^16."""
MAX_PACKETS = 1 << 20
"""Packets of one codestream: a layer of a precinct each."""
_MAX_SEGMENTS = 1024
_MAX_TILE_PARTS = 8 * MAX_TILES
_MAX_COMPONENTS = 4


@dataclass(frozen=True, slots=True)
class Component:
    """One component by SIZ (A.5.1): its samples and how far they lie apart."""

    bits: int
    signed: bool
    columns_apart: int
    rows_apart: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a codestream says of itself before its first tile-part."""

    start: int
    """Where the codestream begins: after the boxes, in a JP2 file."""
    length: int
    """Bytes from the start of the codestream to its first tile-part."""
    size: Size
    components: tuple[Component, ...]
    tiles: int
    """Inside the codestream."""
    layers: int
    component_transform: bool
    """Whether the first three components are one colour that the decoder makes RGB (annex G)."""
    transform_at: int
    """Where the byte stands that says so."""
    reversible: bool
    """The 5/3 wavelet, which alone can keep every sample; the 9/7 wavelet loses."""
    high_throughput: bool

    @property
    def is_boxed(self) -> bool:
        """Whether a JP2 file is wrapped around the codestream."""
        return self.start > 0

    @property
    def subsampling(self) -> tuple[int, int] | None:
        """Chroma subsampling, horizontal and vertical; None when no ratio describes it."""
        luma, *others = self.components
        apart = {(component.columns_apart, component.rows_apart) for component in others}
        if (luma.columns_apart, luma.rows_apart) != (1, 1) or len(apart) > 1:
            return None
        return apart.pop() if apart else (1, 1)

    @property
    def announced(self) -> Announced | None:
        """The image in it; None where components differ or have signs."""
        first = self.components[0]
        alike = set(self.components) == {Component(first.bits, False, 1, 1)}
        return Announced(self.size, len(self.components), first.bits) if alike else None

    @property
    def can_become_ict(self) -> bool:
        """Whether YCbCr in it is what the irreversible component transform makes of RGB.

        The matrix is JFIF's (G.3), and the DC level shift (G.1) does to chroma around 128 what the
        transform does to chroma around 0. The 9/7 wavelet goes with it.
        """
        announced = self.announced
        return (
            announced is not None
            and announced.samples == 3
            and not self.component_transform
            and not self.reversible
        )


_last_header = LastHeader[Header]()


def parse_header(frame: bytes) -> Header:
    """Read the main header of a codestream, bare or in a JP2 file.

    Raises DamagedSlideError when it contradicts itself, SlideTooLargeError when a decoder could
    not bear it.
    """
    known = _last_header.of(frame)
    if known is not None:
        return known
    header = _parse_header(frame)
    _last_header.remember(bytes(frame[: header.start + header.length + 2]), header)
    return header


def _parse_header(frame: bytes) -> Header:
    start = _find_codestream(frame)
    once: dict[int, tuple[int, bytes]] = {}
    per_component: list[bytes] = []
    end = start + 2
    for marker, at, payload in _iter_segments(frame, start + 2):
        if marker in (_SIZ, _CAP, _COD):
            if marker in once:
                raise DamagedSlideError(CORRUPT)
            once[marker] = at, payload
        elif marker == _COC:
            per_component.append(payload)
        end = at + len(payload)
    siz_at, siz = once.get(_SIZ, (0, b""))
    cod_at, cod = once.get(_COD, (0, b""))
    if siz_at != start + 6 or len(cod) < 10:
        raise DamagedSlideError(CORRUPT)
    size, tile, tiles, components = _parse_siz(siz)
    # A component has its own style and parameters after its index (A.6.2).
    coded = [(cod[0], cod[5:]), *((int.from_bytes(coc[1:2]), coc[2:]) for coc in per_component)]
    codings = [parse_coding(each, own_precincts=bool(style & 1)) for style, each in coded]
    reversible = codings[0].reversible
    layers = int.from_bytes(cod[2:4], "big")
    if not layers or cod[4] > 1 or any(each.reversible is not reversible for each in codings):
        raise DamagedSlideError(CORRUPT)
    _check_cost(codings, tile, tiles * len(components), layers)
    _, capabilities = once.get(_CAP, (0, b""))
    return Header(
        start=start,
        length=end - start,
        size=size,
        components=components,
        tiles=tiles,
        layers=layers,
        component_transform=cod[4] == 1,
        transform_at=cod_at + 4,
        reversible=reversible,
        high_throughput=bool(int.from_bytes(capabilities[:4], "big") & _PART_15)
        or any(each.high_throughput for each in codings),
    )


def check_tile_parts(frame: bytes, header: Header) -> None:
    """Step from tile-part to tile-part (A.4.2) to the end of the codestream.

    Raises DamagedSlideError where one is cut short, or changes the coding of the main header.
    """
    at = header.start + header.length
    for _ in range(_MAX_TILE_PARTS):
        if _marker(frame, at) != _SOT:
            break
        if frame[at + 2 : at + 4] != b"\0\x0a" or at + 12 > len(frame):
            raise DamagedSlideError(CORRUPT)
        length = int.from_bytes(frame[at + 6 : at + 10], "big")
        _check_tile_part_header(frame, at + 12)
        if not length:  # as long as there are bytes
            at = frame.rfind(_EOC)
            break
        if length < 14:
            raise DamagedSlideError(CORRUPT)
        at += length
    # TIFF and DICOM pad to an even length after the end.
    if at < 0 or frame[at : at + 2] != _EOC or frame[at + 2 :].strip(b"\0"):
        raise DamagedSlideError(CUT_SHORT)


def _find_codestream(frame: bytes) -> int:
    """Where SOC stands: at the beginning, or in the box "jp2c" of a JP2 file (annex I)."""
    if _marker(frame, 0) == _SOC:
        return 0
    at = 0
    for _ in range(_MAX_SEGMENTS if frame.startswith(_JP2_SIGNATURE) else 0):
        length, kind = int.from_bytes(frame[at : at + 4], "big"), frame[at + 4 : at + 8]
        content = at + 8
        if length == 1:
            length, content = int.from_bytes(frame[at + 8 : at + 16], "big"), at + 16
        if kind == b"jp2c" and _marker(frame, content) == _SOC:
            return content
        if length < content - at:
            break
        at += length
    raise DamagedSlideError(CORRUPT)


def _iter_segments(frame: bytes, at: int) -> Iterator[tuple[int, int, bytes]]:
    """Marker, place of the payload and payload of each segment up to the first tile-part."""
    for _ in range(_MAX_SEGMENTS):
        marker = _marker(frame, at)
        if marker == _SOT:
            return
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker < 0xFF50 or length < 2 or at + 2 + length > len(frame):
            break
        yield marker, at + 4, frame[at + 4 : at + 2 + length]
        at += 2 + length
    raise DamagedSlideError(CORRUPT)


def _marker(frame: bytes, at: int) -> int:
    return int.from_bytes(frame[at : at + 2], "big")


def _parse_siz(siz: bytes) -> tuple[Size, Size, int, tuple[Component, ...]]:
    """Image, tile within it, number of those, and components (A.5.1)."""
    if len(siz) < 39:
        raise DamagedSlideError(CORRUPT)
    right, bottom, left, top, columns, rows, tile_left, tile_top = (
        int.from_bytes(siz[at : at + 4], "big") for at in range(2, 34, 4)
    )
    count = int.from_bytes(siz[34:36], "big")
    if (
        not (tile_left <= left < right and tile_top <= top < bottom)
        or not (tile_left + columns > left and tile_top + rows > top)
        or not 1 <= count <= _MAX_COMPONENTS
        or len(siz) != 36 + 3 * count
    ):
        raise DamagedSlideError(CORRUPT)
    components = tuple(
        Component((siz[at] & 0x7F) + 1, bool(siz[at] & 0x80), siz[at + 1], siz[at + 2])
        for at in range(36, len(siz), 3)
    )
    if any(c.bits > 38 or not c.columns_apart or not c.rows_apart for c in components):
        raise DamagedSlideError(CORRUPT)
    size = Size(right - left, bottom - top)
    tiles = -(-(right - tile_left) // columns) * -(-(bottom - tile_top) // rows)
    return size, Size(min(columns, size.columns), min(rows, size.rows)), tiles, components


def _check_cost(codings: list[Coding], tile: Size, pieces: int, layers: int) -> None:
    """Bound what a decoder keeps for `pieces` components of tiles before it has any data."""
    precincts, blocks = (max(each) for each in zip(*(c.cost(tile) for c in codings), strict=True))
    if (
        pieces > MAX_TILES * _MAX_COMPONENTS
        or pieces * (precincts + blocks) > MAX_BLOCKS
        or pieces * precincts * layers > MAX_PACKETS
    ):
        raise SlideTooLargeError(
            "A compressed tile is cut into more pieces than any encoder makes; it is refused."
        )


def _check_tile_part_header(frame: bytes, at: int) -> None:
    for _ in range(_MAX_SEGMENTS):
        marker = _marker(frame, at)
        if marker == _SOD:
            return
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker < 0xFF50 or marker in (_COD, _COC) or length < 2:
            break
        at += 2 + length
    raise DamagedSlideError(CORRUPT)
