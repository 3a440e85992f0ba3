"""An establishment's rules for its tiers, in the bucket: they outlive the catalogue."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from sgi.domain.tiers import TierPolicy
from sgi.stored.keys import tier_policy_key
from storage.store import ObjectStore


class StoredTierPolicy(BaseModel):
    """Which tier each slide lies in needs no such object: its objects lie there."""

    version: Literal[1] = 1
    establishment_id: UUID
    policy: TierPolicy
    changed_at: datetime


def write_tier_policy(store: ObjectStore, stored: StoredTierPolicy) -> None:
    """Before the row commits."""
    store.put(
        tier_policy_key(stored.establishment_id),
        stored.model_dump_json(indent=1).encode(),
        content_type="application/json",
    )
