"""Bytes of the object store, or held in memory, as what readers of instances take."""

from dataclasses import dataclass

from storage.store import ObjectStore


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


@dataclass(frozen=True, slots=True)
class HeldBytes:
    """Bytes that were read already, as such a `ByteSource`."""

    data: bytes

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end."""
        return self.data[offset : offset + length]
