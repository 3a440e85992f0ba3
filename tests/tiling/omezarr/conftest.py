"""A slide of any kind held in memory, and a place that keeps what is written."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from tiling.blank import background_of, blank_tile
from tiling.downsample import halve
from tiling.geometry import Size
from tiling.slide import (
    BRIGHTFIELD_PATH,
    RGB8,
    AssociatedKind,
    Level,
    OpticalPath,
    PixelFormat,
    Pixels,
    Samples,
    SlideMetadata,
    SlideReader,
)


class DrawnSlide(SlideReader):
    """`layers[path][plane]` are the base's samples; each further level has half of them."""

    format = "drawn"
    metadata = SlideMetadata()
    levels: Sequence[Level] = ()
    associated: Mapping[AssociatedKind, Size] = {}
    pixel_format: PixelFormat = RGB8
    optical_paths: Sequence[OpticalPath] = ()
    focal_planes_um: Sequence[float] = ()

    def __init__(
        self,
        layers: Sequence[Sequence[Samples]],
        pixel_format: PixelFormat,
        paths: Sequence[OpticalPath],
        planes_um: Sequence[float],
        tile: Size,
        levels: int,
        spacing_mm: tuple[float, float] | None,
    ) -> None:
        self.pixel_format = pixel_format
        self.optical_paths = paths
        self.focal_planes_um = planes_um
        self.metadata = SlideMetadata(pixel_spacing_mm=spacing_mm)
        self.drawn = [layers]
        for _ in range(levels - 1):
            self.drawn.append([[halve(plane) for plane in path] for path in self.drawn[-1]])
        self.levels = [
            Level(Size(layers[0][0].shape[1], layers[0][0].shape[0]), tile, 2.0**number)
            for number, layers in enumerate(self.drawn)
        ]

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        grid = self.levels[level].grid
        visible = grid.visible(column, row)
        background = background_of(self.pixel_format, self.optical_paths[path])
        tile = np.array(blank_tile(grid.tile, self.pixel_format, background))
        top, left = row * grid.tile.rows, column * grid.tile.columns
        shown = self.drawn[level][path][plane]
        tile[: visible.rows, : visible.columns] = shown[
            top : top + visible.rows, left : left + visible.columns
        ]
        return tile

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        raise KeyError(kind)

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def drawn() -> Callable[..., DrawnSlide]:
    def make(
        columns: int = 300,
        rows: int = 200,
        pixel_format: PixelFormat = RGB8,
        paths: Sequence[OpticalPath] = (BRIGHTFIELD_PATH,),
        planes_um: Sequence[float] = (0.0,),
        tile: tuple[int, int] = (64, 64),
        levels: int = 1,
        spacing_mm: tuple[float, float] | None = (0.00025, 0.0005),
    ) -> DrawnSlide:
        random = np.random.default_rng(columns * rows)
        shape = (rows, columns, pixel_format.samples)
        layers = [
            [
                random.integers(0, pixel_format.brightest + 1, shape).astype(pixel_format.dtype)
                for _ in planes_um
            ]
            for _ in paths
        ]
        return DrawnSlide(layers, pixel_format, paths, planes_um, Size(*tile), levels, spacing_mm)

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "written.ome.zarr"
    made.mkdir()
    return made


@pytest.fixture
def keep(folder: Path) -> Callable[[str, bytes], None]:
    """Writes into `folder`."""

    def write(key: str, data: bytes) -> None:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists(), "nothing is written twice"
        path.write_bytes(data)

    return write
