"""Large slides in seconds: an SVS whose tiles are few drawings, and yet all different."""

import itertools
import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import tifffile

from sgi.errors import ConfigurationError
from tiling.codecs import jpeg, segments
from tiling.geometry import Size
from tiling.sample.section import draw_section
from tiling.slide import Colour, TileEncoding
from tiling.svs import abbreviate

DEFAULT_MB = 256
LARGEST_MB = 2048
_TILE = 256
_FACTORS = (1, 4, 16)
_QUALITY = 85
_ENCODING = TileEncoding(Colour.YCBCR, (2, 1))
_SOFTWARE = "Aperio Image Library v12.0.15"


def size_bytes() -> int:
    """How large the slides of a benchmark are: `SGI_BENCH_MB`, in units of 2**20 bytes."""
    said = os.environ.get("SGI_BENCH_MB", str(DEFAULT_MB))
    if not said.isdecimal() or not 1 <= int(said) <= LARGEST_MB:
        raise ConfigurationError(f"SGI_BENCH_MB must be a number from 1 to {LARGEST_MB}.")
    return int(said) << 20


def write_slide(path: Path, size: int, mark: str, *, thumbnail: bool = False) -> Size:
    """Write an SVS of about `size` bytes, flushed to the disk; returns its grid of base tiles.

    A `thumbnail` comes after the base, where some readers take whatever they find for one. Every
    tile ends with a comment with `mark`, its level and its number, so that no two tiles of any two
    slides with different marks are the same, and yet all begin alike, as a scanner's do.
    """
    tables, tiles = _drawn_tiles()
    mean = sum(map(len, tiles)) / len(tiles)
    side = max(1, math.ceil(math.sqrt(size / mean / sum(1 / f**2 for f in _FACTORS))))
    with tifffile.TiffWriter(path, bigtiff=size > 1 << 31) as file:
        for level, factor in enumerate(_FACTORS):
            pixels = -(-side * _TILE // factor)
            area = math.ceil(pixels / _TILE) ** 2
            file.write(
                _marked(tiles, area, f"{mark} {level}"),
                shape=(pixels, pixels, 3),
                dtype=np.uint8,
                tile=(_TILE, _TILE),
                compression="jpeg",
                photometric="ycbcr",
                subsampling=_ENCODING.subsampling,
                jpegtables=tables,
                description=f"{_SOFTWARE} \r\n{pixels}x{pixels} ({_TILE}x{_TILE}) JPEG/RGB "
                f"Q={_QUALITY}|AppMag = 40|MPP = 0.2500",
                metadata=None,
                software=False,
            )
            if thumbnail and level == 0:
                _write_thumbnail(file, pixels)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    return Size(side, side)


def _write_thumbnail(file: tifffile.TiffWriter, base_pixels: int) -> None:
    small = np.full((768, 768, 3), 230, np.uint8)
    file.write(
        small,
        photometric="rgb",
        subsampling=(2, 2),
        compression="jpeg",
        rowsperstrip=16,
        description=f"{_SOFTWARE} \r\n{base_pixels}x{base_pixels} -> 768x768 - ",
        metadata=None,
        software=False,
    )


def _marked(tiles: list[bytes], count: int, mark: str) -> Iterator[bytes]:
    """The tiles over and over, a comment segment of its own before each one's last marker."""
    for number, tile in enumerate(itertools.islice(itertools.cycle(tiles), count)):
        text = f"{mark} {number}".encode()
        length = (2 + len(text)).to_bytes(2, "big")
        yield tile[:-2] + bytes((0xFF, segments.COM)) + length + text + tile[-2:]


@cache
def _drawn_tiles() -> tuple[bytes, list[bytes]]:
    """Shared tables, and tiles of drawn tissue that lean on them."""
    section = draw_section(Size(2048, 2048), seed=7)
    streams = [
        abbreviate(jpeg.encode(section[y : y + _TILE, x : x + _TILE], _ENCODING, _QUALITY))
        for y in range(0, section.shape[0], _TILE)
        for x in range(0, section.shape[1], _TILE)
    ]
    return streams[0][0], [tile for _, tile in streams]
