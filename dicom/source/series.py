"""The files of a series sorted into slides: levels, label, overview and thumbnail."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom.errors import DicomError
from dicom.source.areas import by_place, downsample_of, has_shape_of, home_of, is_area
from dicom.source.files import Member
from dicom.source.identity import require_copy, require_one_slide
from dicom.source.image import Image
from dicom.source.layers import layered_like
from dicom.source.part import ASSOCIATED, BESIDE, LOCALIZERS, VOLUME, Part
from tiling.errors import TilingError, UnsupportedSlideError
from tiling.limits import Limits
from tiling.slide import COUNTED_FOCAL_PLANES, AssociatedKind

_OTHER_KINDS = "Images of the series that are no tissue, label, overview or thumbnail are not kept."
_OTHER_IMAGES = "Images of the series that are no levels of its pyramid are not kept."
_OTHER_LAYERS = (
    "Resolutions whose channels or focal planes are not those of the base are not kept but made "
    "anew."
)
_SECOND_FRAMES = "Of several frames for one place only the first is kept."
_SECOND_IMAGES = "Of several labels, overviews or thumbnails only the first of each is kept."
_FOCUS_MAP = "The height that each tile has of its own, to follow the tissue, is not kept."
_UNREADABLE_IMAGES = "A label, overview or thumbnail that cannot be read is not kept."


@dataclass(frozen=True, slots=True, eq=False)
class StoredLevel:
    """A level: which frame every tile of the slide's paths and planes is."""

    image: Image
    downsample: float


@dataclass(frozen=True, slots=True, eq=False)
class Contents:
    """One slide of a series."""

    levels: tuple[StoredLevel, ...]
    """The base first; all with the same optical paths and focal planes in the same order."""
    associated: Mapping[AssociatedKind, Image]
    not_kept: tuple[str, ...]

    @property
    def base(self) -> Image:
        return self.levels[0].image


def open_parts(members: Sequence[Member]) -> tuple[list[Part], list[str]]:
    """Open the files of a slide, and say what of them is not kept.

    Raises DicomError or TilingError, with every file closed, where the tissue cannot be read or
    the files are of several slides.
    """
    parts: dict[str, Part] = {}
    paths: dict[str, Path] = {}
    not_kept: list[str] = []
    try:
        for member in members:
            if member.role != VOLUME and member.role not in BESIDE:
                not_kept.append(_OTHER_KINDS)
                continue
            try:
                part = Part.open(member.path)
            except (DicomError, TilingError):
                if member.role == VOLUME:
                    raise
                not_kept.append(_UNREADABLE_IMAGES)
                continue
            uid = part.header.sop_instance_uid
            if parts.setdefault(uid, part) is not part:
                part.source.close()
                require_copy(member.path, paths[uid])
            paths.setdefault(uid, member.path)
        require_one_slide(parts.values())
    except BaseException:
        for part in parts.values():
            part.source.close()
        raise
    return list(parts.values()), not_kept


def slides_of(parts: Sequence[Part], limits: Limits, not_kept: Sequence[str]) -> list[Contents]:
    """Every pyramid of a series; raises DicomError, or TilingError where there is none.

    `not_kept` is what is known already.
    """
    volumes = [part for part in parts if part.role == VOLUME]
    if not volumes:
        raise UnsupportedSlideError(
            "The DICOM series has no image of the tissue here; "
            "copy all of its files into one folder."
        )
    groups = _pyramids(volumes)
    slides: list[Contents] = []
    for key, group in groups.items():
        beside = [
            part
            for part in parts
            if part.role in BESIDE
            and (part.role != "THUMBNAIL" or len(groups) == 1 or key in _keys(part))
        ]
        slides += _slides_in(group, beside, limits, not_kept)
    return slides


def _pyramids(volumes: Sequence[Part]) -> dict[str, list[Part]]:
    """By Pyramid UID (PS3.3 C.7.11.1); without one by Frame of Reference, if several images share
    theirs: some software makes a new one for each level.
    """
    frames_of_reference = Counter(part.text("FrameOfReferenceUID") for part in volumes)
    shared = any(count > 1 for uid, count in frames_of_reference.items() if uid)
    groups: dict[str, list[Part]] = {}
    for part in volumes:
        frame_of_reference = (part.text("FrameOfReferenceUID") or "") if shared else ""
        groups.setdefault(part.text("PyramidUID") or frame_of_reference, []).append(part)
    return groups


