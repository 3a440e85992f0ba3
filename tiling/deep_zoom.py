"""DeepZoom's view of a slide: every half of it down to one pixel, cut into square tiles.

Its levels are numbered from the smallest, which is 0; those of a slide from the base.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import quoteattr

from tiling.geometry import Size, TileGrid
from tiling.region import Region
from tiling.slide import Level

_USUAL_TILE, _SMALLEST_TILE, _LARGEST_TILE = 512, 128, 1024
_NAMESPACE = "http://schemas.microsoft.com/deepzoom/2008"


@dataclass(frozen=True, slots=True)
class DeepZoom:
    """An image of `size` in tiles of `tile` by `tile` pixels that do not overlap."""

    size: Size
    tile: int

    @classmethod
    def of(cls, levels: Sequence[Level]) -> "DeepZoom":
        """With the tiles of the slide itself, so that they need not be cut, if they can be had."""
        base = levels[0]
        own = base.tile.columns
        fits = own == base.tile.rows and _SMALLEST_TILE <= own <= _LARGEST_TILE
        return cls(base.size, own if fits else _USUAL_TILE)

    @property
    def levels(self) -> int:
        """How many there are."""
        return (max(self.size.columns, self.size.rows) - 1).bit_length() + 1

    def level_size(self, level: int) -> Size:
        """Of a level in pixels; raises IndexError for one that is not there."""
        factor = self._factor(level)
        return Size(-(-self.size.columns // factor), -(-self.size.rows // factor))

    def region(self, level: int, column: int, row: int) -> tuple[Region, Size]:
        """What a tile shows of the base, and its size; raises IndexError where there is none."""
        grid = TileGrid(self.level_size(level), Size(self.tile, self.tile))
        size, span = grid.visible(column, row), self._factor(level) * self.tile
        left, top = column * span, row * span
        columns = min(span, self.size.columns - left)
        return Region(left, top, columns, min(span, self.size.rows - top)), size

    def document(self) -> bytes:
        """The `.dzi` file, as XML."""
        attributes = f'Format="jpg" Overlap="0" TileSize="{self.tile}"'
        extent = f'<Size Width="{self.size.columns}" Height="{self.size.rows}"/>'
        image = f"<Image xmlns={quoteattr(_NAMESPACE)} {attributes}>{extent}</Image>"
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{image}\n'.encode()

    def _factor(self, level: int) -> int:
        if not 0 <= level < self.levels:
            raise IndexError(f"no level {level} among {self.levels}")
        return 1 << (self.levels - 1 - level)
