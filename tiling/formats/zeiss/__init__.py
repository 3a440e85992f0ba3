"""Zeiss CZI: bright field and fluorescence, each scene of the file a slide of its own.

The segments are read here and not by a library: czifile puts whole images together in memory, and
pylibCZIrw gives regions composed out of sight, while here each subblock is measured before it is
unpacked (by imagecodecs) and kept for the next tile, whichever thread wants it.

Subblocks overlap, as a camera's images do, so that no tile can be handed on as it is, not even
where they are JPEG: everything is cut anew, from pixels. A subblock whose number (M) is higher
covers the lower ones. Levels that the file has only in part are left to be built. What a coarser
level shows where the base has nothing is taken for filling and not shown.

Of a time series the first point is kept, and of rotations, phases and the like the first; files
in several parts, pixels of 32 bits or more, LZW and a camera's own raw data are refused.
"""

from pathlib import Path

from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError
from tiling.formats.zeiss.attachments import find_images
from tiling.formats.zeiss.container import FILE, Container
from tiling.formats.zeiss.directory import read_directory
from tiling.formats.zeiss.document import read_document, read_metadata
from tiling.formats.zeiss.optics import read_paths, read_planes
from tiling.formats.zeiss.pixels import SubblockPixels
from tiling.formats.zeiss.reader import FORMAT, Layout, ZeissSlide
from tiling.formats.zeiss.scene import Scene, find_scenes
from tiling.limits import Limits
from tiling.slide import AssociatedKind, SlideReader
from tiling.source import FileSource
from tiling.xml_tree import flatten

NAME = FORMAT

__all__ = ["NAME", "open_", "sniff"]


def sniff(path: Path, head: bytes) -> Confidence:  # noqa: ARG001  the mark is enough
    """VENDOR for every CZI."""
    return Confidence.VENDOR if head[:16].rstrip(b"\0") == FILE else Confidence.NONE


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open the first scene, and with it the others."""
    source = FileSource(path)
    try:
        return _open(source, limits)
    except (TilingError, ValueError, OverflowError) as error:
        source.close()
        if isinstance(error, TilingError):
            raise
        raise DamagedSlideError(
            "The file's directory contradicts itself; copy it again from the scanner."
        ) from error


def _open(source: FileSource, limits: Limits) -> ZeissSlide:
    container = Container(source)
    positions = container.positions()
    scenes = find_scenes(read_directory(container, positions.subblocks))
    for level in (one.level for scene in scenes for one in scene.levels):
        limits.check_level(level.size, level.tile)
        limits.check_bytes(level.size, source.size)
    document = read_document(container, positions.metadata, limits)
    images, unread = find_images(container, positions.attachments, limits)
    if len(scenes) > 1:
        # It shows the whole file, and so none of its slides.
        images = {kind: one for kind, one in images.items() if kind != AssociatedKind.THUMBNAIL}
    pixels, vendor = SubblockPixels(container, limits), flatten(document)

    def layout(scene: Scene) -> Layout:
        planes = read_planes(document, scene)
        metadata = read_metadata(document, scene, vendor, one_of_several=len(scenes) > 1)
        not_kept = (*scene.not_kept, *planes.not_kept, *unread)
        return Layout(
            scene,
            metadata.keeping_less(*not_kept),
            read_paths(document, scene),
            tuple(scene.planes[number] for number in planes.numbers),
            planes.heights_um,
            images,
        )

    slides = tuple(ZeissSlide(source, pixels, layout(scene)) for scene in scenes)
    for slide in slides:
        slide.siblings = slides
    return slides[0]
