"""An open Hamamatsu slide, of either kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiling.described import DescribedSlide, Description
from tiling.formats.hamamatsu.levels import StoredLevel, read_image
from tiling.formats.hamamatsu.stream import StoredJpeg
from tiling.geometry import Size
from tiling.slide import BRIGHTFIELD_PATH, AssociatedKind, OpticalPath, Pixels, SlideMetadata
from tiling.source import FileSource


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An associated image: where it lies, and its size."""

    stream: StoredJpeg
    size: Size


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that the files of a slide say of themselves."""

    format: str
    metadata: SlideMetadata
    levels: tuple[tuple[StoredLevel, ...], ...]
    """Of each level its focal planes, which are alike but for their bytes."""
    associated: Mapping[AssociatedKind, StoredImage]
    focal_planes_um: tuple[float, ...] = (0.0,)
    optical_path: OpticalPath = BRIGHTFIELD_PATH


class HamamatsuSlide(DescribedSlide):
    """Reads the tiles of one slide; every read goes by offset, so threads need no lock."""

    def __init__(self, sources: Sequence[FileSource], layout: Layout) -> None:
        super().__init__(
            Description(
                layout.format,
                layout.metadata,
                tuple(planes[0].level for planes in layout.levels),
                {kind: image.size for kind, image in layout.associated.items()},
                optical_paths=(layout.optical_path,),
                focal_planes_um=layout.focal_planes_um,
            )
        )
        self._sources = sources
        self._layout = layout

    def read_tile(self, level: int, column: int, row: int, path: int = 0, plane: int = 0) -> Pixels:
        return self._stored(level, path, plane).pixels(column, row)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        return self._stored(level, path, plane).lengths()

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        return self._stored(level, path, plane).encoded(column, row)

    def _stored(self, level: int, path: int, plane: int) -> StoredLevel:
        self.check_layer(path, plane)
        return self._layout.levels[level][plane]

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        image = self._layout.associated[kind]
        return read_image(image.stream, image.size)

    def close(self) -> None:
        for source in self._sources:
            source.close()
