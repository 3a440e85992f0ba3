"""What a store can do beyond `ObjectStore`: freeze objects in an archive, and thaw them again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from storage.store import ObjectStore


class Thaw(StrEnum):
    """Whether an object can be read."""

    NEVER_FROZEN = "never_frozen"
    """It lies in a class that is read at once."""
    FROZEN = "frozen"
    THAWING = "thawing"
    """Asked for, and not there yet."""
    THAWED = "thawed"
    """Readable for a while, and then frozen again by itself."""


@dataclass(frozen=True, slots=True)
class ThawState:
    """What an archive says of one object without reading it."""

    thaw: Thaw
    size_bytes: int
    marks: Mapping[str, str]
    """What it was frozen with."""
    until: datetime | None = None
    """Of a thawed one, when it is frozen again; with time zone."""

    @property
    def is_readable(self) -> bool:
        return self.thaw in {Thaw.NEVER_FROZEN, Thaw.THAWED}


class Thawable(Protocol):
    """The archive behind one bucket; may raise what an `ObjectStore` raises."""

    def freezes(self) -> bool:
        """Whether what is written here is meant to be frozen."""

    def state(self, key: str) -> ThawState:
        """How an object lies.

        Raises:
            ObjectNotFoundError: no object has this key.
        """

    def freeze(self, key: str, marks: Mapping[str, str]) -> None:
        """Move the object to the archive where it lies, with marks (lower-case names, ASCII).

        No bytes pass through us. One that is frozen already stays as it is, marks included; when
        this is cut short, the object is as before, or frozen: do it again.

        Raises:
            ObjectNotFoundError: no object has this key.
            ObjectChangedError: it was replaced meanwhile.
        """

    def thaw(self, key: str, days: int) -> None:
        """Ask for the object to be readable for so many days; asked twice, it is one request.

        One that is thawed stays so for so many days from now; one never frozen is left alone.
        """


def thawable(store: ObjectStore) -> Thawable | None:
    """The same bucket's archive; None where the store is no bucket of S3."""
    offered = getattr(store, "archive", None)
    if offered is None:
        return None
    found: Thawable = offered()
    return found
