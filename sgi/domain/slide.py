"""A published slide and the DICOM instances that hold it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


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
    origin: str
    size_bytes: int
    sha256: str
    frames: int


@dataclass(frozen=True, slots=True)
class Slide:
    """A slide that was verified and published."""

    id: UUID
    establishment_id: UUID
    establishment_name: str
    file_name: str
    format: str
    study_uid: str
    series_uid: str
    source_sha256: str
    source_size_bytes: int
    published_at: datetime
    scanned_at: datetime | None
    pixel_spacing_mm: tuple[float, float] | None
    """Between rows, between columns; None when the file does not say."""
    objective_power: float | None
    manufacturer: str | None
    model: str | None
    serial_number: str | None
    icc: bool
    """True when the file brought its own ICC profile."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    instances: Sequence[StoredInstance] = ()

    @property
    def levels(self) -> list[StoredInstance]:
        """The pyramid, base first."""
        volumes = [i for i in self.instances if i.level is not None]
        return sorted(volumes, key=lambda i: i.level or 0)

    def instance(self, role: str) -> StoredInstance | None:
        """The associated image of that role, if the slide has one."""
        return next((i for i in self.instances if i.role == role and i.level is None), None)
