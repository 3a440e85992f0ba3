"""What a slide's instances are told to say, as an object beside them: one for every revision.

Made before its row commits. The instances themselves never hold what is told here.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

from dicom.models.told import Told, ToldUids
from dicom.rejection import Rejection
from sgi.domain.told import told_uid
from sgi.errors import VerificationError
from sgi.stored import identity_name, side_object_key
from storage.store import ObjectStore

_UID = "^[0-9.]{1,64}$"


class StoredIdentity(BaseModel):
    """One revision; the last is what is told."""

    version: Literal[1] = 1
    establishment_id: UUID
    slide_id: UUID
    revision: int = Field(ge=1, le=1_000_000)
    made_at: datetime
    glass_id: UUID | None
    """None for a slide that was taken away from its glass: the file's own words stand again."""
    patient_id: UUID | None
    """Who the catalogue's patient was: tells a wrong patient from a corrected name."""
    study_uid: str = Field(pattern=_UID)
    series_uid: str = Field(pattern=_UID)
    told: Told
    rejected: Rejection | None = None
    """Why the instances before are not to be used."""

    def uids(self, stored_uid: str) -> ToldUids:
        """What an instance is called, by its UID in the store."""
        return ToldUids(
            self.study_uid, self.series_uid, told_uid(self.slide_id, self.revision, stored_uid)
        )


def write_identity(store: ObjectStore, stored: StoredIdentity) -> bytes:
    """Put it beside the instances, and read it back; blocking. Returns its bytes.

    Raises the store's errors, and VerificationError for other bytes than were written.
    """
    data = stored.model_dump_json(indent=1).encode()
    key = side_object_key(stored.slide_id, identity_name(stored.revision))
    store.put(key, data, content_type="application/json")
    if store.read(key) != data:
        raise VerificationError("The stored object is not what was written.")
    return data


def parse_identity(data: bytes) -> StoredIdentity | None:
    """None for bytes that are none."""
    try:
        return StoredIdentity.model_validate_json(data)
    except (ValueError, RecursionError):
        return None
