"""Processes that unpack stored frames for those who cannot: apart, since frames came from files.

A frame that was handed on from a hostile file may crash a decoder or hold it up for seconds. It
does so in a process that has no secrets, no network and no files but its own, and that has but
this one frame: when it is ended, nobody else's is lost.
"""

import asyncio
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVarTuple

from sgi.confine import confine
from sgi.errors import UnshowableError
from sgi.lifeline import end_with_parent

_PROCESSES = max(2, min(4, os.cpu_count() or 2))
_LONGEST_S = 10.0
_MEMORY_BYTES = 1 << 30
_Arguments = TypeVarTuple("_Arguments")


class Decoders:
    """A few processes, each begun when a frame first needs it, each with one frame at a time."""

    def __init__(self, processes: int = _PROCESSES, longest_s: float = _LONGEST_S) -> None:
        self._all = [_Decoder() for _ in range(processes)]
        self._free: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        for decoder in self._all:
            self._free.put_nowait(decoder)
        self._longest_s = longest_s

    async def run(self, function: Callable[[*_Arguments], bytes], *arguments: *_Arguments) -> bytes:
        """`function` of a module, in a process that is free; waiting for one has no limit.

        Raises UnshowableError when it takes too long or brings its process down, and whatever the
        function itself raises.
        """
        decoder = await self._free.get()
        try:
            return await decoder.run(self._longest_s, function, *arguments)
        finally:
            self._free.put_nowait(decoder)

    def close(self) -> None:
        """End the processes."""
        for decoder in self._all:
            decoder.end()


class _Decoder:
    """One process, begun anew after it was ended."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    async def run(
        self,
        longest_s: float,
        function: Callable[[*_Arguments], bytes],
        *arguments: *_Arguments,
    ) -> bytes:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, _begin)
        loop = asyncio.get_running_loop()
        unpacking = loop.run_in_executor(self._pool, function, *arguments)
        try:
            return await asyncio.wait_for(unpacking, longest_s)
        except TimeoutError as error:
            self.end()
            raise UnshowableError("A tile takes too long to unpack; it is not shown.") from error
        except BrokenProcessPool as error:
            self.end()
            raise UnshowableError("A tile cannot be unpacked; it is not shown.") from error
        except asyncio.CancelledError:
            self.end()  # it is still at work for somebody who went away
            raise

    def end(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        # A process that hangs in a decoder heeds nothing else.
        for process in list((pool._processes or {}).values()):
            process.kill()
        pool.shutdown(wait=False)


def _begin() -> None:
    """What a decoding process does first."""
    end_with_parent()
    os.environ.clear()
    confine(_MEMORY_BYTES, None)
