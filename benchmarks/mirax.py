"""A MIRAX slide of any size in seconds: photographs that overlap, their images in data files.

The layout is that of OpenSlide's format notes: `Slidedat.ini` names the levels, `Index.dat` lists
where each image lies in `Data0000.dat`, and a table has the corner of each photograph. A few
photographs of drawn tissue are repeated. It proves nothing about scanners: a real one writes more.
"""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tiling.codecs import jpeg
from tiling.downsample import halve
from tiling.geometry import Size
from tiling.sample.section import draw_section
from tiling.slide import Colour, Pixels, TileEncoding

_VERSION = b"01.02"
_SLIDE_ID = b"00000000000000000000000000000000"
_IMAGE = 256
_PHOTO = 2 * _IMAGE
_OVERLAP = 16
_STEP = _PHOTO - _OVERLAP
_PERIOD = 4
"""Photographs after which the drawing repeats, across and down."""
_LEVELS = 5
_ENCODING = TileEncoding(Colour.YCBCR, (2, 2))
_QUALITY = 85
_PAGE = 1000
_HEAD = len(_VERSION) + len(_SLIDE_ID) + 8
"""Bytes of `Index.dat` before its lists: the mark and two pointers."""


class _Record(NamedTuple):
    image: int
    offset: int
    length: int


def write_mirax(path: Path, photos: int) -> Size:
    """Write `path` and the folder beside it; returns the size in pixels.

    `photos` across and down, a multiple of 8 so that the coarsest images are full.
    """
    if photos % 8 or path.suffix != ".mrxs":
        raise ValueError("a MIRAX slide here has 8, 16, 24... photographs and the suffix .mrxs")
    folder = path.with_suffix("")
    folder.mkdir()
    path.write_bytes(jpeg.encode(np.full((64, 64, 3), 255, np.uint8)))
    with (folder / "Data0000.dat").open("wb") as data:
        data.write((_VERSION + _SLIDE_ID + b"000").ljust(64, b"\0"))
        levels: list[list[_Record]] = []
        for level in range(_LEVELS):
            levels.append([])
            for image, stream in _images(level, photos):
                levels[level].append(_Record(image, data.tell(), len(stream)))
                data.write(stream)
        corners = _corners(photos)
        place = _Record(0, data.tell(), len(corners))
        data.write(corners)
    (folder / "Index.dat").write_bytes(_index(levels, place))
    (folder / "Slidedat.ini").write_text(_slidedat(photos), "utf-8")
    side = photos * _STEP + _OVERLAP
    return Size(side, side)


