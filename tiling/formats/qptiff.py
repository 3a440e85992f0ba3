"""PerkinElmer/Akoya QPTIFF: bright field in JPEG tiles handed on as they are.

Each directory has an XML description that tells what it is. A slide in bright field has one image
in full resolution, in RGB; reduced ones that are tiled are its levels, and smaller ones in strips
are left out, since they are quicker built than read. Several images in full resolution are the
channels of a fluorescence scan: claimed, so that nobody shows one channel for the whole, and
refused.
"""

from collections.abc import Sequence
from pathlib import Path

from tiling import tiff
from tiling.confidence import Confidence
from tiling.errors import DamagedSlideError, TilingError, UnsupportedSlideError
from tiling.jpeg_tiff import AssociatedImage, JpegTiff, Layout, claim, open_claimed
from tiling.limits import Limits
from tiling.numerals import positive
from tiling.slide import AssociatedKind, SlideMetadata, SlideReader
from tiling.source import FileSource
from tiling.tiff import Directory, TiffFile, is_tiff
from tiling.xml_tree import flatten, parse_root, parse_xml

NAME = "PerkinElmer QPTIFF"

_ROOT = "PerkinElmer-QPI-ImageDescription"
_FULL, _REDUCED = "FullResolution", "ReducedResolution"
_KINDS = {
    "Label": AssociatedKind.LABEL,
    "Overview": AssociatedKind.OVERVIEW,
    "Thumbnail": AssociatedKind.THUMBNAIL,
}


def sniff(path: Path, head: bytes) -> Confidence:
    """VENDOR for bright field in JPEG tiles, and for fluorescence, which `open_` refuses."""
    if not is_tiff(head):
        return Confidence.NONE
    if _is_fluorescence_file(path):
        return Confidence.VENDOR
    return claim(path, head, _has_mark, _read_layout)


def open_(path: Path, limits: Limits) -> SlideReader:
    """Open a slide; raises UnsupportedSlideError for fluorescence."""
    return open_claimed(path, limits, NAME, _read_layout)


def _has_mark(file: TiffFile, directory: Directory) -> bool:
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.name == _ROOT


def _is_fluorescence_file(path: Path) -> bool:
    source = FileSource(path)
    try:
        file = TiffFile(source, Limits())
        first = next(file.directories(), None)
        if first is None or not _has_mark(file, first):
            return False
        whole = JpegTiff(path, source, Limits())
        return _is_fluorescence(whole, _types(whole))
    except TilingError:
        return False
    finally:
        source.close()


def _types(file: JpegTiff) -> list[str | None]:
    """What each directory calls itself; None where it says nothing."""
    descriptions = (file.description(directory) for directory in file.directories)
    return [parse_xml(text).words("ImageType") if text else None for text in descriptions]


def _is_fluorescence(file: JpegTiff, types: Sequence[str | None]) -> bool:
    samples = [
        file.number(directory, tiff.SAMPLES_PER_PIXEL, 1)
        for directory, kind in zip(file.directories, types, strict=True)
        if kind == _FULL
    ]
    return len(samples) > 1 or samples == [1]


def _read_layout(file: JpegTiff) -> Layout:
    types = _types(file)
    if _is_fluorescence(file, types):
        raise UnsupportedSlideError(
            "The slide is a fluorescence scan in separate channels, which cannot be read yet; "
            "keep the file until it can."
        )
    if types[0] != _FULL:
        raise DamagedSlideError("The file holds no tissue image; copy it again from the scanner.")
    levels = [
        directory
        for directory, name in zip(file.directories, types, strict=True)
        if name == _FULL or (name == _REDUCED and file.is_tiled(directory))
    ]
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for index, name in enumerate(types):
        kind = _KINDS.get(name or "")
        image = file.image(index) if kind else None
        if kind and image:
            associated.setdefault(kind, image)
    return Layout(_metadata(file), file.pyramid(levels), associated)


def _metadata(file: JpegTiff) -> SlideMetadata:
    """The file names its format's maker, not the scanner's: none is told."""
    base = file.directories[0]
    described = parse_xml(file.description(base))
    objective = (described.words("Objective") or "").lower().removesuffix("x")
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base),
        objective_power=positive(objective),
        scanned_at=file.date_time(base),
        model=described.words("InstrumentType"),
        software=described.words("AcquisitionSoftware"),
        icc_profile=file.icc_profile(base),
        vendor=flatten(described),
    )
