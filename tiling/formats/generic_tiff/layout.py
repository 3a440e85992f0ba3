"""Which directory of a TIFF without a mark is what."""

from dataclasses import replace

from tiling import tiff
from tiling.errors import UnsupportedSlideError
from tiling.jpeg_tiff import Layout
from tiling.slide import OpticalPath, SlideMetadata
from tiling.tiff import Directory, TiffFile
from tiling.tiff_layers import Layer, LayeredTiff, Scene, Upright, ordered_pyramid
from tiling.xml_tree import parse_root

_GREYS, _COLOURED = {0, 1}, {2, 6}
"""PhotometricInterpretation: from white or from black; RGB and YCbCr."""
_KNOWN_ROOTS = {"OME", "PerkinElmer-QPI-ImageDescription"}
"""Descriptions of formats that OpenSlide takes for a TIFF of nobody's."""
_UPRIGHT, _ON_ITS_SIDE = 1, frozenset({5, 6, 7, 8})
_ORIENTATIONS = range(1, 9)
_COLOURS = 3
_UNSIGNED = {1, 4}
"""SampleFormat: unsigned, or not said."""


def is_nobodys(file: TiffFile, directory: Directory) -> bool:
    """Whether the first directory is tiled and has no mark that is known here."""
    root = parse_root(file.text(directory, tiff.IMAGE_DESCRIPTION))
    return tiff.TILE_OFFSETS in directory and (root is None or root.name not in _KNOWN_ROOTS)


def misleads(file: LayeredTiff) -> bool:
    """Whether OpenSlide would show a file wrongly that is not read here.

    It takes signs for light, turns tiles each by itself, and 16 bits of grey for 8.
    """
    base = file.directories[0]
    bits = file.number(base, tiff.BITS_PER_SAMPLE, 1)
    return (
        file.number(base, tiff.SAMPLE_FORMAT, 1) not in _UNSIGNED
        or file.number(base, tiff.ORIENTATION, _UPRIGHT) != _UPRIGHT
        or (file.samples(base) == 1 and bits > 8)
    )


def read_scene(file: LayeredTiff) -> Scene | Layout:
    """The slide of a file.

    Raises UnsupportedSlideError for images that are no levels of the first, and for samples that
    are not read.
    """
    base, *others = file.directories
    tiled = [directory for directory in others if file.is_tiled(directory)]
    if not all(file.is_reduced(directory) for directory in tiled):
        raise UnsupportedSlideError(
            "The file holds several images, and does not say what they are; export it as OME-TIFF."
        )
    candidates = [*tiled, *file.sub_directories(base)]
    metadata = _metadata(file)
    if file.is_upright(base):
        handed_on = _in_jpeg(file, [base, *candidates], metadata)
        if handed_on is not None:
            return handed_on
    levels = _levels(file, base, candidates)
    if _orientation(file, base) in _ON_ITS_SIDE and metadata.pixel_spacing_mm:
        across, down = metadata.pixel_spacing_mm
        metadata = replace(metadata, pixel_spacing_mm=(down, across))
    return Scene.of(metadata, [OpticalPath()], (0.0,), levels, {}, file.limits)


def _in_jpeg(
    file: LayeredTiff, directories: list[Directory], metadata: SlideMetadata
) -> Layout | None:
    """A slide all of whose tiles are JPEG in colours; None for another."""
    try:
        levels = file.pyramid(directories)
    except UnsupportedSlideError:
        return None
    if levels[0].level.size != file.size(directories[0]):
        raise UnsupportedSlideError("The file does not begin with its base; export it anew.")
    return Layout(metadata, levels, {})


def _levels(file: LayeredTiff, base: Directory, candidates: list[Directory]) -> list[list[Layer]]:
    """From the base upwards, all of its kind."""
    orientation = _orientation(file, base)
    first = _layer(file, base)
    above = [
        directory
        for directory in candidates
        if file.samples(directory) == file.samples(base)
        and file.number(directory, tiff.BITS_PER_SAMPLE, 1)
        == file.number(base, tiff.BITS_PER_SAMPLE, 1)
        and _orientation(file, directory) == orientation
    ]
    sizes = [file.size(directory) for directory in above]
    chosen = ordered_pyramid(file.size(base), sizes)
    return [[first], *([_layer(file, above[index])] for index in chosen)]


def _layer(file: LayeredTiff, directory: Directory) -> Layer:
    samples = file.samples(directory)
    photometric = file.number(directory, tiff.PHOTOMETRIC, 1)
    if samples == _COLOURS and photometric in _COLOURED:
        layer = file.colour_layer(directory)
    elif samples == 1 and photometric in _GREYS:
        layer = file.grey_layer(directory)
    else:
        raise UnsupportedSlideError(
            "The image's samples are neither grey nor red, green and blue; export it in RGB."
        )
    orientation = _orientation(file, directory)
    if orientation == _UPRIGHT:
        return layer
    return Layer(Upright(layer.plane, orientation), None)


def _orientation(file: LayeredTiff, directory: Directory) -> int:
    orientation = file.number(directory, tiff.ORIENTATION, _UPRIGHT)
    if orientation not in _ORIENTATIONS:
        raise UnsupportedSlideError(
            "The file does not say which side of the image is up; export it upright."
        )
    return orientation


def _metadata(file: LayeredTiff) -> SlideMetadata:
    """What TIFF's own fields say."""
    base = file.directories[0]
    named = {
        "ImageDescription": file.words(base, tiff.IMAGE_DESCRIPTION),
        "Make": file.words(base, tiff.MAKE),
        "Model": file.words(base, tiff.MODEL),
        "Software": file.words(base, tiff.SOFTWARE),
        "DateTime": file.words(base, tiff.DATE_TIME),
    }
    return SlideMetadata(
        pixel_spacing_mm=file.spacing_mm(base),
        scanned_at=file.date_time(base),
        manufacturer=named["Make"],
        model=named["Model"],
        software=named["Software"],
        icc_profile=file.icc_profile(base),
        vendor={name: text for name, text in named.items() if text},
    )
