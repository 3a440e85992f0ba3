"""An establishment's limits of the quality gate, in the bucket: they outlive the catalogue."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from sgi.domain.quality import QualityThresholds
from sgi.stored.keys import quality_limits_key
from storage.store import ObjectStore


class StoredLimits(BaseModel):
    """For every slide that came after they were set."""

    version: Literal[1] = 1
    establishment_id: UUID
    limits: QualityThresholds
    changed_at: datetime


def write_limits(store: ObjectStore, stored: StoredLimits) -> None:
    """Before the row commits; blocking."""
    store.put(
        quality_limits_key(stored.establishment_id),
        stored.model_dump_json(indent=1).encode(),
        content_type="application/json",
    )
