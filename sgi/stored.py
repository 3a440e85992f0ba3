"""Where a slide's instances lie in the object store, and how to read one through its index.

Keys are made of our own UUIDs and UIDs alone: never of a value from a file or a message.
"""

from dataclasses import dataclass
from uuid import UUID

from sgi.errors import SgiError
from storage.store import ObjectStore

_UID_CHARACTERS = frozenset("0123456789.")


def _checked(sop_uid: str) -> str:
    if not 0 < len(sop_uid) <= 64 or not _UID_CHARACTERS.issuperset(sop_uid):
        raise SgiError("A UID is malformed; this is a defect of the SGI, please report it.")
    return sop_uid


def slide_folder(slide_id: UUID) -> str:
    """The beginning of all keys of a slide."""
    return f"slides/{slide_id}/"


def instance_key(slide_id: UUID, sop_uid: str) -> str:
    """The DICOM instance itself."""
    return f"{slide_folder(slide_id)}{_checked(sop_uid)}.dcm"


def frame_hashes_key(slide_id: UUID, sop_uid: str) -> str:
    """SHA-256 of each of the instance's frames, 32 bytes each, in order."""
    return f"{slide_folder(slide_id)}{_checked(sop_uid)}.sha256"


def manifest_key(slide_id: UUID) -> str:
    """Everything from which the catalogue can be made again; written last."""
    return f"{slide_folder(slide_id)}manifest.json"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the `ByteSource` that `dicom` reads from."""

    store: ObjectStore
    key: str
    size_bytes: int

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end of the object."""
        length = min(length, self.size_bytes - offset)
        return self.store.read_range(self.key, offset, length) if length > 0 else b""
