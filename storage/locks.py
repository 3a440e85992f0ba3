"""What a store can do beyond `ObjectStore`: keep every version, and let nobody delete some."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from storage.store import ObjectStore


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of one object, or the mark of its deletion, which holds no bytes."""

    key: str
    version: str
    size_bytes: int
    is_marker: bool = False


class Lockable(Protocol):
    """Versions and locks of one bucket; may raise what an `ObjectStore` raises."""

    def is_versioned(self) -> bool:
        """Whether deleting and replacing leaves the former bytes behind, as versions."""

    def offers_lock(self) -> bool:
        """Whether the bucket was made with object lock."""

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version and every mark under a prefix that ends with `/`."""

    def end_uploads(self, prefix: str) -> int:
        """Give up what was uploaded under a prefix and never became an object; how many."""

    def delete_version(self, version: ObjectVersion) -> None:
        """Remove it for good, in spite of a retention that may be passed; no error if it is gone.

        Raises:
            StoreRefusedError: it is under a legal hold, or we may not pass its retention.
        """

    def hold(self, version: ObjectVersion, *, on: bool) -> None:
        """Set or lift its legal hold: while it lasts nobody deletes the version."""

    def retained_until(self, version: ObjectVersion) -> datetime | None:
        """When its retention ends or ended; None while it has none, and when it is gone."""

    def retain(self, version: ObjectVersion, until: datetime) -> None:
        """Let only those delete it before `until` who may pass a retention (governance mode).

        Raises:
            StoreRefusedError: it is retained for longer already, or we may not.
        """


def lockable(store: ObjectStore) -> Lockable | None:
    """The same bucket's versions and locks; None where the store is no bucket of S3."""
    offered = getattr(store, "versions_and_locks", None)
    if offered is None:
        return None
    found: Lockable = offered()
    return found
