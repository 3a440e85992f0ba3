"""A slide file into DICOM instances: which images, in which order, saying what of themselves."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dicom.dataset import build_dataset
from dicom.descriptions import Describer
from dicom.manifest import InstanceRecord, SlideManifest
from dicom.models import Equipment, ImageDescription, Optics, SlideIdentity
from dicom.originals import Originals
from dicom.targets import InstanceTarget
from dicom.thumbnail import build_thumbnail, number_of_level_for
from dicom.withheld import Withholds, metadata_without_withheld, nothing
from dicom.writer import WrittenInstance, write_instance
from tiling.errors import TilingError
from tiling.geometry import Size
from tiling.pyramid import EncodedLevel, Origin
from tiling.slide import AssociatedKind, Pixels, SlideReader, plane_shown_first

Progress = Callable[[int, int], None]
"""Called after every frame with the frames written so far and the frames of all levels."""
Finished = Callable[[InstanceRecord, bytes], None]
"""Called after every instance with what it is and its frames' hashes, 32 bytes each: whoever reads
instances back need not wait for the last one."""

_LARGEST_DISTORTION = 0.05
"""Part by which a thumbnail's sides may be in another ratio than the base's, and still show it."""


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """How a slide is converted."""

    thumbnail_px: int = 512
    """Longest side of the thumbnail that is made when the file has none."""
    lossless_associated: frozenset[AssociatedKind] = frozenset()
    """Associated images known never to have been compressed with loss.

    A reader gives their pixels alone. Scanners store most of them as JPEG, and an image wrongly
    called lossless is the worse error, so the others are declared lossy.
    """
    barcode: str | None = None
    """What the label's barcode says, where whoever converts has read it."""
    taken_in_at: datetime | None = None
    """When the file was taken in, with a zone: what is replaced in a DICOM file is recorded with
    this moment, and not at all without."""
    withholds: Withholds = nothing
    """Words that no instance may hold, as the label's text or another of the file's: they are left
    out, and what is required is as it is where nobody knows."""


@dataclass(frozen=True, slots=True)
class ConvertedSlide:
    """What was made, and what proves that it can be read back."""

    manifest: SlideManifest
    frame_hashes: Mapping[str, bytes]
    """By SOP Instance UID: the SHA-256 of every unpadded frame, 32 bytes each."""


class _Image(NamedTuple):
    """One instance, ready to be written."""

    name: str
    description: ImageDescription
    frame_lengths: NDArray[np.int64]
    frames: Iterable[bytes]
    level: int | None = None
    downsample: float | None = None
    origin: Origin | None = None


def convert(
    reader: SlideReader,
    levels: Sequence[EncodedLevel],
    identity: SlideIdentity,
    target: InstanceTarget,
    options: ConversionOptions | None = None,
    progress: Progress | None = None,
    finished: Finished | None = None,
) -> ConvertedSlide:
    """Write a slide's levels, base first, then thumbnail, overview and label.

    `levels` is the whole pyramid in the order of its levels. A thumbnail, overview or label that
    cannot be decoded is left out and recorded: the tissue is worth more than its label.

    Raises UnsupportedInstanceError for what DICOM cannot hold, FrameMismatchError when a level's
    frames are not as announced, and whatever the reader or the target raise; instances published
    before stay.
    """
    options = options or ConversionOptions()
    scanner = Equipment.of(metadata_without_withheld(reader.metadata, options.withholds))
    optics = Optics.of(reader, options.withholds)
    originals = Originals(reader, options.taken_in_at, options.withholds)
    count = _FrameCount(sum(len(level.frame_lengths) for level in levels), progress)
    records: list[InstanceRecord] = []
    hashes: dict[str, bytes] = {}
    left_out: list[str] = []
    describer = Describer(reader, identity, levels, options.barcode, options.withholds)
    for image in _images(reader, levels, describer, options, left_out):
        uid = image.description.sop_instance_uid
        light = optics.of_picture() if image.level is None else optics
        dataset = build_dataset(identity, scanner, light, image.description)
        originals.keep(dataset, image.description, image.origin)
        frames = image.frames if image.level is None else count.counted(image.frames)
        with target.open(image.name, uid) as sink:
            written = write_instance(sink, dataset, image.frame_lengths, frames)
        record = _record(image, written)
        records.append(record)
        hashes[uid] = written.frame_hashes
        if finished is not None:
            finished(record, written.frame_hashes)
    manifest = SlideManifest(
        slide_uuid=identity.slide_uuid,
        study_uid=identity.study_uid,
        series_uid=identity.series_uid,
        frame_of_reference_uid=identity.frame_of_reference_uid,
        pyramid_uid=identity.pyramid_uid,
        instances=tuple(records),
        left_out=tuple(left_out),
    )
    return ConvertedSlide(manifest, hashes)


