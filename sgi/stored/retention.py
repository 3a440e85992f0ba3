"""What the store knows of retention: rules, holds, destructions and their certificates.

From these objects the catalogue's rows are made again; each is written before its row commits.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel

from sgi.domain.retention import Destruction, DestructionState, Ground, Hold, Person
from sgi.errors import VerificationError
from sgi.stored.keys import certificate_key, destruction_key, holds_key, retention_key
from storage.errors import ObjectNotFoundError, ObjectTooLargeError
from storage.store import ObjectStore


class StoredRule(BaseModel):
    """An establishment's retention rule."""

    version: Literal[1] = 1
    establishment_id: UUID
    years: int
    wait_days: float
    reason: str
    changed_by: str
    changed_at: datetime


class StoredHold(BaseModel):
    """One legal hold; the last three are None while it lasts."""

    id: UUID
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None


class StoredHolds(BaseModel):
    """Every hold that a slide ever had, oldest first."""

    version: Literal[1] = 1
    establishment_id: UUID
    slide_id: UUID
    holds: tuple[StoredHold, ...]


class StoredPerson(BaseModel):
    """Who did something."""

    account_id: UUID
    name: str
    session_id: UUID


class StoredDestruction(BaseModel):
    """A destruction in any state but done; it holds nothing of a patient."""

    version: Literal[1] = 1
    id: UUID
    establishment_id: UUID
    slide_id: UUID
    arrival_id: UUID
    scene: int
    source_sha256: str
    source_size_bytes: int
    study_uid: str
    series_uid: str
    published_at: datetime
    kept_until: date
    state: DestructionState
    ground: Ground
    reason: str
    asked_by: StoredPerson
    asked_at: datetime
    approved_by: StoredPerson | None = None
    approved_at: datetime | None = None
    not_before: datetime | None = None
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawal_reason: str | None = None
    began_at: datetime | None = None

    def destruction(self) -> Destruction:
        """As the catalogue has it."""
        fields = {name: getattr(self, name) for name in StoredDestruction.model_fields}
        del fields["version"]
        fields["asked_by"] = _person(self.asked_by)
        fields["approved_by"] = self.approved_by and _person(self.approved_by)
        return Destruction(**fields)


class StoreAnswer(BaseModel):
    """What one store held of a slide, and what it answered once that was deleted."""

    store: str
    """"warm", "cold" or "second"."""
    objects: int
    """Found before anything was deleted; versions and delete markers count each."""
    size_bytes: int
    versioned: bool
    """True where every version was deleted, not only the newest."""
    left: int
    """Listed after everything was deleted: 0, or there would be no certificate."""
    listed_at: datetime


class Originals(BaseModel):
    """What became of the scanner's own files."""

    deleted: int
    """From the folder of originals beside the drop folder."""
    left_in_place: int
    """Not the SGI's to delete: outside its folders, changed since, or kept by its settings."""
    still_in_use: bool
    """True when another slide of the same file is still kept."""


class Certificate(BaseModel):
    """Proof that a slide was destroyed: by whom, why, when, and what every store answered."""

    version: Literal[1] = 1
    id: UUID
    establishment_id: UUID
    establishment_name: str
    slide_id: UUID
    arrival_id: UUID
    scene: int
    source_sha256: str
    source_size_bytes: int
    study_uid: str
    series_uid: str
    published_at: datetime
    kept_until: date
    ground: Ground
    reason: str
    asked_by: StoredPerson
    asked_at: datetime
    approved_by: StoredPerson
    approved_at: datetime
    not_before: datetime
    began_at: datetime
    done_at: datetime
    objects: int
    size_bytes: int
    stores: tuple[StoreAnswer, ...]
    originals: Originals

    def destruction(self) -> Destruction:
        """As the catalogue has it."""
        shared = set(StoredDestruction.model_fields) & set(Certificate.model_fields)
        pending = StoredDestruction(
            state=DestructionState.DONE, **{name: getattr(self, name) for name in shared}
        )
        found = pending.destruction()
        return Destruction(
            **{name: getattr(found, name) for name in Destruction.__slots__ if name != "done_at"},
            done_at=self.done_at,
        )


