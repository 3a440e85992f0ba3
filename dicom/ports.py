"""The seam to wherever DICOM bytes live: this package reads and writes through these alone."""

from typing import Protocol


class ByteSource(Protocol):
    """Random access to one stored instance."""

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; fewer only at the end of the object."""


class ByteSink(Protocol):
    """Where one instance is written, from its first byte to its last."""

    def write(self, data: bytes) -> None:
        """Append; returns when the sink has taken the bytes."""
