"""Processes that unpack stored frames for those who cannot: apart, since frames came from files.

A frame that was handed on from a hostile file may crash a decoder or hold it up for seconds; it
does so in a process of its own, which is ended and begun anew, and nobody's tiles wait for it.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import ParamSpec

from sgi.errors import UnshowableError
from sgi.lifeline import end_with_parent

_PROCESSES = max(1, min(4, (os.cpu_count() or 2) // 2))
_LONGEST_S = 10.0
_P = ParamSpec("_P")


class Decoders:
    """A few processes, begun when the first frame needs them."""

    def __init__(self, processes: int = _PROCESSES, longest_s: float = _LONGEST_S) -> None:
        self._processes = processes
        self._longest_s = longest_s
        self._pool: ProcessPoolExecutor | None = None

    async def run(
        self, function: Callable[_P, bytes], *args: _P.args, **kwargs: _P.kwargs
    ) -> bytes:
        """`function` of a module, in one of the processes.

        Raises UnshowableError when it takes too long or brings its process down, and whatever the
        function itself raises.
        """
        if kwargs:
            raise TypeError("arguments go by position here")
        pool = self._pool or self._begin()
        task = asyncio.get_running_loop().run_in_executor(pool, function, *args)
        try:
            return await asyncio.wait_for(asyncio.shield(task), self._longest_s)
        except TimeoutError as error:
            self._end(pool)
            raise UnshowableError("A tile takes too long to unpack; it is not shown.") from error
        except BrokenProcessPool as error:
            self._end(pool)
            raise UnshowableError("A tile cannot be unpacked; it is not shown.") from error

    def close(self) -> None:
        """End the processes."""
        if self._pool is not None:
            self._end(self._pool)

    def _begin(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(self._processes, context, end_with_parent)
        return self._pool

    def _end(self, pool: ProcessPoolExecutor) -> None:
        if self._pool is pool:
            self._pool = None
        # A process that hangs in a decoder heeds nothing else.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False, cancel_futures=True)