def _record(image: _Image, written: WrittenInstance) -> InstanceRecord:
    return InstanceRecord(
        name=image.name,
        sop_instance_uid=image.description.sop_instance_uid,
        role=image.description.role,
        level=image.level,
        size=image.description.size,
        tile=image.description.tile,
        downsample=image.downsample,
        origin=image.origin,
        transfer_syntax_uid=image.description.transfer_syntax_uid,
        photometric=image.description.photometric.value,
        frames=len(image.frame_lengths),
        size_bytes=written.size_bytes,
        sha256=written.sha256,
        frames_sha256=sha256(written.frame_hashes).hexdigest(),
        header_bytes=written.header_bytes,
        header_sha256=written.header_sha256,
    )


def _images(
    reader: SlideReader,
    levels: Sequence[EncodedLevel],
    describer: Describer,
    options: ConversionOptions,
    left_out: list[str],
) -> Iterator[_Image]:
    """Each image in the order of writing; `left_out` gets the names of those that are broken."""
    for number, level in enumerate(levels):
        yield _Image(
            name=f"level-{number}",
            description=describer.level(number),
            frame_lengths=level.frame_lengths,
            frames=level.frames(),
            level=number,
            downsample=level.downsample,
            origin=level.origin,
        )
    for kind in (AssociatedKind.THUMBNAIL, AssociatedKind.OVERVIEW, AssociatedKind.LABEL):
        pixels = _stored(reader, kind, left_out)
        if pixels is not None:
            lossless = kind in options.lossless_associated
            description = describer.associated(kind, pixels, lossless=lossless)
            yield _whole(kind, description, pixels)
        elif kind is AssociatedKind.THUMBNAIL:
            number = number_of_level_for(levels, options.thumbnail_px)
            plane = plane_shown_first(reader.focal_planes_um)
            paths = reader.optical_paths
            pixels = build_thumbnail(levels[number], paths, options.thumbnail_px, plane)
            description = describer.built_thumbnail(pixels, number)
            yield _whole(kind, description, pixels, Origin.BUILT)


def _stored(reader: SlideReader, kind: AssociatedKind, left_out: list[str]) -> Pixels | None:
    """The file's own image of that kind; None where it has none, or none that can be used."""
    size = reader.associated.get(kind)
    if size is None:
        return None
    if kind is AssociatedKind.THUMBNAIL and not _has_shape_of(reader.levels[0].size, size):
        return None
    try:
        return reader.read_associated(kind)
    except TilingError:
        left_out.append(kind.value)
        return None


def _has_shape_of(base: Size, thumbnail: Size) -> bool:
    """Whether a thumbnail can show all of the base: a scene of many would lie about its scale."""
    columns = base.columns * thumbnail.rows / base.rows
    # A pixel of rounding is much of the shorter side of a long strip.
    allowed = max(_LARGEST_DISTORTION * columns, columns / thumbnail.rows, 1.0)
    return abs(thumbnail.columns - columns) <= allowed


def _whole(
    kind: AssociatedKind,
    description: ImageDescription,
    pixels: Pixels,
    origin: Origin | None = None,
) -> _Image:
    """An image stored uncompressed as a single frame, so that not a bit of it is lost."""
    frame = np.ascontiguousarray(pixels).tobytes()
    return _Image(kind.value, description, np.array([len(frame)]), [frame], origin=origin)


class _FrameCount:
    """Tells how far the levels are."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._total = total
        self._done = 0
        self._progress = progress

    def counted(self, frames: Iterable[bytes]) -> Iterable[bytes]:
        return frames if self._progress is None else self._told(frames, self._progress)

    def _told(self, frames: Iterable[bytes], progress: Progress) -> Iterator[bytes]:
        for frame in frames:
            yield frame
            self._done += 1
            progress(self._done, self._total)
