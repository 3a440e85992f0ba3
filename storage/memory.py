"""Objects in a dictionary: for tests, and for whoever needs a store for a moment."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from storage.keys import require_key, require_prefix
from storage.ranges import not_found, require_length, require_limit, require_range
from storage.store import CHUNK_BYTES, OCTETS, READ_LIMIT_BYTES, ObjectInfo, ObjectSink


class MemoryObjectStore:
    """An `ObjectStore` that ends with the process; safe to share between threads.

    Args:
        objects: where to keep them; a fresh dictionary when not given.
    """

    def __init__(self, objects: dict[str, bytes] | None = None) -> None:
        self._objects = {} if objects is None else objects
        self._modified: dict[str, datetime] = {}

    @contextmanager
    def open_write(self, key: str, *, content_type: str = OCTETS) -> Iterator[ObjectSink]:
        require_key(key)
        sink = _Sink()
        yield sink
        self.put(key, sink.buffer.getvalue(), content_type=content_type)

    # The port's parameter: memory keeps no content types.
    def put(self, key: str, data: bytes, *, content_type: str = OCTETS) -> None:  # noqa: ARG002
        self._objects[require_key(key)] = bytes(data)
        self._modified[key] = datetime.now(UTC)

    def read(self, key: str, *, limit_bytes: int = READ_LIMIT_BYTES) -> bytes:
        data = self._object(key)
        require_limit(key, len(data), limit_bytes)
        return data

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        require_range(require_key(key), offset, length)
        if length == 0:
            return b""
        return require_length(key, offset, length, self._object(key)[offset : offset + length])

    async def read_range_async(self, key: str, offset: int, length: int) -> bytes:
        return self.read_range(key, offset, length)

    def read_chunks(self, key: str, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
        data = self._object(key)
        for offset in range(0, len(data), chunk_bytes):
            yield data[offset : offset + chunk_bytes]

    def size(self, key: str) -> int:
        return len(self._object(key))

    def list(self, prefix: str = "") -> Iterator[ObjectInfo]:
        require_prefix(prefix)
        for key, data in tuple(self._objects.items()):
            if key.startswith(prefix):
                modified = self._modified.get(key, datetime.fromtimestamp(0, UTC))
                yield ObjectInfo(key, len(data), modified)

    def delete(self, key: str) -> None:
        self._objects.pop(require_key(key), None)

    def _object(self, key: str) -> bytes:
        try:
            return self._objects[require_key(key)]
        except KeyError:
            raise not_found(key) from None


class _Sink:
    def __init__(self) -> None:
        self.buffer = io.BytesIO()

    def write(self, data: bytes, /) -> None:
        self.buffer.write(data)
