"""What a slide's instances are told to say, as an object beside them: one for every revision.

Made before its row commits. The instances themselves never hold what is told here.
"""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from dicom.models.told import Told, ToldUids
from dicom.rejection import Rejection
from sgi.domain.patient import IdentifierKind, IdentityAttribute, IdentityStatus
from sgi.domain.told import told_uid
from sgi.errors import VerificationError
from sgi.stored.keys import identity_name, side_object_key
from storage.store import ObjectStore

_UID = "^[0-9.]{1,64}$"
Word = Annotated[str, StringConstraints(min_length=1, max_length=250, pattern=r"^[^\x00]*$")]


class KnownIdentifier(BaseModel):
    """As `sgi.domain.patient.Identifier`."""

    kind: IdentifierKind
    assigner: Annotated[str, StringConstraints(max_length=250, pattern=r"^[^\x00]*$")]
    value: Word


class KnownPatient(BaseModel):
    """Whom the catalogue knew, as it believed them to be."""

    identifiers: tuple[KnownIdentifier, ...] = Field(max_length=100)
    """Those that named them then, a local one first."""
    birth_name: Word | None = None
    first_given_name: Word | None = None
    given_names: Word | None = None
    used_name: Word | None = None
    used_given_name: Word | None = None
    sex: Word | None = None
    birth_date: date | None = None
    birth_place: Word | None = None
    died: bool | None = None
    status: IdentityStatus | None = None
    attributes: frozenset[IdentityAttribute] = frozenset()


class Known(BaseModel):
    """What the catalogue knew of the slide's glass when it was told.

    From this a catalogue that was lost has the case again before the laboratory says anything:
    the headers alone cannot hold all of it (long identifiers, a name that is only in use).
    """

    glass: Word
    block: Word | None = None
    specimen: Word | None = None
    accession_number: Word | None = None
    received_at: AwareDatetime | None = None
    patient: KnownPatient | None = None


class StoredIdentity(BaseModel):
    """One revision; the last is what is told."""

    version: Literal[1] = 1
    establishment_id: UUID
    slide_id: UUID
    revision: int = Field(ge=1, le=1_000_000)
    made_at: AwareDatetime
    glass_id: UUID | None
    """None for a slide that was taken away from its glass: the file's own words stand again."""
    patient_id: UUID | None
    """Who the catalogue's patient was: tells a wrong patient from a corrected name."""
    study_uid: str = Field(pattern=_UID)
    series_uid: str = Field(pattern=_UID)
    told: Told
    known: Known | None = None
    """None where there is no glass."""
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
