"""A rectangle of a slide at a size: which level to take, and which of its tiles. Arithmetic alone.

A rectangle is in pixels of the base. A pixel of a level of downsample `d` covers `d` of the
base's along each side, from the upper left corner on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor

from tiling.geometry import Size
from tiling.slide import Level

_ROUNDING = 1e-6
"""Of pixels: what arithmetic with floating point leaves of a whole number."""
_MOST_SHRINKING = 8


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the base: from `left` and `top`, half-open, in pixels."""

    left: int
    top: int
    columns: int
    rows: int

    def __post_init__(self) -> None:
        if self.left < 0 or self.top < 0 or self.columns <= 0 or self.rows <= 0:
            raise ValueError(
                f"no region of {self.columns} x {self.rows} at {self.left}, {self.top}"
            )

    @property
    def size(self) -> Size:
        return Size(self.columns, self.rows)


@dataclass(frozen=True, slots=True)
class Cut:
    """What has to be taken of a level to show a region at a size."""

    level: int
    left: float
    top: float
    right: float
    bottom: float
    """In pixels of the level: half-open, not whole numbers where the region's edge lies within."""
    size: Size
    """Of the picture."""
    tile_columns: range
    tile_rows: range
    """The tiles that are touched, with those that pixels of the edge are mixed from."""
    shrink: int
    """1, 2, 4 or 8: by how much tiles are shrunk while they are unpacked."""

    def positions(self) -> Iterator[tuple[int, int]]:
        """The `(column, row)` of every tile, in row-major order."""
        return ((column, row) for row in self.tile_rows for column in self.tile_columns)

    def tile_alone(self, tile: Size) -> tuple[int, int] | None:
        """The `(column, row)` of the tile that the picture is, pixel by pixel; None of others."""
        column, row = self.tile_columns.start, self.tile_rows.start
        found = (self.left, self.top, self.right, self.bottom, self.size)
        left, top = column * tile.columns, row * tile.rows
        alone = found == (left, top, left + tile.columns, top + tile.rows, tile)
        return (column, row) if alone else None

    @property
    def tiles(self) -> int:
        """How many there are."""
        return len(self.tile_columns) * len(self.tile_rows)


def cut_region(levels: Sequence[Level], region: Region, size: Size) -> Cut:
    """The coarsest level that has all pixels for `region` at `size`, and what to take of it.

    `levels` are from the base upwards. The region must begin within the base; what reaches beyond
    is cut off. Raises ValueError where it begins beyond, or where `size` is larger than it.
    """
    base = levels[0].size
    right = min(region.left + region.columns, base.columns)
    bottom = min(region.top + region.rows, base.rows)
    columns, rows = right - region.left, bottom - region.top
    if columns <= 0 or rows <= 0:
        raise ValueError("the region lies beyond the slide")
    if size.columns > columns or size.rows > rows:
        raise ValueError(f"{columns} x {rows} pixels are fewer than {size.columns} x {size.rows}")
    number, factor = _level_for(levels, Size(columns, rows), size)
    level = levels[number]
    left, right_edge = _span(region.left, right, factor, size.columns, level.size.columns)
    top, bottom_edge = _span(region.top, bottom, factor, size.rows, level.size.rows)
    ratios = (right_edge - left) / size.columns, (bottom_edge - top) / size.rows
    shrink = _shrink(level.tile, min(ratios))
    margins = _margin(left, ratios[0], shrink), _margin(top, ratios[1], shrink)
    return Cut(
        level=number,
        left=left,
        top=top,
        right=right_edge,
        bottom=bottom_edge,
        size=size,
        tile_columns=_tiles(left, right_edge, margins[0], level.tile.columns, level.size.columns),
        tile_rows=_tiles(top, bottom_edge, margins[1], level.tile.rows, level.size.rows),
        shrink=shrink,
    )


def factor_of(level: Level, base: Size) -> float:
    """A level's downsample; the whole number where its size says that it is meant.

    Scanners drop or add the pixels that do not fill a whole one, and the quotient of the sizes is
    then a little off: by it, the last tiles would be shifted by some pixels.
    """
    whole = round(level.downsample)
    fits = whole >= 1 and all(
        abs(extent / whole - own) <= 1
        for extent, own in (
            (base.columns, level.size.columns),
            (base.rows, level.size.rows),
        )
    )
    return float(whole) if fits else level.downsample


def _level_for(levels: Sequence[Level], region: Size, size: Size) -> tuple[int, float]:
    """The coarsest level with enough pixels, those that a region shares at its edges included."""
    for number in range(len(levels) - 1, 0, -1):
        factor = factor_of(levels[number], levels[0].size)
        if _enough(region.columns, factor, size.columns) and _enough(
            region.rows, factor, size.rows
        ):
            return number, factor
    return 0, 1.0


def _enough(extent: int, factor: float, wanted: int) -> bool:
    return ceil(extent / factor - _ROUNDING) >= wanted


def _span(begin: int, end: int, factor: float, wanted: int, extent: int) -> tuple[float, float]:
    """From where to where a level has a region along one side: by whole pixels where they do."""
    first, last = begin / factor, end / factor
    whole = round(first)
    if abs(first - whole) < _ROUNDING:
        first = float(whole)
        if ceil(last - _ROUNDING) - whole == wanted:
            # The last pixel may be only partly covered, or left out where the scanner dropped it.
            return first, first + wanted
    last = min(last, float(extent))
    # A region within the last, dropped pixel is the one beside it.
    return (first, last) if last - first > _ROUNDING else (float(extent - 1), float(extent))


def _shrink(tile: Size, ratio: float) -> int:
    """The largest power of two that leaves every tile whole and the picture its pixels."""
    shrink = 1
    while (
        shrink < _MOST_SHRINKING
        and 2 * shrink <= ratio + _ROUNDING
        and tile.columns % (2 * shrink) == tile.rows % (2 * shrink) == 0
    ):
        shrink *= 2
    return shrink


def _margin(begin: float, ratio: float, shrink: int) -> int:
    """Pixels beyond the edge that those at the edge are mixed from: so that pictures meet."""
    return 0 if ratio == shrink and begin % shrink == 0 else ceil(ratio) + shrink


def _tiles(begin: float, end: float, margin: int, tile: int, extent: int) -> range:
    last_pixel = min(ceil(end) + margin, extent) - 1
    first_pixel = min(max(floor(begin) - margin, 0), last_pixel)
    return range(first_pixel // tile, last_pixel // tile + 1)
