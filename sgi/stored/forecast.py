"""What an establishment typed in for its forecast, in the bucket: it outlives the catalogue."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from sgi.domain.forecast import Activity
from sgi.stored.keys import forecast_key
from storage.store import ObjectStore


class StoredActivity(BaseModel):
    """The last one that was saved."""

    version: Literal[1] = 1
    establishment_id: UUID
    activity: Activity
    changed_at: datetime


def write_activity(store: ObjectStore, stored: StoredActivity) -> None:
    """Before the row commits; blocking."""
    store.put(
        forecast_key(stored.establishment_id),
        stored.model_dump_json(indent=1).encode(),
        content_type="application/json",
    )
