"""Images of an OME-Zarr as slides: tiles cut out of the arrays of their levels."""

from collections.abc import Mapping, Sequence

import numpy as np

from tiling.blank import background_of, blank_tile
from tiling.errors import UnsupportedSlideError
from tiling.formats.ome_zarr.chunked import Kept
from tiling.formats.ome_zarr.files import Files, join
from tiling.formats.ome_zarr.groups import find_images, read_attributes
from tiling.formats.ome_zarr.layout import ImageLayout, read_image_layout
from tiling.formats.ome_zarr.multiscales import read_image
from tiling.formats.ome_zarr.values import flatten
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import (
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

_KINDS = {
    "label": AssociatedKind.LABEL,
    "label image": AssociatedKind.LABEL,
    "macro": AssociatedKind.OVERVIEW,
    "macro image": AssociatedKind.OVERVIEW,
    "overview": AssociatedKind.OVERVIEW,
    "thumbnail": AssociatedKind.THUMBNAIL,
}
_SOME_IMAGES = "Images of the file that cannot be read are not kept."
_LABELS = "Segmentations are not kept."


def open_scenes(files: Files, name: str, limits: Limits) -> "OmeZarrSlide":
    """The first image as a slide, the others as its scenes or what goes with it."""
    kept = Kept()
    layouts: list[ImageLayout] = []
    associated: dict[AssociatedKind, ImageLayout] = {}
    not_kept: list[str] = []
    for path, title in find_images(files).items():
        attributes = read_attributes(files, path) or {}
        try:
            image = read_image(attributes)
            layout = read_image_layout(files, path, image, kept, limits)
        except UnsupportedSlideError:
            if not layouts:
                raise
            not_kept.append(_SOME_IMAGES)
            continue
        kind = _KINDS.get((title or image.name or "").strip().lower())
        if kind is not None and layouts and layout.pixel_format == RGB8:
            limits.check_associated(layout.levels[0].size)
            associated.setdefault(kind, layout)
            continue
        layouts.append(layout)
        if (read_attributes(files, join(path, "labels")) or {}).get("labels"):
            not_kept.append(_LABELS)
    said = flatten(read_attributes(files) or {})
    first = OmeZarrSlide(files, name, layouts[0], said, associated, not_kept)
    first.scenes = [
        first,
        *(OmeZarrSlide(files, name, layout, said, {}, not_kept) for layout in layouts[1:]),
    ]
    return first


class OmeZarrSlide(SlideReader):
    """One image; all that share the files are closed with the first."""

    scenes: Sequence[SlideReader] = ()

    def __init__(
        self,
        files: Files,
        name: str,
        layout: ImageLayout,
        said: Mapping[str, str],
        associated: Mapping[AssociatedKind, ImageLayout],
        not_kept: Sequence[str],
    ) -> None:
        self._files = files
        self._layout = layout
        self._associated = associated
        self._name = name
        self.scenes = (self,)
        metadata = SlideMetadata(pixel_spacing_mm=layout.pixel_spacing_mm, vendor=said)
        sentences = dict.fromkeys([*layout.not_kept, *not_kept])
        self._metadata = metadata.keeping_less(*sentences)

    @property
    def format(self) -> str:
        return self._name

    @property
    def metadata(self) -> SlideMetadata:
        return self._metadata

    @property
    def levels(self) -> Sequence[Level]:
        return self._layout.levels

    @property
    def associated(self) -> Mapping[AssociatedKind, Size]:
        return {kind: layout.levels[0].size for kind, layout in self._associated.items()}

    @property
    def pixel_format(self) -> PixelFormat:
        return self._layout.pixel_format

    @property
    def optical_paths(self) -> Sequence[OpticalPath]:
        return self._layout.optical_paths

    @property
    def focal_planes_um(self) -> Sequence[float]:
        return self._layout.focal_planes_um

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        found = self.levels[level]
        visible = found.grid.visible(column, row)
        if not 0 <= path < len(self.optical_paths) or not 0 <= plane < len(self.focal_planes_um):
            raise IndexError(f"no focal plane {plane} of optical path {path}")
        left, top = column * found.tile.columns, row * found.tile.rows
        part = self._layout.read(level, left, top, visible, path, plane)
        if visible == found.tile:
            return np.ascontiguousarray(part)
        background = background_of(self.pixel_format, self.optical_paths[path])
        tile = np.array(blank_tile(found.tile, self.pixel_format, background))
        tile[: visible.rows, : visible.columns] = part
        return tile

    def read_associated(self, kind: AssociatedKind) -> Pixels:
        layout = self._associated[kind]
        part = layout.read(0, 0, 0, layout.levels[0].size, 0, 0)
        return np.ascontiguousarray(part, np.uint8)

    def close(self) -> None:
        self._files.close()
