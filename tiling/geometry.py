"""Sizes and tile grids: integer arithmetic, half-open ranges, columns before rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Size:
    """Extent of an image or a tile in pixels, or of a grid in tiles."""

    columns: int
    rows: int

    def __post_init__(self) -> None:
        if self.columns <= 0 or self.rows <= 0:
            raise ValueError(f"a size must be positive, not {self.columns} x {self.rows}")

    @property
    def area(self) -> int:
        return self.columns * self.rows

    def halved(self) -> "Size":
        """Half the size, rounded up, so that no pixel of the edge is dropped."""
        return Size(-(-self.columns // 2), -(-self.rows // 2))


@dataclass(frozen=True, slots=True)
class TileGrid:
    """How an image of `image` pixels is cut into tiles of `tile` pixels, from the upper left."""

    image: Size
    tile: Size
    tiles: Size = field(init=False, repr=False, compare=False)
    """Number of tiles across and down; the last ones may reach beyond the image."""

    def __post_init__(self) -> None:
        columns = -(-self.image.columns // self.tile.columns)
        rows = -(-self.image.rows // self.tile.rows)
        object.__setattr__(self, "tiles", Size(columns, rows))  # asked for with every tile

    def __contains__(self, position: tuple[int, int]) -> bool:
        column, row = position
        return 0 <= column < self.tiles.columns and 0 <= row < self.tiles.rows

    def frame_index(self, column: int, row: int) -> int:
        """Index from 0 in row-major order (the order of TILED_FULL, PS3.3 C.7.6.17.3).

        Raises IndexError outside the grid.
        """
        if (column, row) not in self:
            raise IndexError(f"no tile {column}, {row} in a grid of {self.tiles}")
        return row * self.tiles.columns + column

    def position(self, frame_index: int) -> tuple[int, int]:
        """The `(column, row)` of a frame index; raises IndexError outside the grid."""
        if not 0 <= frame_index < self.tiles.area:
            raise IndexError(f"no frame {frame_index} in a grid of {self.tiles}")
        row, column = divmod(frame_index, self.tiles.columns)
        return column, row

    def visible(self, column: int, row: int) -> Size:
        """How much of a tile lies inside the image; raises IndexError outside the grid."""
        self.frame_index(column, row)
        return Size(
            min(self.tile.columns, self.image.columns - column * self.tile.columns),
            min(self.tile.rows, self.image.rows - row * self.tile.rows),
        )

    def positions(self) -> Iterator[tuple[int, int]]:
        """Every `(column, row)` in row-major order."""
        for row in range(self.tiles.rows):
            for column in range(self.tiles.columns):
                yield column, row
