"""Unpacked images kept for a while, since one of a camera's images covers many tiles."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future

from tiling.slide import Samples


class SampleCache:
    """The images used last, up to a number of bytes; safe from several threads at once.

    The very last is kept even when it is larger than that: the next tile most likely needs it.
    Threads that want the same image at the same time wait for the first one to make it.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, Samples] = OrderedDict()
        self._being_made: dict[Hashable, Future[Samples]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Samples]) -> Samples:
        """The image of that key, made when it is not kept; raises what `make` raises."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            awaited = self._being_made.get(key)
            if awaited is None:
                ours = self._being_made[key] = Future()
        if awaited is not None:
            return awaited.result()
        try:
            samples = make()
        except BaseException as error:
            with self._lock:
                del self._being_made[key]
            ours.set_exception(error)
            raise
        with self._lock:
            del self._being_made[key]
            self._keep(key, samples)
        ours.set_result(samples)
        return samples

    def _keep(self, key: Hashable, samples: Samples) -> None:
        self._kept[key] = samples
        self._bytes += samples.nbytes
        while self._bytes > self._most_bytes and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.nbytes
