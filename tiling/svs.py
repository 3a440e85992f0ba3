"""Writes a slide as Aperio's software does, for the sample slide and for tests.

Tiles lean on shared tables, RGB tiles bear no colour marker and components 0, 1, 2, and the images
come in Aperio's order: base, thumbnail, coarser levels, label, overview.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tifffile

from tiling.blank import white_tile
from tiling.codecs import jpeg, segments
from tiling.codecs.jpeg import JpegOptions
from tiling.codecs.segments import iter_segments, parse_frame_header
from tiling.downsample import halve
from tiling.geometry import Size, TileGrid
from tiling.parallel import map_in_order
from tiling.slide import Colour, Pixels, TileEncoding

_SOFTWARE = "Aperio Image Library v12.0.15"
_TABLES = frozenset({segments.DQT, segments.DHT})
_LABEL, _OVERVIEW = 1, 9
"""NewSubfileType, as Aperio uses it."""


@dataclass(frozen=True, slots=True)
class SvsOptions:
    """What `write_svs` puts into the file besides the pixels of the base."""

    tile: int = 256
    """Side of a tile, in pixels; a multiple of 16."""
    factors: Sequence[int] = (1, 4)
    """Downsample of each level, powers of two from 1 upwards."""
    encoding: TileEncoding = field(default_factory=lambda: JpegOptions().encoding)
    quality: int = 85
    """libjpeg's scale, 1 to 100."""
    label: Pixels | None = None
    overview: Pixels | None = None
    thumbnail: Pixels | None = None
    icc_profile: bytes | None = None
    mpp_um: float = 0.5
    """Distance between pixels of the base, in micrometres."""
    objective_power: float = 20
    fields: Mapping[str, str] = field(default_factory=dict)
    """More `name = value` pairs of the description."""
    left_out: frozenset[tuple[int, int, int]] = frozenset()
    """Tiles to leave out, as `(level, column, row)`: Aperio's "empty JPEG tiles"."""
    workers: int = 2


def write_svs(path: Path, base: Pixels, options: SvsOptions = SvsOptions()) -> None:
    """Write `base` and its pyramid as an SVS; raises ValueError for impossible options."""
    with tifffile.TiffWriter(path, bigtiff=base.nbytes > 1 << 31) as file:
        levels = _pyramid(base, options.factors)
        _write_level(file, 0, next(levels), options, base)
        if options.thumbnail is not None:
            _write_strips(file, options.thumbnail, "thumbnail", options)
        for number, pixels in enumerate(levels, start=1):
            _write_level(file, number, pixels, options, base)
        if options.label is not None:
            _write_strips(file, options.label, "label", options)
        if options.overview is not None:
            _write_strips(file, options.overview, "macro", options)


def abbreviate(stream: bytes) -> tuple[bytes, bytes]:
    """Part a stand-alone JPEG into its shared tables and the rest, both as streams.

    JFIF and Adobe segments are dropped, and RGB components are numbered 0, 1, 2 as Aperio does.
    """
    tables, rest = [], []
    renumbered = parse_frame_header(stream).decoded_as is Colour.RGB
    end = 2
    for segment in iter_segments(stream):
        piece = stream[segment.start : segment.end]
        end = segment.end
        if segment.marker in _TABLES:
            tables.append(piece)
        elif segment.marker not in (segments.APP0, segments.APP14):
            rest.append(_renumber(piece) if renumbered else piece)
    start, stop = b"\xff\xd8", b"\xff\xd9"
    return start + b"".join(tables) + stop, start + b"".join(rest) + stream[end:]


def _renumber(piece: bytes) -> bytes:
    """SOF and SOS with the component names R, G, B replaced by 0, 1, 2."""
    step, first = {segments.SOF0_BASELINE: (3, 10), segments.SOS: (2, 5)}.get(piece[1], (0, 0))
    changed = bytearray(piece)
    for number in range(3 if step else 0):
        changed[first + step * number] = number
    return bytes(changed)


def _pyramid(base: Pixels, factors: Sequence[int]) -> Iterator[Pixels]:
    """Each level's pixels, from the base by repeated halving."""
    if not factors or factors[0] != 1 or any(f & (f - 1) for f in factors):
        raise ValueError("factors must be powers of two that begin with 1")
    pixels, reached = base, 1
    for factor in factors:
        while reached < factor:
            pixels, reached = halve(pixels), reached * 2
        yield pixels


def _write_level(
    file: tifffile.TiffWriter, number: int, pixels: Pixels, options: SvsOptions, base: Pixels
) -> None:
    side = options.tile
    rows, columns = pixels.shape[:2]
    grid = TileGrid(Size(columns, rows), Size(side, side))

    def encode(position: tuple[int, int]) -> bytes:
        column, row = position
        if (number, column, row) in options.left_out:
            return b""
        tile = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
        missing = ((0, side - tile.shape[0]), (0, side - tile.shape[1]), (0, 0))
        whole = np.pad(tile, missing, mode="edge")
        return abbreviate(jpeg.encode(whole, options.encoding, options.quality))[1]

    sample = jpeg.encode(white_tile(grid.tile), options.encoding, options.quality)
    geometry = f"{base.shape[1]}x{base.shape[0]} [0,0 {base.shape[1]}x{base.shape[0]}]"
    reduced = "" if number == 0 else f" -> {columns}x{rows}"
    grey = options.encoding.colour is Colour.GREY
    file.write(
        map_in_order(encode, grid.positions(), options.workers),
        shape=(rows, columns) if grey else (rows, columns, 3),
        dtype=np.uint8,
        tile=(side, side),
        compression="jpeg",
        # Without this, tifffile takes it that RGB was turned into YCbCr on the way.
        compressionargs={"outcolorspace": options.encoding.colour.value},
        photometric="minisblack" if grey else options.encoding.colour.value,
        subsampling=options.encoding.subsampling,
        jpegtables=abbreviate(sample)[0],
        iccprofile=options.icc_profile,
        description=f"{_SOFTWARE} \r\n{geometry} ({side}x{side}){reduced} JPEG/RGB "
        f"Q={options.quality}|{_fields(options)}",
        metadata=None,
        software=False,
    )


def _fields(options: SvsOptions) -> str:
    named = {
        "AppMag": f"{options.objective_power:g}",
        "MPP": f"{options.mpp_um:.4f}",
        **options.fields,
    }
    return "|".join(f"{name} = {value}" for name, value in named.items())


def _write_strips(
    file: tifffile.TiffWriter, pixels: Pixels, name: str, options: SvsOptions
) -> None:
    """A label by LZW, so that its text stays crisp; the other two by JPEG, in strips of 16 rows."""
    lossless = name == "label"
    size = f"{pixels.shape[1]}x{pixels.shape[0]}"
    second_line = f"-> {size} - |{_fields(options)}" if name == "thumbnail" else f"{name} {size}"
    file.write(
        pixels,
        # What the array holds: tifffile turns it into YCbCr for JPEG, and says so in the file.
        photometric="rgb",
        subsampling=None if lossless else (2, 2),
        compression="lzw" if lossless else "jpeg",
        compressionargs=None if lossless else {"level": options.quality},
        predictor=lossless,
        rowsperstrip=16,
        subfiletype={"label": _LABEL, "macro": _OVERVIEW}.get(name, 0),
        description=f"{_SOFTWARE} \r\n{second_line}",
        metadata=None,
        software=False,
    )
