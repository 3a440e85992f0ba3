"""The contract of an object store; `storage.testing.ObjectStoreContract` is the same in tests.

Keys are as in `storage.keys`; a key is never also the folder of another, not even of one deleted:
stores that are file systems inside cannot hold both. Any method may raise
`StoreUnavailableError`, `StoreRefusedError`, `BucketNotFoundError` or `InvalidKeyError`.
Stores may be shared between threads; a sink belongs to one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

OCTETS = "application/octet-stream"

READ_LIMIT_BYTES = 64 * 1024 * 1024
"""How much `read` accepts to hold in memory unless told otherwise."""

CHUNK_BYTES = 8 * 1024 * 1024
"""How much `read_chunks` asks for at a time unless told otherwise."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a listing says of one object."""

    key: str
    size_bytes: int
    modified: datetime
    """With time zone; the store's clock."""


class ObjectSink(Protocol):
    """Where one object is written, from its first byte to its last."""

    def write(self, data: bytes, /) -> None:
        """Append; waits when the store is slower than the producer.

        Raises:
            StoreFullError: there is no room left.
        """


class AsyncRangeReader(Protocol):
    """The one thing the tile server asks of a store, without blocking its event loop."""

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        """As `ObjectStore.read_range`."""


class ObjectStore(AsyncRangeReader, Protocol):
    """Objects by key."""

    def open_write(
        self, key: str, *, content_type: str = OCTETS
    ) -> AbstractContextManager[ObjectSink]:
        """Stream one object in bounded memory; the upload overlaps with the writing.

        The object appears, whole and in place of any before it, when the context ends without an
        exception; otherwise nothing appears and what was sent is given up. When the very last
        answer of a remote store is lost, `StoreUnavailableError` leaves both possible.

        Raises:
            StoreFullError: there is no room left.
        """

    def put(self, key: str, data: bytes, *, content_type: str = OCTETS) -> None:
        """Store one small object, whole and in place of any before it.

        Raises:
            StoreFullError: there is no room left.
        """

    def read(self, key: str, *, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        """The whole object.

        Raises:
            ObjectNotFoundError: no object has this key.
            ObjectTooLargeError: it has more than `limit_bytes` bytes.
        """

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`; a length of 0 is answered without asking.

        Raises:
            ObjectNotFoundError: no object has this key.
            RangeError: the object ends before the range does, or a number is negative.
        """

    def read_chunks(self, key: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        """The whole object in order, `chunk_bytes` of it asked for at a time.

        The pieces are as long as it suits the store, and never longer than that.

        Raises:
            ObjectNotFoundError: no object has this key.
            ObjectChangedError: it was replaced meanwhile.
        """

    def size(self, key: str) -> int:
        """Bytes of the object.

        Raises:
            ObjectNotFoundError: no object has this key.
        """

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        """Every object under a prefix (empty, or ending with `/`), in no particular order."""

    def delete(self, key: str) -> None:
        """Remove the object; one that is not there is no error."""
