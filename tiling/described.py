"""An open slide all of whose properties were found when it was opened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tiling.geometry import Size
from tiling.slide import (
    BRIGHTFIELD_PATH,
    RGB8,
    AssociatedKind,
    Level,
    OpticalPath,
    PixelFormat,
    SlideMetadata,
    SlideReader,
)


@dataclass(frozen=True, slots=True)
class Description:
    """What `SlideReader` has properties for, by the same names."""

    format: str
    metadata: SlideMetadata
    levels: tuple[Level, ...]
    associated: Mapping[AssociatedKind, Size]
    pixel_format: PixelFormat = RGB8
    optical_paths: tuple[OpticalPath, ...] = (BRIGHTFIELD_PATH,)
    focal_planes_um: tuple[float, ...] = (0.0,)


class DescribedSlide(SlideReader):
    """Gives back what it was told; a format's own reader adds how tiles are read."""

    def __init__(self, description: Description) -> None:
        self._description = description

    @property
    def format(self) -> str:
        return self._description.format

    @property
    def metadata(self) -> SlideMetadata:
        return self._description.metadata

    @property
    def levels(self) -> Sequence[Level]:
        return self._description.levels

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        return self._description.associated

    @property
    def pixel_format(self) -> PixelFormat:
        return self._description.pixel_format

    @property
    def optical_paths(self) -> Sequence[OpticalPath]:
        return self._description.optical_paths

    @property
    def focal_planes_um(self) -> Sequence[float]:
        return self._description.focal_planes_um

    def check_layer(self, path: int, plane: int) -> None:
        """Raise IndexError unless the slide has that optical path and focal plane."""
        paths, planes = len(self.optical_paths), len(self.focal_planes_um)
        if not (0 <= path < paths and 0 <= plane < planes):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
