"""What can be wrong with what is stored, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Damage(StrEnum):
    """What is wrong with one object."""

    MISSING = "missing"
    SIZE = "size"
    BYTES = "bytes"
    UNREADABLE = "unreadable"
    """The store fails for this object and answers for others."""
    EXTRA = "extra"
    """Nobody knows why it is there; it is left where it is."""
    CATALOGUE = "catalogue"
    """The rows of a slide are not what its manifest and its objects say."""


class Place(StrEnum):
    """Where it is wrong."""

    WARM = "warm"
    COLD = "cold"
    SECOND = "second"
    CATALOGUE = "catalogue"


class FoundBy(StrEnum):
    """Who noticed."""

    SCRUB = "scrub"
    READ = "read"
    """A tile or a picture that was asked for, and was not given."""


class IncidentState(StrEnum):
    """What became of it."""

    OPEN = "open"
    REPAIRED = "repaired"
    ACCEPTED = "accepted"
    """A person knows, and nothing more can be done; the slide stays shown as damaged."""
    GONE = "gone"
    """Its slide was destroyed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object that is not what was written."""

    place: Place
    key: str
    damage: Damage
    detail: str
    """An English sentence without a word from a file."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A finding with its history; ids alone, nothing of a patient."""

    id: UUID
    slide_id: UUID | None
    place: Place
    object_key: str
    damage: Damage
    found_by: FoundBy
    state: IncidentState
    detail: str
    found_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    quarantine_key: str | None
    """Where the damaged bytes lie as evidence, in the warm store."""


@dataclass(frozen=True, slots=True)
class SideObject:
    """What an object beside the instances of a slide must be."""

    name: str
    """Below the slide's folder."""
    size_bytes: int
    sha256: str
    """In hexadecimal."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What has been read again so far."""

    slides: int = 0
    objects: int = 0
    bytes: int = 0

    def __add__(self, other: "Scrubbed") -> "Scrubbed":
        return Scrubbed(
            self.slides + other.slides, self.objects + other.objects, self.bytes + other.bytes
        )
