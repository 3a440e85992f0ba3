"""An open scan of an Olympus slide."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiling.described import DescribedSlide, Description
from tiling.formats.olympus.layout import Layout, Scan
from tiling.jpeg_tiff.images import AssociatedImage, unpack
from tiling.slide import (
    AssociatedKind,
    Pixels,
    Samples,
    SlideReader,
)
from tiling.source import FileSource


class OlympusSlide(DescribedSlide):
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
        super().__init__(
            Description(
                name,
                scan.metadata,
                tuple(stored.level for stored in scan.levels),
                {kind: image.size for kind, image in associated.items()},
                scan.stack.pixel_format,
                scan.layers.optical_paths,
                scan.layers.focal_planes_um,
            )
        )
        self._path = path
        self._scan = scan
        self._associated = associated
        self._sources = sources
        self._others = others

    @classmethod
    def of(
        cls, name: str, path: Path, layout: Layout, sources: Sequence[FileSource]
    ) -> "OlympusSlide":
        first, *others = layout.scans
        associated = layout.associated
        scenes = [cls(name, path, scan, associated, sources) for scan in others]
        return cls(name, path, first, associated, sources, scenes)

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *self._others)

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        self.check_layer(path, plane)
        return self._scan.levels[level].pixels(column, row, path, plane)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        self.check_layer(path, plane)
        if self.levels[level].encoding is None:
            return super().encoded_tile_lengths(level, path, plane)
        return self._scan.levels[level].lengths(path, plane)

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        self.check_layer(path, plane)
        if self.levels[level].encoding is None:
            return super().read_encoded_tile(level, column, row, path, plane)
        return self._scan.levels[level].encoded(column, row, path, plane)

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return unpack(self._associated[kind], kind, self._path)

    def close(self) -> None:
        for source in self._sources:
            source.close()
