"""From the files of a slide to its scans and what lies beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tiling.errors import IncompleteSlideError, UnsupportedSlideError
from tiling.formats.olympus.associated import TiledImage, in_directory, kind_of
from tiling.formats.olympus.images import Image, ImageKind, read_images
from tiling.formats.olympus.layers import Layers, read_layers
from tiling.formats.olympus.levels import StoredLevel, read_levels
from tiling.formats.olympus.metadata import read_metadata
from tiling.formats.olympus.stack import Stack, open_stack
from tiling.formats.olympus.tags import Field, read_tags
from tiling.jpeg_tiff.images import AssociatedImage
from tiling.limits import Limits
from tiling.slide import RGB8, AssociatedKind, SlideMetadata
from tiling.source import FileSource
from tiling.tiff import TiffFile

_MOST_FOLDER_ENTRIES = 64
"""In the folder of one stack, which has one file or two."""
_MOST_IMAGES = 256
_LESS = "Masks, focus maps and other images of the scan's making are not kept."


@dataclass(frozen=True, slots=True)
class Scan:
    """One image of tissue: everything that its files say of it."""

    metadata: SlideMetadata
    stack: Stack
    layers: Layers
    levels: tuple[StoredLevel, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """What is in the files: scans, the largest first, and images of the glass."""

    scans: tuple[Scan, ...]
    associated: dict[AssociatedKind, AssociatedImage]


def read_layout(path: Path, sources: list[FileSource], limits: Limits) -> Layout:
    """Read the tags and the directories of all stacks, opening each file into `sources`.

    Raises IncompleteSlideError when a stack is not there, UnsupportedSlideError when there is no
    scan in stacks, DamagedSlideError and SlideTooLargeError as reading them does.
    """
    source = FileSource(path)
    sources.append(source)
    root = read_tags(source)
    images = read_images(root)[:_MOST_IMAGES]
    kinds = [kind_of(image) for image in images]
    scans = [
        image
        for image, kind in zip(images, kinds, strict=True)
        if kind is None and image.kind == ImageKind.SCAN and image.is_external
    ]
    if not scans:
        raise UnsupportedSlideError(
            "The file holds no scan in tiles; export its image again as a tiled scan."
        )
    less = any(
        image not in scans and kind is None for image, kind in zip(images, kinds, strict=True)
    )
    opened = [_read_scan(path, root, image, sources, limits, less=less) for image in scans]
    opened.sort(key=lambda scan: -scan.levels[0].level.size.area)
    return Layout(tuple(opened), _associated(path, images, sources, limits))


def _read_scan(
    path: Path, root: Field, image: Image, sources: list[FileSource], limits: Limits, *, less: bool
) -> Scan:
    stack = _open_stack(path, image, limits)
    sources.append(stack.source)
    layers = read_layers(image, stack)
    not_kept = (*layers.not_kept, *([_LESS] if less else []))
    metadata = read_metadata(root, image).keeping_less(*not_kept)
    return Scan(metadata, stack, layers, read_levels(image, stack, layers, limits))


def _associated(
    path: Path, images: Sequence[Image], sources: list[FileSource], limits: Limits
) -> dict[AssociatedKind, AssociatedImage]:
    """The first of each kind; the photograph of the glass goes before the scan in low power."""
    found: dict[AssociatedKind, AssociatedImage] = {}
    for image in sorted(images, key=lambda image: image.kind != ImageKind.MACRO):
        kind = kind_of(image)
        if kind is None or kind in found:
            continue
        read = (
            _tiled(path, image, sources, limits)
            if image.is_external
            else in_directory(TiffFile(sources[0], limits), image, limits)
        )
        if read:
            found[kind] = read
    return found


def _tiled(
    path: Path, image: Image, sources: list[FileSource], limits: Limits
) -> TiledImage | None:
    stack = _open_stack(path, image, limits)
    sources.append(stack.source)
    if stack.pixel_format != RGB8:
        return None
    return TiledImage.of(read_levels(image, stack, read_layers(image, stack), limits), limits)


def _open_stack(path: Path, image: Image, limits: Limits) -> Stack:
    """The tiles of an image: `_name_/stack7/frame_t_0.ets` beside `name.vsi`.

    Programs leave stacks behind that they have made anew, so that there may be several: the one
    of the image's size is its. No link is followed.
    """
    folder = path.with_name(f"_{path.stem}_") / f"stack{image.stack}"
    if any(part.is_symlink() for part in (folder, folder.parent)) or not folder.is_dir():
        raise IncompleteSlideError(_MISSING)
    names = sorted(
        entry for entry, _ in zip(folder.iterdir(), range(_MOST_FOLDER_ENTRIES), strict=False)
    )
    frames = [
        entry
        for entry in names
        if entry.name.startswith("frame_") and entry.suffix.lower() == ".ets"
        if entry.is_file() and not entry.is_symlink()
    ]
    if not frames:
        raise IncompleteSlideError(_MISSING)
    stack = open_stack(frames[0], limits)
    for frame in frames[1:]:
        if stack.extent == image.size:
            break
        stack.source.close()
        stack = open_stack(frame, limits)
    return stack


_MISSING = (
    "The folder with the slide's tiles, named like the .vsi file between underscores, is missing "
    "or incomplete; copy it beside the file."
)
