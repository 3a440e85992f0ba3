"""An open slide of several layers, and the other scenes of its file beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tiling.blank import background_of
from tiling.described import DescribedSlide, Description
from tiling.errors import DamagedSlideError
from tiling.geometry import Size
from tiling.jpeg_tiff.directories import Layout
from tiling.jpeg_tiff.images import AssociatedImage, unpack
from tiling.jpeg_tiff.slide import JpegTiffSlide
from tiling.limits import Limits
from tiling.slide import (
    RGB8,
    AssociatedKind,
    OpticalPath,
    Pixels,
    Samples,
    SlideMetadata,
    SlideReader,
)
from tiling.source import FileSource
from tiling.tiff_layers.levels import Layer, LayeredLevel
from tiling.tiff_layers.planes import Plane


@dataclass(frozen=True, slots=True)
class PlaneImage:
    """A label, overview or thumbnail that is a directory of its own."""

    plane: Plane

    @classmethod
    def of(cls, plane: Plane, limits: Limits) -> "PlaneImage | None":
        """None unless it has 8 bits; raises SlideTooLargeError when it is too large."""
        if plane.pixel_format.bits != RGB8.bits:
            return None
        limits.check_associated(plane.size)
        return cls(plane)

    @property
    def size(self) -> Size:
        return self.plane.size

    def read(self, path: Path) -> Pixels:  # noqa: ARG002  its file is open already
        white = self.plane.pixel_format.brightest
        samples: Samples = self.plane.cut(0, 0, self.size, white)
        return np.asarray(np.broadcast_to(samples, (*samples.shape[:2], 3)), np.uint8)


@dataclass(frozen=True, slots=True)
class Scene:
    """One slide of a file: everything that is read of it."""

    metadata: SlideMetadata
    optical_paths: tuple[OpticalPath, ...]
    focal_planes_um: tuple[float, ...]
    levels: tuple[LayeredLevel, ...]
    associated: Mapping[AssociatedKind, AssociatedImage] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        metadata: SlideMetadata,
        optical_paths: Sequence[OpticalPath],
        focal_planes_um: Sequence[float],
        levels: Sequence[Sequence[Layer]],
        associated: Mapping[AssociatedKind, AssociatedImage],
        limits: Limits,
    ) -> "Scene":
        """`levels` has, from the base upwards, each path's planes one after the other.

        Raises DamagedSlideError where they contradict each other, SlideTooLargeError beyond the
        limits.
        """
        base = levels[0][0].plane
        planes = len(focal_planes_um)
        backgrounds = [
            background_of(base.pixel_format, path) for path in optical_paths for _ in range(planes)
        ]
        made = tuple(LayeredLevel(layers, backgrounds, base.size, limits) for layers in levels)
        if any(level.pixel_format != base.pixel_format for level in made):
            raise DamagedSlideError("The slide's levels differ in kind; export it anew.")
        return cls(metadata, tuple(optical_paths), tuple(focal_planes_um), made, associated)


def open_scenes(
    name: str, path: Path, sources: Sequence[FileSource], scenes: Sequence[Scene | Layout]
) -> SlideReader:
    """The first scene, which has the others beside it; a `Layout` is one of JPEG tiles alone."""
    first, *others = scenes
    readers = [_open(name, path, sources, scene, ()) for scene in others]
    return _open(name, path, sources, first, readers)


def _open(
    name: str,
    path: Path,
    sources: Sequence[FileSource],
    scene: Scene | Layout,
    others: Sequence[SlideReader],
) -> SlideReader:
    if isinstance(scene, Layout):
        return _JpegScene(name, path, sources, scene, others)
    return LayeredSlide(name, path, sources, scene, others)


class LayeredSlide(DescribedSlide):
    """Reads go by offset, so threads need no lock."""

    def __init__(
        self,
        name: str,
        path: Path,
        sources: Sequence[FileSource],
        scene: Scene,
        others: Sequence[SlideReader] = (),
    ) -> None:
        super().__init__(
            Description(
                name,
                scene.metadata,
                tuple(each.level for each in scene.levels),
                {kind: image.size for kind, image in scene.associated.items()},
                scene.levels[0].pixel_format,
                scene.optical_paths,
                scene.focal_planes_um,
            )
        )
        self._path = path
        self._sources = sources
        self._scene = scene
        self._others = others

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *self._others)

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        return self._scene.levels[level].pixels(self._layer(path, plane), column, row)

    def encoded_tile_lengths(self, level: int, path: int = 0, plane: int = 0) -> NDArray[np.int64]:
        layer = self._layer(path, plane)
        if self.levels[level].encoding is None:
            return super().encoded_tile_lengths(level, path, plane)
        return self._scene.levels[level].lengths(layer)

    def read_encoded_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> bytes:
        layer = self._layer(path, plane)
        if self.levels[level].encoding is None:
            return super().read_encoded_tile(level, column, row, path, plane)
        return self._scene.levels[level].encoded(layer, column, row)

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        return unpack(self._scene.associated[kind], kind, self._path)

    def close(self) -> None:
        for source in self._sources:
            source.close()

    def _layer(self, path: int, plane: int) -> int:
        self.check_layer(path, plane)
        return path * len(self.focal_planes_um) + plane


class _JpegScene(JpegTiffSlide):
    """A slide of JPEG tiles in one layer, among the scenes of a file."""

    def __init__(
        self,
        name: str,
        path: Path,
        sources: Sequence[FileSource],
        layout: Layout,
        others: Sequence[SlideReader],
    ) -> None:
        super().__init__(name, path, sources[0], layout)
        self._sources = sources
        self._others = others

    @property
    def scenes(self) -> Sequence[SlideReader]:
        return (self, *self._others)

    def close(self) -> None:
        for source in self._sources:
            source.close()