def _keys(part: Part) -> tuple[str | None, str | None]:
    return part.text("PyramidUID"), part.text("FrameOfReferenceUID")


def _slides_in(
    volumes: Sequence[Part], beside: Sequence[Part], limits: Limits, not_kept: Sequence[str]
) -> Iterator[Contents]:
    """The pyramid of the largest image, and one of each image that is another area of the glass:
    as fine as the base, and no level of it.
    """
    images = sorted(
        (Image.of(group, limits) for group in by_place(volumes)),
        key=lambda image: -image.grid.image.area,
    )
    bases = [image for image in images if image is images[0] or is_area(images[0], image)]
    pyramids: list[list[Image]] = [[base] for base in bases]
    for image in images:
        if image not in bases:
            pyramids[_pyramid_of(image, bases)].append(image)
    for number, pyramid in enumerate(pyramids):
        own = [p for p in beside if p.role != "THUMBNAIL" or home_of(p, bases) == number]
        yield _contents(pyramid, own, limits, not_kept)


def _pyramid_of(image: Image, bases: Sequence[Image]) -> int:
    """The area that an image is a level of; the largest of those that it could be of."""
    fitting = [n for n, base in enumerate(bases) if downsample_of(base, image) is not None]
    if not fitting:
        return 0
    home = home_of(image.parts[0], [bases[number] for number in fitting])
    return fitting[home or 0]


def _contents(
    images: Sequence[Image], beside: Sequence[Part], limits: Limits, already: Sequence[str]
) -> Contents:
    base = images[0]
    levels, not_kept = _levels(base, images[1:])
    not_kept += already
    if any(image.unused_frames for image in images):
        not_kept.append(_SECOND_FRAMES)
    if any(image.focus_map for image in images):
        not_kept.append(_FOCUS_MAP)
    if not base.heights_known:
        not_kept.append(COUNTED_FOCAL_PLANES)
    associated, left_out = _associated(beside, base, limits)
    return Contents(tuple(levels), associated, tuple(dict.fromkeys([*not_kept, *left_out])))


def _levels(base: Image, others: Sequence[Image]) -> tuple[list[StoredLevel], list[str]]:
    """The pyramid, and what is not kept of the other images, which come from large to small."""
    levels = [StoredLevel(base, 1.0)]
    not_kept: list[str] = []
    for image in others:
        last = levels[-1]
        downsample = downsample_of(base, image) or 0.0
        smaller = image.grid.image.area < last.image.grid.image.area
        coarser = smaller and downsample > last.downsample
        if not coarser or image.pixel_format != base.pixel_format:
            not_kept.append(_OTHER_IMAGES)
        elif (level := layered_like(image, base)) is None:
            not_kept.append(_OTHER_LAYERS)
        else:
            levels.append(StoredLevel(level, downsample))
    return levels, not_kept


def _associated(
    parts: Sequence[Part], base: Image, limits: Limits
) -> tuple[dict[AssociatedKind, Image], list[str]]:
    """The first readable image of each kind, and what is not kept of the others."""
    found: dict[AssociatedKind, Image] = {}
    not_kept: list[str] = []
    for part in sorted(parts, key=lambda part: part.role in LOCALIZERS):
        if part.role in LOCALIZERS and has_shape_of(base.grid.image, part.grid.image):
            not_kept.append(_OTHER_KINDS)
            continue
        kind = ASSOCIATED.get(part.role, AssociatedKind.OVERVIEW)
        if kind in found:
            not_kept.append(_SECOND_IMAGES)
            continue
        try:
            limits.check_associated(part.grid.image)
            limits.check_associated(part.grid.tile)
            found[kind] = Image.of([part], limits)
        except (DicomError, TilingError):
            not_kept.append(_UNREADABLE_IMAGES)
    return found, not_kept
