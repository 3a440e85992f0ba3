"""A published slide and the DICOM instances that hold it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from sgi.domain.facts import SlideFacts
from sgi.domain.quality import SlideQuality
from sgi.domain.tier import Tier
from sgi.domain.told import ToldPlace, told_uid


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """One DICOM object in the store: a level, or an associated image."""

    sop_uid: str
    role: str
    """"volume", "label", "overview" or "thumbnail"."""
    level: int | None
    """0 for the base, None for associated images."""
    columns: int
    rows: int
    tile_columns: int
    tile_rows: int
    downsample: float
    transfer_syntax: str
    photometric: str
    """DICOM's Photometric Interpretation of the frames."""
    origin: str
    size_bytes: int
    sha256: str
    frames: int
    tier: Tier = Tier.WARM
    frames_sha256: str | None = None
    """Of the object that holds the frames' hashes; None where no scrub has read it yet."""
    header_bytes: int | None = None
    """Before the first frame; None, as the next, of slides taken in before it was recorded."""
    header_sha256: str | None = None

    @property
    def may_show_names(self) -> bool:
        """Whether its pixels are of the label, or of the glass with its label."""
        return self.role in {"label", "overview"}


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide that was verified and published."""

    id: UUID
    arrival_id: UUID
    scene: int
    """Which image of its file it is, from 0: most files hold one."""
    establishment_id: UUID
    establishment_name: str
    file_name: str
    study_uid: str
    """In the stored instances, as the next; others know it by `told_study_uid`."""
    series_uid: str
    source_sha256: str
    source_size_bytes: int
    published_at: datetime
    facts: SlideFacts
    quality: SlideQuality | None = None
    """None where the gate could not look at the slide, or was not there yet."""
    instances: Sequence[StoredInstance] = ()
    told: ToldPlace | None = None
    """None while nobody has said whose it is: its instances are told as they are stored."""

    @property
    def told_study_uid(self) -> str:
        """By which the slide is found over DICOMweb, and told of to others."""
        return self.told.study_uid if self.told else self.study_uid

    @property
    def told_series_uid(self) -> str:
        return self.told.series_uid if self.told else self.series_uid

    def told_uid(self, stored: StoredInstance) -> str:
        """SOP Instance UID of one of its instances, as others know it."""
        return told_uid(self.id, self.told.revision if self.told else 0, stored.sop_uid)

    @property
    def levels(self) -> list[StoredInstance]:
        """The pyramid, base first."""
        volumes = [i for i in self.instances if i.level is not None]
        return sorted(volumes, key=lambda i: i.level or 0)

    def instance(self, role: str) -> StoredInstance | None:
        """The associated image of that role, if the slide has one."""
        return next((i for i in self.instances if i.role == role and i.level is None), None)


def scene_slide_id(slide_id: UUID, scene: int) -> UUID:
    """The slide of a file's scene: the first has the arrival's own, each other follows from it."""
    return uuid5(slide_id, f"scene-{scene}") if scene else slide_id
