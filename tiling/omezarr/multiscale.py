"""An image as OME-Zarr has it: channels, focal planes and pixels as axes of one array a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from tiling.composite import Window
from tiling.geometry import Size
from tiling.slide import (
    BRIGHTFIELD_PATH,
    COUNTED_FOCAL_PLANES,
    Level,
    OpticalPath,
    PixelFormat,
    SlideReader,
)

ONE_TILE = Size(1, 1)


@dataclass(frozen=True, slots=True)
class Multiscale:
    """What there is to tell of an image before any pixel of it is read.

    Axes are c, y and x, with z between c and y where there are several focal planes. A channel is
    an optical path, or a colour of one: the three of the first path before those of the next.
    """

    name: str
    levels: Sequence[Level]
    pixel_format: PixelFormat
    optical_paths: Sequence[OpticalPath] = (BRIGHTFIELD_PATH,)
    focal_planes_um: Sequence[float] = (0.0,)
    pixel_spacing_mm: tuple[float, float] | None = None
    """Between rows, between columns of level 0; None where nobody said."""
    windows: Sequence[Window | None] = ()
    """How each optical path is shown at first; the whole range where that is not told."""
    not_kept: Sequence[str] = ()
    """As `SlideMetadata` has it."""

    @classmethod
    def of(cls, reader: SlideReader, levels: Sequence[Level], name: str) -> Self:
        """An open slide with these levels, which need not all be the file's."""
        return cls(
            name,
            levels,
            reader.pixel_format,
            reader.optical_paths,
            reader.focal_planes_um,
            reader.metadata.pixel_spacing_mm,
            not_kept=reader.metadata.not_kept,
        )

    @property
    def are_planes_counted(self) -> bool:
        """Whether `focal_planes_um` are no heights, but numbers in place of such."""
        return COUNTED_FOCAL_PLANES in self.not_kept

    def window(self, path: int) -> Window:
        """The samples of an optical path that are shown black and full."""
        said = self.windows[path] if path < len(self.windows) else None
        return said or Window(0, self.pixel_format.brightest)

    @property
    def channels(self) -> int:
        return self.pixel_format.samples * len(self.optical_paths)

    @property
    def axes(self) -> str:
        """The names of the axes, one letter each, slowest first."""
        return "czyx" if len(self.focal_planes_um) > 1 else "cyx"

    def shape(self, level: int) -> list[int]:
        """Extent of a level's array along its axes."""
        return self._along_axes(self.channels, len(self.focal_planes_um), self.levels[level].size)

    def chunk_shape(self, level: int, tiles: Size = ONE_TILE) -> list[int]:
        """Extent of the array that so many tiles across and down make, of one focal plane."""
        tile = self.levels[level].tile
        wide = Size(tile.columns * tiles.columns, tile.rows * tiles.rows)
        return self._along_axes(self.pixel_format.samples, 1, wide)

    def _along_axes(self, channels: int, planes: int, size: Size) -> list[int]:
        middle = [planes] if "z" in self.axes else []
        return [channels, *middle, size.rows, size.columns]
