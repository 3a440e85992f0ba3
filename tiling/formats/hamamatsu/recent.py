"""What was read or decoded last and will be asked for again, within a bound on memory."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

_Value = TypeVar("_Value", bytes, NDArray[np.uint8])

MOST_BYTES = 1 << 27
"""Kept of one slide, all its images together: two large images decoded, or some dozen bands."""


class Recent:
    """The values used last, by a key of the caller's. Safe from several threads.

    One lock for all: two threads that want the same value wait for one of them to make it.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()
        self._values: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key, which `make` gives when it is not here any more."""
        with self._lock:
            value = self._values.pop(key, None)
            if value is None:
                value = make()
                self._bytes += _length(value)
            self._values[key] = value
            while self._bytes > self._most_bytes and len(self._values) > 1:
                self._bytes -= _length(self._values.pop(next(iter(self._values))))
            return cast("_Value", value)


def _length(value: bytes | NDArray[np.uint8]) -> int:
    return len(value) if isinstance(value, bytes) else value.nbytes
