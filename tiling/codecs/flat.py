"""Runs of blank blocks, coded with a stream's own tables.

A tile that reaches beyond its image needs blocks that nobody scanned. Its entropy-coded data may
not be touched, so they come as restart segments of their own, in the Huffman codes of the stream
(ISO 10918-1 F.1.2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiling.codecs import segments
from tiling.codecs.segments import FrameHeader, iter_segments
from tiling.errors import DamagedSlideError
from tiling.slide import Colour

_END_OF_BLOCK = 0
_BRIGHTEST = 8 * 127
"""DC coefficient of a block of 255, before quantization."""

HuffmanCodes = Mapping[int, str]
"""The code of each symbol as a string of 0 and 1."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """What a header defines, by table identifier."""

    dc_steps: Mapping[int, int]
    """The quantization step of the DC coefficient."""
    codes: Mapping[int, HuffmanCodes]
    """By class and identifier as DHT writes them: 0x00 to 0x03 are DC, 0x10 to 0x13 AC."""


def encode_flat_segment(header: bytes, frame: FrameHeader, mcus: int) -> bytes | None:
    """White MCUs, as many as asked, as the entropy-coded bytes between two restart markers.

    `header` runs from SOI to SOS. Where the tables have no code for white, the blocks are as
    bright as they allow; the result is None where they cannot say "flat" at all. Raises
    DamagedSlideError when a table contradicts itself.
    """
    tables = _read_tables(header)
    first, later = [], []
    for selector, step_of, blocks, target in _components(header, frame):
        dc, ac = tables.codes.get(selector >> 4), tables.codes.get(0x10 | (selector & 15))
        step = tables.dc_steps.get(step_of)
        if not dc or not ac or not step or _END_OF_BLOCK not in ac or 0 not in dc:
            return None
        still = dc[0] + ac[_END_OF_BLOCK]
        first.append(_difference(dc, -(-target // step)) + ac[_END_OF_BLOCK])
        first.append(still * (blocks - 1))
        later.append(still * blocks)
    return _pack("".join(first) + "".join(later) * (mcus - 1))


def _components(header: bytes, frame: FrameHeader) -> Sequence[tuple[int, int, int, int]]:
    """For each component of the scan: tables, quantization table, blocks in an MCU, DC of white."""
    payloads = {s.marker: s.payload(header) for s in iter_segments(header)}
    sof, scan = payloads[frame.marker], payloads[segments.SOS]
    alone = len(frame.components) == 1
    found = []
    for number, component in enumerate(frame.components):
        blocks = 1 if alone else component.horizontal * component.vertical
        neutral = frame.decoded_as is Colour.YCBCR and number > 0
        found.append(
            (scan[2 + 2 * number], sof[8 + 3 * number], blocks, 0 if neutral else _BRIGHTEST)
        )
    return found


def _read_tables(header: bytes) -> _Tables:
    dc_steps: dict[int, int] = {}
    codes: dict[int, HuffmanCodes] = {}
    for segment in iter_segments(header):
        payload = segment.payload(header)
        if segment.marker == segments.DQT:
            _read_quantization(payload, dc_steps)
        elif segment.marker == segments.DHT:
            _read_huffman(payload, codes)
    return _Tables(dc_steps, codes)


def _read_quantization(payload: bytes, dc_steps: dict[int, int]) -> None:
    """One DQT segment (B.2.4.1): any number of tables of 64 values of one or two bytes."""
    at = 0
    while at < len(payload):
        width = 2 if payload[at] >> 4 else 1
        dc_steps[payload[at] & 15] = int.from_bytes(payload[at + 1 : at + 1 + width], "big")
        at += 1 + 64 * width
    if at != len(payload):
        raise DamagedSlideError(_CORRUPT)


def _read_huffman(payload: bytes, codes: dict[int, HuffmanCodes]) -> None:
    """One DHT segment (B.2.4.2): the number of codes of each length, then their symbols."""
    at = 0
    while at < len(payload):
        lengths = payload[at + 1 : at + 17]
        symbols = payload[at + 17 : at + 17 + sum(lengths)]
        if len(lengths) != 16 or len(symbols) != sum(lengths):
            raise DamagedSlideError(_CORRUPT)
        codes[payload[at]] = _canonical(lengths, symbols)
        at += 17 + len(symbols)


def _canonical(lengths: bytes, symbols: bytes) -> HuffmanCodes:
    """Codes in order of their length (annex C)."""
    codes: dict[int, str] = {}
    code, place = 0, 0
    for bits, count in enumerate(lengths, start=1):
        for symbol in symbols[place : place + count]:
            if code >> bits:
                raise DamagedSlideError(_CORRUPT)
            codes[symbol] = format(code, f"0{bits}b")
            code += 1
        place += count
        code <<= 1
    return codes


def _difference(dc: HuffmanCodes, value: int) -> str:
    """A positive DC difference, made smaller until the table has a code for its magnitude."""
    while value.bit_length() not in dc:
        value = (1 << (value.bit_length() - 1)) - 1
    return dc[value.bit_length()] + (format(value, "b") if value else "")


def _pack(bits: str) -> bytes:
    """Bytes of a string of bits, filled up with ones and with a 0 after each 0xFF (F.1.2.3)."""
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")


_CORRUPT = "A compressed image has a corrupt table; copy the file again from the scanner."
