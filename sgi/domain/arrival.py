"""A file on its way in: its states, and why it waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from uuid import UUID


class ArrivalState(StrEnum):
    """Where a file stands between the drop folder and the slide."""

    WAITING = "waiting"
    """Seen, but not whole yet: still being written, or a companion is missing."""
    QUEUED = "queued"
    CONVERTING = "converting"
    VERIFYING = "verifying"
    RETRYING = "retrying"
    """The store or a disk failed; it will be tried again by itself."""
    PUBLISHED = "published"
    DUPLICATE = "duplicate"
    """The same content is a slide already."""
    HELD = "held"
    """A person has to look."""
    QUARANTINED = "quarantined"
    """The file is damaged or hostile; it is not read again until it changes."""
    VANISHED = "vanished"


IN_WORK = frozenset(
    {
        ArrivalState.QUEUED,
        ArrivalState.CONVERTING,
        ArrivalState.VERIFYING,
        ArrivalState.RETRYING,
    }
)
"""States in which a job owns the arrival."""

STOPPED = frozenset({ArrivalState.HELD, ArrivalState.QUARANTINED})
"""States that only a person, or a change of the file, ends."""


class ReasonCode(StrEnum):
    """Why an arrival is not a slide (yet); each has a sentence in every language."""

    BEING_WRITTEN = "being_written"
    COMPANION_MISSING = "companion_missing"
    SAME_CONTENT_IN_WORK = "same_content_in_work"
    WAS_DESTROYED = "was_destroyed"
    ALREADY_A_SLIDE = "already_a_slide"
    UNKNOWN_FORMAT = "unknown_format"
    AMBIGUOUS_FORMAT = "ambiguous_format"
    UNSUPPORTED = "unsupported"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    TOO_MUCH_MEMORY = "too_much_memory"
    READER_CRASHED = "reader_crashed"
    UNREADABLE = "unreadable"
    VANISHED = "vanished"
    PART_OF_ANOTHER = "part_of_another"
    CHANGED = "changed"
    DISK_FULL = "disk_full"
    STORE_UNAVAILABLE = "store_unavailable"
    STORE_FULL = "store_full"
    STORE_REFUSED = "store_refused"
    STORE_MISSING = "store_missing"
    INTERRUPTED = "interrupted"
    NOT_VERIFIED = "not_verified"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Reason:
    """A code for the sentence, and the finding of the part that stopped it, if it said one."""

    code: ReasonCode
    detail: str | None = None
    """An English sentence; never holds a path or a patient's data."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells cheaply whether the files of an arrival have changed."""

    size_bytes: int
    """Sum over all its files."""
    modified_ns: int
    """Latest modification, nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A regular file and what its directory entry says."""

    path: Path
    size_bytes: int
    modified_ns: int


def fingerprint_of(parts: Sequence[FoundFile]) -> Fingerprint:
    """Of all the files of an arrival; at least one."""
    return Fingerprint(
        sum(part.size_bytes for part in parts), max(part.modified_ns for part in parts)
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """One row: a file (with its companions) from first sight to slide."""

    id: UUID
    establishment_id: UUID
    source_path: Path
    file_name: str
    """The name as shown; bytes that are no text are replaced."""
    state: ArrivalState
    progress: float
    """Share of the work done, 0 to 1."""
    reason: Reason | None
    fingerprint: Fingerprint
    sha256: bytes | None
    slide_id: UUID
    """The identity that the slide will have; fixed at first sight so that every retry agrees."""
    attempts: int
    seen_at: datetime
    published_at: datetime | None
    released: bool
    """True once the original was moved, kept or deleted as the settings say."""
    parts: tuple[FoundFile, ...]
    """Every file of it, as it was when its content was hashed; empty before."""
