"""An open scan of an Olympus slide."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiling.errors import DamagedSlideError, TilingError
from tiling.formats.olympus.associated import AssociatedImage
from tiling.formats.olympus.layout import Layout, Scan
from tiling.geometry import Size
from tiling.slide import (
    AssociatedKind,
    Level,
    OpticalPath,
    PixelFormat,
    Pixels,
    Samples,
    SlideMetadata,
    SlideReader,
)
from tiling.source import FileSource


class OlympusSlide(SlideReader):
    """One scan; the first has the files of all, and the others beside it as its scenes."""

    def __init__(
        self,
        name: str,
        path: Path,
        scan: Scan,
        associated: Mapping[AssociatedKind, AssociatedImage],
        sources: Sequence[FileSource],
        others: Sequence["OlympusSlide"] = (),
    ) -> None:
        self._name = name
        self._path = path
        self._scan = scan
        self._associated = associated
        self._sources = sources
        self._others = others
        self._levels = tuple(stored.level for stored in scan.levels)

    @classmethod
    def of(
        cls, name: str, path: Path, layout: Layout, sources: Sequence[FileSource]
    ) -> "OlympusSlide":
        first, *others = layout.scans
        associated = layout.associated
        scenes = [cls(name, path, scan, associated, sources) for scan in others]
        return cls(name, path, first, associated, sources, scenes)

    @property
    def format(self) -> str:
        return self._name

    @property
    def metadata(self) -> SlideMetadata:
        return self._scan.metadata

    @property
    def levels(self) -> Sequence[Level]:
        return self._levels

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        return {kind: image.size for kind, image in self._associated.items()}

    @property
    def pixel_format(self) -> PixelFormat:
        return self._scan.stack.pixel_format

    @property
    def optical_paths(self) -> Sequence[OpticalPath]:
        return self._scan.layers.optical_paths

    @property
    def focal_planes_um(self) -> Sequence[float]:
        return self._scan.layers.focal_planes_um

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *self._others)

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        self._check_layer(path, plane)
        return self._scan.levels[level].pixels(column, row, path, plane)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        self._check_layer(path, plane)
        if self._levels[level].encoding is None:
            return super().encoded_tile_lengths(level, path, plane)
        return self._scan.levels[level].lengths(path, plane)

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        self._check_layer(path, plane)
        if self._levels[level].encoding is None:
            return super().read_encoded_tile(level, column, row, path, plane)
        return self._scan.levels[level].encoded(column, row, path, plane)

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        image = self._associated[kind]
        try:
            pixels = image.read(self._path)
        except TilingError:
            raise
        except Exception as error:
            raise DamagedSlideError(
                f"The slide's {kind} cannot be decoded; copy the file again from the scanner."
            ) from error
        if pixels.shape != (image.size.rows, image.size.columns, 3) or pixels.dtype != np.uint8:
            raise DamagedSlideError(
                f"The slide's {kind} is not the image it says it is; copy the file again."
            )
        return pixels

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _check_layer(self, path: int, plane: int) -> None:
        paths, planes = len(self.optical_paths), len(self.focal_planes_um)
        if not (0 <= path < paths and 0 <= plane < planes):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