def _person(stored: StoredPerson) -> Person:
    return Person(stored.account_id, stored.name, stored.session_id)


def _stored_person(person: Person) -> StoredPerson:
    return StoredPerson(
        account_id=person.account_id, name=person.name, session_id=person.session_id
    )


def stored_destruction(destruction: Destruction) -> StoredDestruction:
    """As it lies in the store."""
    fields = {
        name: getattr(destruction, name)
        for name in StoredDestruction.model_fields
        if name not in {"version", "asked_by", "approved_by"}
    }
    approved = destruction.approved_by
    return StoredDestruction(
        **fields,
        asked_by=_stored_person(destruction.asked_by),
        approved_by=None if approved is None else _stored_person(approved),
    )


def _put(store: ObjectStore, key: str, model: BaseModel) -> None:
    store.put(key, model.model_dump_json(indent=1).encode(), content_type="application/json")


def write_rule(store: ObjectStore, rule: StoredRule) -> None:
    """Blocking, as all of these."""
    _put(store, retention_key(rule.establishment_id), rule)


def write_holds(
    store: ObjectStore, establishment_id: UUID, slide_id: UUID, holds: list[Hold]
) -> None:
    """Every hold of the slide, in place of what was there."""
    stored = tuple(
        StoredHold(**{name: getattr(hold, name) for name in StoredHold.model_fields})
        for hold in holds
    )
    written = StoredHolds(establishment_id=establishment_id, slide_id=slide_id, holds=stored)
    _put(store, holds_key(establishment_id, slide_id), written)


def read_holds(store: ObjectStore, establishment_id: UUID, slide_id: UUID) -> StoredHolds | None:
    """None when the slide never had one.

    Raises VerificationError for what is no record of its holds: it might be held.
    """
    try:
        found = StoredHolds.model_validate_json(store.read(holds_key(establishment_id, slide_id)))
    except ObjectNotFoundError:
        return None
    except (ObjectTooLargeError, ValueError, RecursionError):
        found = None
    if found is None or (found.establishment_id, found.slide_id) != (establishment_id, slide_id):
        raise VerificationError(
            "The bucket's record of the slide's legal holds cannot be read: bring the object back, "
            "or place and lift a hold, which writes it anew."
        )
    return found


def read_destruction(store: ObjectStore, known: Destruction) -> StoredDestruction | None:
    """A destruction that is not done, as the store knows it; None when it does not.

    Raises VerificationError for what is no record of it: it might have been withdrawn.
    """
    try:
        data = store.read(destruction_key(known.establishment_id, known.id))
        found = StoredDestruction.model_validate_json(data)
    except ObjectNotFoundError:
        return None
    except (ObjectTooLargeError, ValueError, RecursionError):
        found = None
    if found is None or (found.id, found.slide_id) != (known.id, known.slide_id):
        raise VerificationError(
            "The bucket's record of the destruction cannot be read: withdraw it, and ask anew."
        )
    return found


def write_destruction(store: ObjectStore, destruction: Destruction) -> None:
    """One that is not done."""
    key = destruction_key(destruction.establishment_id, destruction.id)
    _put(store, key, stored_destruction(destruction))


def read_certificate(store: ObjectStore, destruction: Destruction) -> Certificate | None:
    """One that is there already: of a run that was cut short, or from before a recovery of the
    database to an earlier day. None when there is none, or when it is none of this approval.
    """
    try:
        data = store.read(certificate_key(destruction.establishment_id, destruction.id))
        found = Certificate.model_validate_json(data)
    except (ObjectNotFoundError, ObjectTooLargeError, ValueError):
        return None
    approved = destruction.approved_by
    known = (destruction.id, destruction.slide_id, destruction.approved_at)
    same = (found.id, found.slide_id, found.approved_at) == known
    by_the_same = approved is not None and _person(found.approved_by) == approved
    return found if same and by_the_same else None


def write_certificate(store: ObjectStore, certificate: Certificate) -> None:
    """In place of the destruction's own object, which is read no more once this is there."""
    key = certificate_key(certificate.establishment_id, certificate.id)
    _put(store, key, certificate)
    store.delete(destruction_key(certificate.establishment_id, certificate.id))
