"""From the images of a document to slides, and to what lies beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tiling.errors import UnsupportedSlideError
from tiling.focal_planes import order_planes
from tiling.formats.ome_tiff.document import Image, read_images
from tiling.formats.ome_tiff.files import FileSet
from tiling.formats.ome_tiff.found import (
    Found,
    Planes,
    Where,
    find,
    holds_more,
    referred,
    with_copies,
)
from tiling.formats.ome_tiff.levels import find_levels
from tiling.formats.ome_tiff.metadata import read_metadata
from tiling.formats.ome_tiff.optics import heights_um, optical_paths
from tiling.formats.ome_tiff.places import Place, read_places
from tiling.jpeg_tiff import AssociatedImage, Layout
from tiling.limits import Limits
from tiling.slide import RGB8, AssociatedKind, SlideMetadata
from tiling.tiff_layers import Layer, PlaneImage, Scene
from tiling.xml_tree import Element, flatten

_ONE_TIME = "Only the first of several times is kept."
_NOT_ALL_IMAGES = "Images of the file whose samples are of a kind that is not read are not kept."
_NOT_DESCRIBED = "Images of the file that its description does not name are not kept."
_NO_SLIDE = "The file holds a label or overview alone; export the slide itself."
_COLOURS = 3


def read_scenes(ome: Element, files: FileSet, limits: Limits) -> list[Scene | Layout]:
    """Every image that is a slide and can be read, in the document's order.

    Raises what opening one of them raised where none can be read.
    """
    images = read_images(ome)
    places = _of_a_renamed_file(read_places(images), files)
    _check_door(images, places, files)
    found = [find(image, at, files) for image, at in zip(images, places, strict=True)]
    associated = _associated([each for each in found if each.image.kind], limits)
    vendor = flatten(ome)
    scenes: list[Scene | Layout] = []
    refused: list[UnsupportedSlideError] = []
    taken = referred(places, files)
    for base, coarser in with_copies([each for each in found if each.image.kind is None]):
        try:
            metadata = read_metadata(ome, base.image, *base.first, vendor)
            reader = _SceneOf(base, coarser, metadata, files, limits, taken)
            scenes.append(reader.read(associated))
        except UnsupportedSlideError as error:
            refused.append(error)
    if not scenes:
        raise next(iter(refused), UnsupportedSlideError(_NO_SLIDE))
    told = (
        (_NOT_ALL_IMAGES, bool(refused)),
        (_NOT_DESCRIBED, holds_more(images, taken, files)),
    )
    more = [sentence for sentence, holds in told if holds]
    if more:
        first = scenes[0]
        less = (*first.metadata.not_kept, *more)
        scenes[0] = replace(first, metadata=first.metadata.keeping_less(*less))
    return scenes


def _check_door(
    images: Sequence[Image], places: Sequence[Mapping[Where, Place]], files: FileSet
) -> None:
    slides = [at for image, at in zip(images, places, strict=True) if image.kind is None]
    first = (slides or list(places))[0][0, 0]
    files.check_is_door(first.name, first.uuid)


def _of_a_renamed_file(
    places: Sequence[dict[tuple[int, int], Place]], files: FileSet
) -> Sequence[Mapping[Where, Place]]:
    """The places without a name, where all are in one file that has no UUID to be known by."""
    named = {(place.name, place.uuid) for at in places for place in at.values()}
    if len(named) > 1 or not files.is_anonymous:
        return places
    return [{where: Place(place.directory) for where, place in at.items()} for at in places]


def _associated(found: Sequence[Found], limits: Limits) -> dict[AssociatedKind, AssociatedImage]:
    associated: dict[AssociatedKind, AssociatedImage] = {}
    for each in found:
        file, directory = each.first
        samples = file.samples(directory)
        if samples not in (1, _COLOURS):
            continue
        try:
            layer = (file.grey_layer if samples == 1 else file.colour_layer)(directory)
        except UnsupportedSlideError:
            continue
        image = PlaneImage.of(layer.plane, limits)
        if image is not None and each.image.kind is not None:
            associated.setdefault(each.image.kind, image)
    return associated


class _SceneOf:
    """Reads one image as a slide."""

    def __init__(
        self,
        base: Found,
        copies: Sequence[Found],
        metadata: SlideMetadata,
        files: FileSet,
        limits: Limits,
        referred: set[int],
    ) -> None:
        self._base = base
        self._copies = copies
        self._metadata = metadata
        self._files = files
        self._limits = limits
        self._referred = referred
        self._channels = base.image.channels

    def read(self, associated: Mapping[AssociatedKind, AssociatedImage]) -> Scene | Layout:
        """Raises UnsupportedSlideError for what is not read, and what reading layers raises."""
        base, image = self._base, self._base.image
        image.check_type()
        samples = {channel.samples for channel in self._channels}
        if _COLOURS in samples and len(samples) > 1:
            raise UnsupportedSlideError(
                "The slide has channels in colours and in grey; export each kind by itself."
            )
        if not all(file.is_upright(each) for file, each in base.planes.values()):
            raise UnsupportedSlideError("The slide lies on its side; export it upright.")
        not_kept = [_ONE_TIME] if image.sizes["T"] > 1 else []
        ordered = order_planes(image.sizes["Z"], heights_um(image))
        metadata = self._metadata.keeping_less(*not_kept, *ordered.not_kept)
        if image.planes == 1 and self._is_colour and not self._copies:
            handed_on = self._in_jpeg(metadata, associated)
            if handed_on is not None:
                return handed_on
        levels = [
            [
                layer
                for channel in range(len(self._channels))
                for layer in self._layers(level, channel, ordered.numbers)
            ]
            for level in find_levels(base, self._copies, self._files, self._referred)
        ]
        image.check_bits(levels[0][0].plane.pixel_format.bits)
        paths = [path for channel in self._channels for path in optical_paths(channel)]
        return Scene.of(metadata, paths, ordered.heights_um, levels, associated, self._limits)

    @property
    def _is_colour(self) -> bool:
        return self._channels[0].samples == _COLOURS

    def _in_jpeg(
        self, metadata: SlideMetadata, associated: Mapping[AssociatedKind, AssociatedImage]
    ) -> Layout | None:
        """A single layer of JPEG tiles; None where it is another."""
        file, base = self._base.first
        if file is not self._files.main or not file.is_jpeg_tiled(base):
            return None
        self._base.image.check_bits(RGB8.bits)
        try:
            levels = file.pyramid([base, *file.sub_directories(base)])
        except UnsupportedSlideError:
            return None
        return Layout(metadata, levels, associated)

    def _layers(
        self,
        level: Planes,
        channel: int,
        planes: Sequence[int],
    ) -> list[Layer]:
        """All paths of a channel, each with its planes one after the other."""
        samples = self._channels[channel].samples
        if self._is_colour:
            return [file.colour_layer(each) for file, each in (level[channel, z] for z in planes)]
        return [
            file.grey_layer(each, sample, samples)
            for sample in range(samples)
            for file, each in (level[channel, z] for z in planes)
        ]
