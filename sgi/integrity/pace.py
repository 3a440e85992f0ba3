"""How fast stored bytes are read again, so that whoever looks at slides does not notice."""

import threading
import time
from collections.abc import Callable

from sgi.errors import StoppedError

_LONGEST_WAIT_S = 1.0


class Pace:
    """Holds readers, all together, back to so many bytes a second, and stops them when told to.

    `mb_per_s` is in 10^6 bytes a second; None or 0 holds nothing back. `progress` hears how many
    bytes were just read.
    """

    def __init__(
        self,
        mb_per_s: float | None = None,
        cancelled: threading.Event | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._bytes_per_s = (mb_per_s or 0.0) * 1e6
        self._cancelled = cancelled or threading.Event()
        self._progress = progress
        self._lock = threading.Lock()
        self._next = 0.0
        """When the bytes read so far are paid for, by the monotonic clock."""

    @property
    def cancelled(self) -> threading.Event:
        """Set when the reader is to give up."""
        return self._cancelled

    def spend(self, length: int) -> None:
        """So many bytes were read; raises StoppedError when the reader is to give up."""
        self._progress(length)
        if self._bytes_per_s:
            # What was not used before is lost: a pause is no reason for a burst.
            with self._lock:
                until = max(self._next, time.monotonic()) + length / self._bytes_per_s
                self._next = until
            while (left := until - time.monotonic()) > 0:
                if self._cancelled.wait(min(left, _LONGEST_WAIT_S)):
                    break
        if self._cancelled.is_set():
            raise StoppedError("The worker is stopping.")
