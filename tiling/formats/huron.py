"""Huron TIFF: the scanner's JPEG tiles handed on as they are.

The maker stands in TIFF's own Make field. The tiled images are the levels; of those in strips the
second image of the file is the thumbnail, and NewSubfileType tells label (1) and overview (9). The
description has one `name = value` a line.
"""

from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import UnsupportedSlideError
from tiling.jpeg_tiff import AssociatedImage, JpegTiff, Layout, claim, open_claimed
from tiling.limits import Limits
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.tiff import Directory, TiffFile

NAME = "Huron TIFF"

_SUBFILE_KINDS = {1: AssociatedKind.LABEL, 9: AssociatedKind.OVERVIEW}


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for a Huron slide in JPEG tiles."""
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    return tiff.TILE_OFFSETS in directory and file.text(directory, tiff.MAKE).startswith("Huron")


def _read_layout(file: JpegTiff) -> Layout:
    tiled = [directory for directory in file.directories if file.is_tiled(directory)]
    levels = file.pyramid(tiled)
    if levels[0].level.size != file.size(file.directories[0]):
        raise UnsupportedSlideError("The file does not begin with its base; export it anew.")
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for index, directory in enumerate(file.directories):
        if file.is_tiled(directory):
            continue
        subfile_type = file.number(directory, tiff.NEW_SUBFILE_TYPE)
        kind = AssociatedKind.THUMBNAIL if index == 1 else _SUBFILE_KINDS.get(subfile_type)
        image = file.image(index) if kind else None
        if kind and image:
            associated.setdefault(kind, image)
    return Layout(_metadata(file), levels, associated)


def _metadata(file: JpegTiff) -> SlideMetadata:
    base = file.directories[0]
    pairs = (line.partition("=") for line in file.description(base).splitlines())
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base),
        scanned_at=file.date_time(base),
        manufacturer=file.words(base, tiff.MAKE),
        model=file.words(base, tiff.MODEL),
        software=file.words(base, tiff.SOFTWARE),
        icc_profile=file.icc_profile(base),
        vendor={name.strip(): text.strip() for name, equals, text in pairs if equals},
    )
