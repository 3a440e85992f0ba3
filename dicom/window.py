"""A view of a source that turns many small reads into few long ones."""

from dicom.errors import DamagedInstanceError
from dicom.ports import ByteSource

_BLOCK_BYTES = 1 << 16
"""Holds the whole header of a slide with an ordinary colour profile: one request to a store."""


class Window:
    """Reads through one block of a source; it holds no more than that block."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        self._start = 0
        self._block = b""

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes from `offset`, which the caller has bounded.

        Raises DamagedInstanceError where the object ends before.
        """
        begin = offset - self._start
        if begin < 0 or begin + length > len(self._block):
            self._block = self._source.read(offset, max(length, _BLOCK_BYTES))
            self._start, begin = offset, 0
        data = self._block[begin : begin + length]
        if len(data) < length:
            raise DamagedInstanceError(
                f"The object ends before byte {offset + length}; it was cut short."
            )
        return data
