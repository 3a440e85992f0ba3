"""Processes that unpack stored frames for those who cannot: apart, since frames came from files.

A frame that was handed on from a hostile file may crash a decoder or hold it up for seconds. It
does so in a process that has no secrets, no network and no files but its own, and that has but
this one frame: when it is ended, nobody else's is lost. No slide, and no program that asks for
pixels by the thousand, ever has all of the processes.
"""

import asyncio
import multiprocessing
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from enum import Enum, auto
from typing import TypeVarTuple

from sgi.api.overload import Gate
from sgi.confine import confine
from sgi.errors import UnshowableError
from sgi.lifeline import end_with_parent
from sgi.priority import give_way

_PROCESSES = max(2, min(4, os.cpu_count() or 2)) + 1
"""One more than processors, since no slide has all of them."""
_LONGEST_S = 10.0
_WAITING = 512
_LONGEST_WAIT_S = 20.0
_SLOW_S = 1.0
_SLOW_SLIDES = 1000
_NICE = 5
"""Sending what is there comes before unpacking more."""
_MEMORY_BYTES = 1 << 30
_Arguments = TypeVarTuple("_Arguments")


class Share(Enum):
    """Who has, together, at most all but one of the processes."""

    PROGRAMS = auto()
    """Those that ask for pixels, a frame after the other: one process is left to viewers."""
    SLOW = auto()
    """Slides of which a frame took long: one process is left to the others."""


class Decoders:
    """A few processes, each begun when a frame first needs it, each with one frame at a time."""

    def __init__(
        self,
        processes: int = _PROCESSES,
        longest_s: float = _LONGEST_S,
        *,
        waiting: int = _WAITING,
        slow_s: float = _SLOW_S,
    ) -> None:
        self._gate = Gate(processes, max(1, processes - 1), waiting, _LONGEST_WAIT_S)
        self._slow_s = slow_s
        self._slow: OrderedDict[Hashable, None] = OrderedDict()
        self._all = [_Decoder() for _ in range(processes)]
        self._free: asyncio.LifoQueue[_Decoder] = asyncio.LifoQueue()
        for decoder in self._all:
            self._free.put_nowait(decoder)
        self._longest_s = longest_s

    async def run(
        self,
        function: Callable[[*_Arguments], bytes],
        *arguments: *_Arguments,
        slide: Hashable = None,
        program: bool = False,
    ) -> bytes:
        """`function` of a module, in a process that is free.

        Args:
            function: what is done.
            arguments: of the function.
            slide: what it is done for; it never has all of the processes at once.
            program: whether a program asks, rather than a viewer.

        Raises UnshowableError when it takes too long or brings its process down, BusyError when
        none is free in time, and whatever the function itself raises.
        """
        shares: list[Hashable] = [] if slide is None else [slide]
        if slide in self._slow:
            shares.append(Share.SLOW)
        if program:
            shares.append(Share.PROGRAMS)
        async with self._gate.turn(*shares):
            decoder, began = self._free.get_nowait(), time.monotonic()
            try:
                return await decoder.run(self._longest_s, function, *arguments)
            finally:
                self._free.put_nowait(decoder)
                if slide is not None:
                    self._learn(slide, time.monotonic() - began)

    def _learn(self, slide: Hashable, took_s: float) -> None:
        self._slow.pop(slide, None)
        if took_s > self._slow_s:
            self._slow[slide] = None
            if len(self._slow) > _SLOW_SLIDES:
                self._slow.popitem(last=False)

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
    give_way(_NICE)
    os.environ.clear()
    confine(_MEMORY_BYTES, None)
