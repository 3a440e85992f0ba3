"""Work on what passes by, beside the work that makes it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Self


class Behind:
    """A sink that does something with each chunk on a thread of its own, one chunk behind.

    For work that gives up the interpreter lock, such as hashing and writing. An error of it is
    raised by the next write, or on leaving the context; an exception that leaves it passes.
    """

    def __init__(self, work: Callable[[bytes], object]) -> None:
        self._work = work
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="behind")
        self._last: Future[object] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._executor.shutdown()
        if kind is None:
            self._wait()

    def write(self, data: bytes) -> None:
        """Begin with the next chunk, once the one before is done."""
        self._wait()
        self._last = self._executor.submit(self._work, data)

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()
