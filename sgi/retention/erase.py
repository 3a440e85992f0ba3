"""Erasing a slide's objects from one store, every version of them, and proving it. Blocking."""

from datetime import UTC, datetime
from uuid import UUID

from sgi.errors import VerificationError
from sgi.stored.keys import manifest_key, quarantine_folder, slide_folder
from sgi.stored.retention import StoreAnswer
from storage.locks import ObjectVersion, lockable
from storage.store import ObjectStore


class Shelf:
    """One store, as far as one slide is concerned.

    Args:
        name: "warm", "cold" or "second".
        store: the store.
        slide_id: of the slide; evidence of damage to it counts as its own.
    """

    def __init__(self, name: str, store: ObjectStore, slide_id: UUID) -> None:
        self.name = name
        self._store = store
        self._folders = [slide_folder(slide_id), quarantine_folder(slide_id)]
        self._manifest = manifest_key(slide_id)
        self._locks = lockable(store)
        self._versioned = self._locks is not None and self._locks.is_versioned()

    def count(self) -> StoreAnswer:
        """What is there now."""
        sizes = [found.size_bytes for found in self._found()]
        return StoreAnswer(
            store=self.name,
            objects=len(sizes),
            size_bytes=sum(sizes),
            versioned=self._versioned,
            left=len(sizes),
            listed_at=datetime.now(UTC),
        )

    def erase(self) -> None:
        """Delete everything; safe to run again.

        The manifest goes first: what has none is no slide to a rebuild of the catalogue.
        """
        if self._locks is not None:
            for folder in self._folders:
                self._locks.end_uploads(folder)
        # A mark goes last of its key: without it, the version below would be the newest again.
        order = sorted(self._found(), key=lambda v: (v.key != self._manifest, v.is_marker))
        for version in order:
            if self._locks is not None and self._versioned:
                self._locks.delete_version(version)
            else:
                self._store.delete(version.key)

    def prove(self, found: StoreAnswer) -> StoreAnswer:
        """The store's answer for the certificate; raises VerificationError if anything is left."""
        now = self.count()
        if now.left:
            raise VerificationError("The store still lists objects of a slide that was destroyed.")
        return found.model_copy(update={"left": 0, "listed_at": now.listed_at})

    def _found(self) -> list[ObjectVersion]:
        found: list[ObjectVersion] = []
        for folder in self._folders:
            if self._locks is not None and self._versioned:
                found += self._locks.versions(folder)
            else:
                listed = self._store.list(folder)
                found += [ObjectVersion(info.key, "", info.size_bytes) for info in listed]
        return found
