"""An NDPI slide of any size in seconds: restart segments of drawn tissue, over and over.

Each level is one JPEG that restarts every 256 pixels, with the table of its segments in a private
field, as a NanoZoomer writes it; directories and links have 64-bit offsets.
"""

import io
import struct
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tiling.codecs.restarts import find_restarts, join_segments, parse_restart_header
from tiling.downsample import halve
from tiling.geometry import Size
from tiling.sample.section import draw_section
from tiling.slide import Pixels

_SIDE = 2048
"""Of the drawing that is repeated."""
_FACTORS = (1, 2, 4, 8)
_RESTART = 256
_MCU_COLUMNS = 16
_MOST_TIMES = 31
"""A JPEG has at most 65,535 pixels across."""
_LENS = 20.0
_PER_CM = 20_000
_ASCII, _SHORT, _LONG, _RATIO, _SIGNED, _FLOAT = 2, 3, 4, 5, 9, 11
_LETTERS = {_SHORT: "H", _LONG: "I", _RATIO: "I", _SIGNED: "i", _FLOAT: "f"}

_Value = tuple[int, bytes | list[float]]


def write_ndpi(path: Path, times: int) -> Size:
    """Write an NDPI that shows the drawing `times` across and down; returns its size in pixels."""
    if not 1 <= times <= _MOST_TIMES:
        raise ValueError(f"an NDPI here shows its drawing 1 to {_MOST_TIMES} times across")
    section = draw_section(Size(_SIDE, _SIDE), seed=5)
    with path.open("wb") as file:
        file.write(b"II*\0" + bytes(8))
        link = 4
        for factor in _FACTORS:
            stream, starts = _repeat(section, times)
            link = _append(file, link, section.shape[0] * times, factor, stream, starts)
            section = halve(section)
    return Size(_SIDE * times, _SIDE * times)


def _repeat(section: Pixels, times: int) -> tuple[bytes, NDArray[np.int64]]:
    """A JPEG of the drawing many times over, and where its restart segments begin."""
    buffer = io.BytesIO()
    Image.fromarray(section).save(
        buffer,
        "JPEG",
        quality=85,
        subsampling=1,
        restart_marker_blocks=_RESTART // _MCU_COLUMNS,
    )
    stream = buffer.getvalue()
    header = parse_restart_header(stream)
    body = stream[header.length :]
    bounds = np.concatenate(([0], find_restarts(body) + 2, [len(body)]))
    across = section.shape[1] // _RESTART
    lengths = np.tile(np.diff(bounds).reshape(-1, across), (times, times)).ravel()
    rows = [body[start:end] * times for start, end in pairwise(bounds[::across].tolist())]
    side = section.shape[0] * times
    first = header.for_size(Size(side, side))
    starts = len(first) + np.concatenate(([0], np.cumsum(lengths)[:-1]))
    return join_segments(first, b"".join(rows) * times, lengths), starts


def _append(
    file: BinaryIO, link: int, side: int, factor: int, stream: bytes, starts: NDArray[np.int64]
) -> int:
    """Add an image and its directory, to which the place `link` will point; returns the next."""
    offset = file.tell()
    file.write(stream)
    tags: dict[int, _Value] = {
        256: (_LONG, [side]),
        257: (_LONG, [side]),
        258: (_SHORT, [8, 8, 8]),
        259: (_SHORT, [7]),
        262: (_SHORT, [6]),
        271: (_ASCII, b"Hamamatsu\0"),
        272: (_ASCII, b"NanoZoomer\0"),
        273: (_LONG, [offset]),
        277: (_SHORT, [3]),
        278: (_LONG, [side]),
        279: (_LONG, [len(stream)]),
        282: (_RATIO, [_PER_CM // factor, 1]),
        283: (_RATIO, [_PER_CM // factor, 1]),
        296: (_SHORT, [3]),
        305: (_ASCII, b"drawn\0"),
        306: (_ASCII, b"2024:02:29 13:14:15\0"),
        65420: (_LONG, [1]),
        65421: (_FLOAT, [_LENS / factor]),
        65422: (_SIGNED, [0]),
        65423: (_SIGNED, [0]),
        65424: (_SIGNED, [0]),
        65426: (_LONG, starts.tolist()),
        65442: (_ASCII, b"0001\0"),
        65449: (_ASCII, b"Product=NanoZoomer\r\n\0"),
    }
    entries, uppers = b"", b""
    for tag, (kind, value) in sorted(tags.items()):
        entry, upper = _entry(file, tag, kind, value)
        entries, uppers = entries + entry, uppers + upper
    directory = file.tell()
    file.write(struct.pack("<H", len(tags)) + entries + bytes(8) + uppers)
    end = file.tell()
    file.seek(link)
    file.write(struct.pack("<Q", directory))
    file.seek(end)
    return directory + 2 + len(entries)


def _entry(file: BinaryIO, tag: int, kind: int, value: bytes | list[float]) -> tuple[bytes, bytes]:
    """An entry, and the upper half of its value or offset; long values go to the file."""
    if isinstance(value, bytes):
        raw, count = value, len(value)
    else:
        raw = struct.pack(f"<{len(value)}{_LETTERS[kind]}", *value)
        count = len(value) // 2 if kind == _RATIO else len(value)
    if len(raw) > 4:
        place = file.tell()
        file.write(raw)
        raw = struct.pack("<Q", place)
    raw = raw.ljust(8, b"\0")
    return struct.pack("<HHI", tag, kind, count) + raw[:4], raw[4:]
