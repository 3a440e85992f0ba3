"""Which directory of an Aperio file is what."""

from tiling import tiff
from tiling.errors import DamagedSlideError
from tiling.formats.aperio.description import parse_description
from tiling.jpeg_tiff import AssociatedImage, JpegTiff, Layout
from tiling.slide import AssociatedKind
from tiling.tiff import Directory, TiffFile

_KINDS = {
    "label": AssociatedKind.LABEL,
    "macro": AssociatedKind.OVERVIEW,
    "thumbnail": AssociatedKind.THUMBNAIL,
}
_SUBFILE_KINDS = {1: AssociatedKind.LABEL, 9: AssociatedKind.OVERVIEW}
"""NewSubfileType as Aperio uses it, for the scanners that do not name the image."""


_COMPRESSED_AGAIN = (
    "The scanner's own compressed tiles are not kept where they are JPEG 2000 in a form that DICOM "
    "has no name for: they are compressed again."
)


def has_mark(file: TiffFile, directory: Directory) -> bool:
    """Whether the image was described by Aperio's software."""
    return file.text(directory, tiff.IMAGE_DESCRIPTION).startswith("Aperio")


def read_layout(file: JpegTiff) -> Layout:
    """The tiled images are the levels; those in strips are named, or in their usual places."""
    directories = file.directories
    tiled = [directory for directory in directories if file.is_tiled(directory)]
    if not tiled or tiled[0] is not directories[0]:
        raise DamagedSlideError("The file holds no tissue image; copy it again from the scanner.")
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for index, directory in enumerate(directories):
        kind = None if file.is_tiled(directory) else _kind(file, index, directory)
        image = file.image(index) if kind else None
        if kind and image:
            associated.setdefault(kind, image)
    base = directories[0]
    metadata = parse_description(file.description(base), file.icc_profile(base))
    levels = file.pyramid(tiled)
    if any(stored.level.encoding is None for stored in levels):
        metadata = metadata.keeping_less(_COMPRESSED_AGAIN)
    return Layout(metadata, levels, associated)


def _kind(file: JpegTiff, index: int, directory: Directory) -> AssociatedKind | None:
    """Which associated image a directory in strips is; None for one that is none of ours.

    The thumbnail comes second in every SVS. The others are named by the first word of the second
    line ("label 387x463"), or else by their subfile type.
    """
    if index == 1:
        return AssociatedKind.THUMBNAIL
    lines = file.description(directory).splitlines()
    words = lines[1].split() if len(lines) > 1 else []
    subfile_type = file.number(directory, tiff.NEW_SUBFILE_TYPE)
    return _KINDS.get(words[0].lower() if words else "") or _SUBFILE_KINDS.get(subfile_type)
