"""Sources, sinks and targets in memory, for the tests of this package and of those above it."""

from collections.abc import Iterator
from contextlib import contextmanager

from dicom.ports import ByteSink


class MemorySource:
    """Bytes as a source, counting what was asked of it."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.reads = 0

    def read(self, offset: int, length: int) -> bytes:
        self.reads += 1
        return self._data[offset : offset + length]


class MemorySink:
    """Keeps what is written, and how long each write was."""

    def __init__(self) -> None:
        self._writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._writes.append(data)

    @property
    def data(self) -> bytes:
        return b"".join(self._writes)

    @property
    def longest_write_bytes(self) -> int:
        return max(map(len, self._writes), default=0)


class MemoryTarget:
    """Keeps the instances that were published, by name."""

    def __init__(self) -> None:
        self.instances: dict[str, bytes] = {}

    @contextmanager
    def open(self, name: str, sop_instance_uid: str) -> Iterator[ByteSink]:  # noqa: ARG002 - the port's; tests name instances by role
        sink = MemorySink()
        yield sink
        self.instances[name] = sink.data