def _images(level: int, photos: int) -> Iterator[tuple[int, bytes]]:
    """Every image of a level with its number: that of its first image of the base."""
    step = 1 << level
    streams = _streams(level)
    period = len(streams)
    for row in range(2 * photos // step):
        for column in range(2 * photos // step):
            stream = streams[row % period][column % period]
            yield (row * 2 * photos + column) * step, stream


@cache
def _streams(level: int) -> list[list[bytes]]:
    """The images of one period of the drawing."""
    photos = _photographs()
    for _ in range(level):
        photos = [[halve(photo) for photo in row] for row in photos]
    canvas = np.vstack([np.hstack(row) for row in photos])
    if canvas.shape[0] < _IMAGE:
        times = _IMAGE // canvas.shape[0]
        canvas = np.tile(canvas, (times, times, 1))
    places = range(0, canvas.shape[0], _IMAGE)
    return [
        [jpeg.encode(canvas[y : y + _IMAGE, x : x + _IMAGE], _ENCODING, _QUALITY) for x in places]
        for y in places
    ]


@cache
def _photographs() -> list[list[Pixels]]:
    """Each with what its neighbours show as well."""
    section = draw_section(Size(2048, 2048), seed=11)
    places = [number * _STEP for number in range(_PERIOD)]
    return [[section[y : y + _PHOTO, x : x + _PHOTO] for x in places] for y in places]


def _corners(photos: int) -> bytes:
    """A flag, column and row of each photograph."""
    return b"".join(
        struct.pack("<bii", 1 if row == column == 0 else 0, column * _STEP, row * _STEP)
        for row in range(photos)
        for column in range(photos)
    )


def _index(levels: list[list[_Record]], corners: _Record) -> bytes:
    """`Index.dat`: pointers to the lists of the levels and to that of the one other record."""
    index = bytearray(_VERSION + _SLIDE_ID + bytes(8))
    roots = len(index)
    index += bytes(4 * (len(levels) + 1))
    struct.pack_into("<2i", index, _HEAD - 8, roots, roots + 4 * len(levels))
    for number, records in enumerate(levels):
        items = [struct.pack("<4i", *record, 0) for record in records]
        struct.pack_into("<i", index, roots + 4 * number, len(index))
        _append_list(index, items)
    other = struct.pack("<5i", 0, 0, corners.offset, corners.length, 0)
    struct.pack_into("<i", index, roots + 4 * len(levels), len(index))
    _append_list(index, [other])
    return bytes(index)


def _append_list(index: bytearray, items: list[bytes]) -> None:
    """A list in linked pages, each with its number of items and where the next one begins."""
    index += struct.pack("<2i", 0, len(index) + 8)
    for start in range(0, len(items), _PAGE):
        page = items[start : start + _PAGE]
        last = start + _PAGE >= len(items)
        length = 8 + sum(map(len, page))
        index += struct.pack("<2i", len(page), 0 if last else len(index) + length)
        index += b"".join(page)


def _slidedat(photos: int) -> str:
    sections: dict[str, dict[str, object]] = {
        "GENERAL": {
            "SLIDE_VERSION": _VERSION.decode(),
            "SLIDE_ID": _SLIDE_ID.decode(),
            "IMAGENUMBER_X": 2 * photos,
            "IMAGENUMBER_Y": 2 * photos,
            "OBJECTIVE_MAGNIFICATION": 20,
            "CameraImageDivisionsPerSide": 2,
        },
        "HIERARCHICAL": {
            "INDEXFILE": "Index.dat",
            "HIER_COUNT": 1,
            "NONHIER_COUNT": 1,
            "HIER_0_NAME": "Slide zoom level",
            "HIER_0_COUNT": _LEVELS,
            **{f"HIER_0_VAL_{n}": f"ZoomLevel_{n}" for n in range(_LEVELS)},
            **{f"HIER_0_VAL_{n}_SECTION": f"LEVEL_{n}" for n in range(_LEVELS)},
            "NONHIER_0_NAME": "VIMSLIDE_POSITION_BUFFER",
            "NONHIER_0_COUNT": 1,
            "NONHIER_0_VAL_0": "default",
            "NONHIER_0_VAL_0_SECTION": "POSITIONS",
        },
        "DATAFILE": {"FILE_COUNT": 1, "FILE_0": "Data0000.dat"},
        "POSITIONS": {"VIMSLIDE_POSITION_DATA_FORMAT_VERSION": 257},
    }
    for level in range(_LEVELS):
        sections[f"LEVEL_{level}"] = {
            "OVERLAP_X": _OVERLAP / 2**level,
            "OVERLAP_Y": _OVERLAP / 2**level,
            "MICROMETER_PER_PIXEL_X": 0.5 * 2**level,
            "MICROMETER_PER_PIXEL_Y": 0.5 * 2**level,
            "IMAGE_FORMAT": "JPEG",
            "IMAGE_FILL_COLOR_BGR": 0xFFFFFF,
            "DIGITIZER_WIDTH": _IMAGE,
            "DIGITIZER_HEIGHT": _IMAGE,
            "IMAGE_CONCAT_FACTOR": min(level, 1),
        }
    return "".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items()) + "\n"
        for name, values in sections.items()
    )
