"""The files of a series sorted into slides: levels, label, overview and thumbnail."""

import filecmp
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dicom.errors import DicomError
from dicom.source.files import Member
from dicom.source.image import Image
from dicom.source.part import ASSOCIATED, VOLUME, Part
from tiling.errors import TilingError, UnsupportedSlideError
from tiling.geometry import Size
from tiling.limits import Limits
from tiling.slide import COUNTED_FOCAL_PLANES, AssociatedKind

_PATIENT = ("PatientID", "PatientName", "PatientBirthDate")
_LARGEST_MISFIT = 0.2
"""Part by which a level's pixel spacing may differ from what its size says of its scale."""
_LARGEST_DISTORTION = 0.05
"""Part by which a level's sides may be in another ratio than the base's."""
_OTHER_IMAGES = "Images of the series that are no levels of its pyramid are not kept."
_SECOND_FRAMES = "Of several frames for one place only the first is kept."
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


def open_parts(members: Sequence[Member]) -> tuple[list[Part], bool]:
    """Open the files of a slide, and say whether an image beside the tissue is unreadable.

    Raises DicomError or TilingError, with every file closed, where the tissue is.
    """
    parts: dict[str, Part] = {}
    paths: dict[str, Path] = {}
    unreadable = False
    try:
        for member in members:
            if member.role != VOLUME and member.role not in ASSOCIATED:
                continue
            try:
                part = Part.open(member.path)
            except (DicomError, TilingError):
                if member.role == VOLUME:
                    raise
                unreadable = True
                continue
            uid = part.header.sop_instance_uid
            if parts.setdefault(uid, part) is not part:
                part.source.close()
                _require_copy(member.path, paths[uid])
            paths.setdefault(uid, member.path)
        _require_one_patient(parts.values())
    except BaseException:
        for part in parts.values():
            part.source.close()
        raise
    return list(parts.values()), unreadable


def _require_copy(path: Path, other: Path) -> None:
    """The same instance twice is a file that was copied twice, or else a riddle for a person."""
    if not filecmp.cmp(path, other, shallow=False):
        raise UnsupportedSlideError(
            "Two files of the series have one identity and different contents; "
            "keep the right one of them."
        )


def _require_one_patient(parts: Iterable[Part]) -> None:
    """No slide is put together of two patients' images, whatever their series is called."""
    parts = list(parts)
    for keyword in _PATIENT:
        if len({value for part in parts if (value := part.text(keyword))}) > 1:
            raise UnsupportedSlideError(
                "The files of the series name different patients; "
                "put the files of each slide into a folder of its own."
            )


def slides_of(parts: Sequence[Part], limits: Limits, *, unreadable: bool) -> list[Contents]:
    """Every pyramid of a series; raises DicomError, or TilingError where there is none."""
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
            if part.role in ASSOCIATED
            and (part.role != "THUMBNAIL" or len(groups) == 1 or key in _keys(part))
        ]
        slides += _slides_in(group, beside, limits, unreadable=unreadable)
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
    volumes: Sequence[Part], beside: Sequence[Part], limits: Limits, *, unreadable: bool
) -> Iterator[Contents]:
    """The pyramid of the largest image, and one of each image that is another area of the glass:
    as fine as the base, and no level of it.
    """
    images = sorted(
        (Image.of(group, limits) for group in _by_shape(volumes)),
        key=lambda image: -image.grid.image.area,
    )
    while images:
        base, *others = images
        areas = [image for image in others if _is_as_fine(base, image)]
        levels = [base, *(image for image in others if image not in areas)]
        yield _contents(levels, beside, limits, unreadable=unreadable)
        images = areas


def _contents(
    images: Sequence[Image], beside: Sequence[Part], limits: Limits, *, unreadable: bool
) -> Contents:
    not_kept = []
    base = images[0]
    levels = list(_levels(base, images[1:]))
    if len(levels) < len(images):
        not_kept.append(_OTHER_IMAGES)
    if any(image.unused_frames for image in images):
        not_kept.append(_SECOND_FRAMES)
    if not base.heights_known:
        not_kept.append(COUNTED_FOCAL_PLANES)
    associated, broken = _associated(beside, limits)
    if unreadable or broken:
        not_kept.append(_UNREADABLE_IMAGES)
    return Contents(tuple(levels), associated, tuple(not_kept))


def _by_shape(volumes: Iterable[Part]) -> Iterator[list[Part]]:
    """The parts of each resolution."""
    groups: dict[object, list[Part]] = {}
    for part in volumes:
        groups.setdefault((part.grid, part.pixel_format), []).append(part)
    yield from groups.values()


def _levels(base: Image, others: Sequence[Image]) -> Iterator[StoredLevel]:
    yield StoredLevel(base, 1.0)
    size, previous, reached = base.grid.image, base.grid.image, 1.0
    for image in others:
        own = image.grid.image
        downsample = (size.columns / own.columns + size.rows / own.rows) / 2
        alike = own.area < previous.area and downsample > reached and _has_shape_of(size, own)
        alike = alike and _has_scale(base, image, downsample)
        level = image.layered_like(base) if alike else None
        if level is not None and image.pixel_format == base.pixel_format:
            yield StoredLevel(level, downsample)
            previous, reached = own, downsample


def _scale(base: Image, image: Image) -> float | None:
    """How much coarser the files say that an image is; None where they do not."""
    fine, coarse = (each.parts[0].header.pixel_spacing_mm for each in (base, image))
    return None if fine is None or coarse is None else coarse[0] / fine[0]


def _has_scale(base: Image, image: Image, downsample: float) -> bool:
    """Whether an image is as coarse as its size says, as far as anybody knows."""
    scale = _scale(base, image)
    return scale is None or abs(scale / downsample - 1) <= _LARGEST_MISFIT


def _is_as_fine(base: Image, image: Image) -> bool:
    scale = _scale(base, image)
    return scale is not None and abs(scale - 1) <= _LARGEST_MISFIT


def _has_shape_of(base: Size, level: Size) -> bool:
    """Whether a level shows all of the base, and not another part of the glass."""
    columns = base.columns * level.rows / base.rows
    # A pixel of rounding is much of the shorter side of a small level.
    allowed = max(_LARGEST_DISTORTION * columns, columns / level.rows, 1.0)
    return abs(level.columns - columns) <= allowed


def _associated(parts: Sequence[Part], limits: Limits) -> tuple[dict[AssociatedKind, Image], bool]:
    """The first readable image of each kind, and whether there is one that cannot be read."""
    found: dict[AssociatedKind, Image] = {}
    broken = False
    for part in parts:
        kind = ASSOCIATED[part.role]
        if kind in found:
            continue
        try:
            limits.check_associated(part.grid.image)
            limits.check_associated(part.grid.tile)
            found[kind] = Image.of([part], limits)
        except (DicomError, TilingError):
            broken = True
    return found, broken
