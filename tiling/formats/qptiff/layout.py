"""Which directory of a QPTIFF is what."""

from collections.abc import Sequence
from dataclasses import dataclass

from tiling import tiff
from tiling.errors import DamagedSlideError, UnsupportedSlideError
from tiling.formats.qptiff.channels import optical_path
from tiling.jpeg_tiff import AssociatedImage, Layout
from tiling.numerals import positive
from tiling.slide import AssociatedKind, OpticalPath, SlideMetadata
from tiling.tiff import Directory, TiffFile
from tiling.tiff_layers import LayeredTiff, PlaneImage, Scene, ordered_pyramid
from tiling.xml_tree import Element, flatten, parse_root, parse_xml

_ROOT = "PerkinElmer-QPI-ImageDescription"
_FULL, _REDUCED = "FullResolution", "ReducedResolution"
_KINDS = {
    "Label": AssociatedKind.LABEL,
    "Overview": AssociatedKind.OVERVIEW,
    "Thumbnail": AssociatedKind.THUMBNAIL,
}
_COLOURS = 3
_NOTHING_SAID = Element(_ROOT, {})


@dataclass(frozen=True, slots=True)
class _Image:
    """One directory, and what it says of itself."""

    directory: Directory
    described: Element

    @property
    def type(self) -> str | None:
        return self.described.words("ImageType")

    @property
    def channel(self) -> str | None:
        return self.described.words("Name")


def has_mark(file: TiffFile, directory: Directory) -> bool:
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return root is not None and root.name == _ROOT


def read_scene(file: LayeredTiff) -> Scene | Layout:
    """The slide of a file.

    Raises DamagedSlideError without an image in full resolution, or where those contradict each
    other, and UnsupportedSlideError for what is not read.
    """
    images = [_Image(directory, _describe(file, directory)) for directory in file.directories]
    full = [image for image in images if image.type == _FULL]
    reduced = [image for image in images if image.type == _REDUCED]
    if not full or images[0].type != _FULL:
        raise DamagedSlideError("The file holds no tissue image; copy it again from the scanner.")
    if not all(file.is_upright(image.directory) for image in (*full, *reduced)):
        raise UnsupportedSlideError("The slide lies on its side; export it upright.")
    is_colour = file.samples(full[0].directory) == _COLOURS
    associated = _associated(file, images)
    metadata = _metadata(file, full)
    if is_colour and len(full) == 1:
        handed_on = _in_jpeg(file, full[0], reduced, metadata, associated)
        if handed_on is not None:
            return handed_on
    profile = full[0].described.first("ScanProfile", "root")
    paths = [
        OpticalPath(each.channel) if is_colour else optical_path(each.described, profile)
        for each in full
    ]
    levels = [
        [
            file.colour_layer(each.directory) if is_colour else file.grey_layer(each.directory)
            for each in level
        ]
        for level in _levels(file, full, reduced)
    ]
    return Scene.of(metadata, paths, (0.0,), levels, associated, file.limits)


def _describe(file: LayeredTiff, directory: Directory) -> Element:
    text = file.description(directory)
    return parse_xml(text) if text else _NOTHING_SAID


def _in_jpeg(
    file: LayeredTiff,
    full: _Image,
    reduced: Sequence[_Image],
    metadata: SlideMetadata,
    associated: dict[AssociatedKind, AssociatedImage],
) -> Layout | None:
    """A slide all of whose tiles are JPEG; None for another."""
    tiled = [image.directory for image in reduced if file.is_tiled(image.directory)]
    try:
        return Layout(metadata, file.pyramid([full.directory, *tiled]), associated)
    except UnsupportedSlideError:
        return None


def _levels(
    file: LayeredTiff, full: Sequence[_Image], reduced: Sequence[_Image]
) -> list[Sequence[_Image]]:
    """Images of the same size, one for each channel, from the base upwards."""
    by_size: dict[tuple[int, int], list[_Image]] = {}
    for image in reduced:
        size = file.size(image.directory)
        by_size.setdefault((size.columns, size.rows), []).append(image)
    candidates = [level for level in by_size.values() if len(level) == len(full)]
    sizes = [file.size(level[0].directory) for level in candidates]
    chosen = ordered_pyramid(file.size(full[0].directory), sizes)
    levels = [candidates[index] for index in chosen]
    for level in levels:
        pairs = zip(full, level, strict=True)
        if any(other.channel not in (None, image.channel) for image, other in pairs):
            raise DamagedSlideError(
                "The channels of a level are in another order than the slide's; export it anew."
            )
    return [full, *levels]


def _associated(
    file: LayeredTiff, images: Sequence[_Image]
) -> dict[AssociatedKind, AssociatedImage]:
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for image in images:
        kind = _KINDS.get(image.type or "")
        if kind is None or kind in associated:
            continue
        samples = file.samples(image.directory)
        if samples not in (1, _COLOURS):
            continue
        try:
            layer = (file.grey_layer if samples == 1 else file.colour_layer)(image.directory)
        except UnsupportedSlideError:
            continue
        found = PlaneImage.of(layer.plane, file.limits)
        if found is not None:
            associated[kind] = found
    return associated


def _metadata(file: LayeredTiff, full: Sequence[_Image]) -> SlideMetadata:
    """The file names its format's maker, not the scanner's: none is told."""
    base, described = full[0].directory, full[0].described
    objective = (described.words("Objective") or "").lower().removesuffix("x")
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base),
        objective_power=positive(objective),
        scanned_at=file.date_time(base),
        model=described.words("InstrumentType"),
        software=described.words("AcquisitionSoftware"),
        icc_profile=file.icc_profile(base),
        barcode=described.words("Barcode"),
        vendor=_vendor(full),
    )


def _vendor(full: Sequence[_Image]) -> dict[str, str]:
    """What the first channel says, and what the others say otherwise."""
    first = flatten(full[0].described)
    vendor = dict(first)
    for number, image in enumerate(full[1:], start=1):
        for name, text in flatten(image.described).items():
            if first.get(name) != text:
                vendor[f"channel[{number}].{name}"] = text
    return vendor
