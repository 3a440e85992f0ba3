"""What must lie in a slide's folder, by the catalogue and by the slide's manifest."""

import hashlib
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

from sgi.domain.integrity import SideObject
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.tiers import ColdCopy
from sgi.errors import SgiError
from sgi.integrity.look import Whole
from sgi.stored.keys import MANIFEST, frame_hashes_key, instance_key, side_object_key
from sgi.stored.slide import StoredSlide

_HASH_BYTES = 32
_MOST = 1 << 62
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Known:
    """A slide as the catalogue has it."""

    slide: Slide
    side_objects: Mapping[str, SideObject]
    is_copied: bool = False
    """True when the second store has all of it too."""
    cold: Mapping[str, ColdCopy] = field(default_factory=dict)
    """By SOP Instance UID, packed copies in the cold store."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A slide's manifest as it was read."""

    data: bytes
    told: StoredSlide
    slide: Slide
    """What the catalogue's rows are made of."""

    @property
    def whole(self) -> Whole:
        return Whole(len(self.data), hashlib.sha256(self.data).hexdigest())


def parse_manifest(data: bytes) -> Manifest | None:
    """None for bytes that are no manifest."""
    try:
        told = StoredSlide.model_validate_json(data)
        slide = told.slide()
        for each in told.objects:
            side_object_key(slide.id, each.name)
        for instance in slide.instances:
            instance_key(slide.id, instance.sop_uid)
            _require_plausible(instance)
    except (ValueError, TypeError, RecursionError, SgiError):  # pydantic's own among them
        return None
    return Manifest(data, told, slide)


def _require_plausible(instance: StoredInstance) -> None:
    """Raises ValueError for what no row could hold."""
    numbers = (
        instance.columns,
        instance.rows,
        instance.tile_columns,
        instance.tile_rows,
        instance.frames,
        instance.size_bytes,
        instance.level or 0,
        0 if instance.header_bytes is None else instance.header_bytes,
    )
    texts = (instance.transfer_syntax, instance.photometric, instance.origin)
    hashes = [instance.sha256, instance.frames_sha256]
    if instance.header_sha256 is not None:
        hashes.append(instance.header_sha256)
    if not (
        all(type(number) is int and 0 <= number < _MOST for number in numbers)
        and all(isinstance(text, str) for text in texts)
        and all(isinstance(text, str) and _SHA256.fullmatch(text) for text in hashes)
        and (instance.header_bytes is None) == (instance.header_sha256 is None)
        and isinstance(instance.downsample, (int, float))
    ):
        raise ValueError("The manifest holds what no instance has.")


@dataclass(frozen=True, slots=True)
class Expected:
    """One object, and its size and hash by both witnesses; None where one does not know."""

    key: str
    catalogue: Whole | None
    manifest: Whole | None
    instance: StoredInstance | None = None
    """Whose frames it holds, or the hashes of these."""
    name: str | None = None
    """Of a side object."""

    @property
    def best(self) -> Whole | None:
        """What the object must be."""
        return self.catalogue or self.manifest


def is_cold(each: Expected) -> bool:
    """Whether it is an instance whose frames lie in the cold store, packed."""
    instance = each.instance
    return instance is not None and instance.tier is not Tier.WARM and each.key.endswith(".dcm")


def expected_objects(known: Known, manifest: Manifest | None) -> list[Expected]:
    """Every object of a slide but its manifest; `manifest` is None where it is not to be trusted.

    Instances are expected as DICOM, wherever they lie.
    """
    slide = known.slide
    told = {i.sop_uid: i for i in manifest.slide.instances} if manifest else {}
    found: list[Expected] = []
    for instance in slide.instances:
        other = told.get(instance.sop_uid)
        found.append(
            Expected(
                instance_key(slide.id, instance.sop_uid),
                _instance(instance),
                None if other is None else _instance(other),
                instance,
            )
        )
        found.append(
            Expected(
                frame_hashes_key(slide.id, instance.sop_uid),
                _hashes(instance),
                None if other is None else _hashes(other),
                instance,
            )
        )
    missing = told.keys() - {instance.sop_uid for instance in slide.instances}
    for instance in (told[sop_uid] for sop_uid in sorted(missing)):  # a row was lost
        key = instance_key(slide.id, instance.sop_uid)
        found.append(Expected(key, None, _instance(instance), instance))
        key = frame_hashes_key(slide.id, instance.sop_uid)
        found.append(Expected(key, None, _hashes(instance), instance))
    said = {each.name: each for each in manifest.told.objects} if manifest else {}
    for name in sorted({*known.side_objects, *said} - {MANIFEST}):
        row, line = known.side_objects.get(name), said.get(name)
        found.append(
            Expected(
                side_object_key(slide.id, name),
                None if row is None else Whole(row.size_bytes, row.sha256),
                None if line is None else Whole(line.size_bytes, line.sha256),
                name=name,
            )
        )
    return found


def _instance(instance: StoredInstance) -> Whole:
    return Whole(instance.size_bytes, instance.sha256)


def _hashes(instance: StoredInstance) -> Whole | None:
    if instance.frames_sha256 is None:
        return None
    return Whole(instance.frames * _HASH_BYTES, instance.frames_sha256)


def says_the_same(slide: Slide, manifest: Manifest) -> bool:
    """Whether the rows of a slide could be made again from its manifest.

    Whose the slide is said to be has objects of its own. Under which name the establishment goes by
    now, and in which tier an instance lies, is not the manifest's to say. Manifests of the first
    version were written a moment before the slide was published.
    """
    told = manifest.slide
    if manifest.told.version == 1:
        told = replace(told, published_at=slide.published_at)
    told = replace(told, establishment_name=slide.establishment_name)
    headers = {i.sop_uid for i in told.instances if i.header_sha256 is not None}
    return _comparable(told, headers) == _comparable(slide, headers)


def _comparable(slide: Slide, headers: Container[str]) -> Slide:
    """`headers` has the UIDs of the instances of whose headers the manifest knows the hash."""
    ordered = sorted(slide.instances, key=lambda instance: instance.sop_uid)
    # Without frames_sha256: rows that are older than it are completed, not damaged.
    instances = tuple(replace(i, tier=Tier.WARM, frames_sha256=None) for i in ordered)
    return replace(
        slide,
        told=None,
        instances=tuple(
            i if i.sop_uid in headers else replace(i, header_bytes=None, header_sha256=None)
            for i in instances
        ),
    )
