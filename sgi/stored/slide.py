"""The manifest object beside a slide's instances: enough to make its catalogue rows again."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from dicom.manifest import InstanceRecord, SlideManifest
from sgi.domain.facts import SlideFacts
from sgi.domain.quality import SlideQuality
from sgi.domain.slide import Slide, StoredInstance


class StoredPart(BaseModel):
    """A file of an arrival, as it was when its content was hashed."""

    path: str
    """Its bytes in hexadecimal: names need not be text."""
    size_bytes: int = Field(ge=0)
    modified_ns: int


class StoredArrival(BaseModel):
    """How a slide came in."""

    source_path: str
    """Its bytes in hexadecimal."""
    slide_id: UUID
    """Of the first slide of the file."""
    seen_at: datetime
    modified_ns: int
    parts: tuple[StoredPart, ...]


class StoredSideObject(BaseModel):
    """An object beside the instances that never changes: a heat map, a part of an OME-Zarr."""

    name: str = Field(max_length=200)
    """Below the slide's folder."""
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class StoredSlide(BaseModel):
    """What the store knows of a slide; since version 2 all that its rows say."""

    version: Literal[1, 2] = 2
    establishment_id: UUID
    establishment_name: str
    establishment_created_at: datetime | None = None
    arrival_id: UUID
    arrival: StoredArrival | None = None
    scene: int = 0
    file_name: str
    source_sha256: str
    source_size_bytes: int
    written_at: datetime
    """And published: nothing is between them but the transaction that shows the slide."""
    facts: SlideFacts
    quality: SlideQuality | None = None
    objects: tuple[StoredSideObject, ...] = ()
    """Beside the instances, the hashes of their frames, and this manifest."""
    manifest: str
    """`dicom.manifest.SlideManifest` as JSON."""

    def slide(self) -> Slide:
        """The slide as the catalogue has it; raises ValueError for a manifest that is none."""
        manifest = SlideManifest.from_json(self.manifest)
        return Slide(
            id=manifest.slide_uuid,
            arrival_id=self.arrival_id,
            scene=self.scene,
            establishment_id=self.establishment_id,
            establishment_name=self.establishment_name,
            file_name=self.file_name,
            study_uid=manifest.study_uid,
            series_uid=manifest.series_uid,
            source_sha256=self.source_sha256,
            source_size_bytes=self.source_size_bytes,
            published_at=self.written_at,
            facts=self.facts,
            quality=self.quality,
            instances=tuple(_instance(record) for record in manifest.instances),
        )


def _instance(record: InstanceRecord) -> StoredInstance:
    return StoredInstance(
        sop_uid=record.sop_instance_uid,
        role=record.role.value.lower(),
        level=record.level,
        columns=record.size.columns,
        rows=record.size.rows,
        tile_columns=record.tile.columns,
        tile_rows=record.tile.rows,
        downsample=record.downsample or 1.0,
        transfer_syntax=record.transfer_syntax_uid,
        photometric=record.photometric,
        origin=record.origin.value if record.origin else "as in the file",
        size_bytes=record.size_bytes,
        sha256=record.sha256,
        frames=record.frames,
        frames_sha256=record.frames_sha256,
        header_bytes=record.header_bytes,
        header_sha256=record.header_sha256,
    )
