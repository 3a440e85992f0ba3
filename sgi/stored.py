"""Where a slide's instances lie in the object store, and how to read one through its index.

Keys are made of our own UUIDs and UIDs alone: never of a value from a file or a message.
"""

import re
from dataclasses import dataclass
from uuid import UUID

from sgi.errors import SgiError
from storage.store import ObjectStore

_ZARR_KEY = re.compile(r"([0-9]{1,3}/)?zarr\.json|[0-9]{1,3}/c(/[0-9]{1,9}){3,4}")
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


def omezarr_key(slide_id: UUID, key: str) -> str:
    """An object of the slide's stored OME-Zarr: a document, or a shard of a level."""
    if _ZARR_KEY.fullmatch(key) is None:
        raise SgiError("A Zarr key is malformed; this is a defect of the SGI, please report it.")
    return f"{slide_folder(slide_id)}ome.zarr/{key}"


def heat_map_key(slide_id: UUID) -> str:
    """How sharp the slide is from place to place, as PNG."""
    return f"{slide_folder(slide_id)}focus.png"


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
