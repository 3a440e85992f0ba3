"""Images of an OME-Zarr as slides: tiles cut out of the arrays of their levels."""

from collections.abc import Mapping, Sequence

import numpy as np

from tiling.associated_names import kind_named
from tiling.blank import background_of, blank_tile
from tiling.described import DescribedSlide, Description
from tiling.errors import UnsupportedSlideError
from tiling.formats.ome_zarr.chunked import Kept
from tiling.formats.ome_zarr.files import Files, join
from tiling.formats.ome_zarr.groups import find_images, read_attributes
from tiling.formats.ome_zarr.layout import ImageLayout, read_image_layout
from tiling.formats.ome_zarr.multiscales import read_image
from tiling.formats.ome_zarr.values import flatten
from tiling.limits import Limits
from tiling.slide import (
    RGB8,
    AssociatedKind,
    Pixels,
    Samples,
    SlideMetadata,
    SlideReader,
)

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
        kind = kind_named(title or image.name)
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


class OmeZarrSlide(DescribedSlide):
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
        metadata = SlideMetadata(pixel_spacing_mm=layout.pixel_spacing_mm, vendor=said)
        sentences = dict.fromkeys([*layout.not_kept, *not_kept])
        super().__init__(
            Description(
                name,
                metadata.keeping_less(*sentences),
                layout.levels,
                {kind: picture.levels[0].size for kind, picture in associated.items()},
                layout.pixel_format,
                layout.optical_paths,
                layout.focal_planes_um,
            )
        )
        self._files = files
        self._layout = layout
        self._associated = associated
        self.scenes = (self,)

    def read_tile(
        self, level: int, column: int, row: int, path: int = 0, plane: int = 0
    ) -> Samples:
        self.check_layer(path, plane)
        found = self.levels[level]
        visible = found.grid.visible(column, row)
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
