"""Processes that unpack stored frames for those who cannot: apart, since frames came from files.

A frame that was handed on from a hostile file may crash a decoder or hold it up for seconds. It
does so in a process that has no secrets, no network and no files but its own, and that has but
this one frame: when it is ended, nobody else's is lost. No slide, and no program that asks for
pixels by the thousand, ever has all of the processes.
"""

import asyncio
import math
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from typing import IO, TypeVarTuple

from sgi.api.decoder_pipe import ANSWER, JOB, Answer, parse_error, parse_head
from sgi.api.overload import Gate
from sgi.errors import UnshowableError
from sgi.priority import go_last

_PROCESSES = max(2, min(4, os.cpu_count() or 2)) + 1
"""One more than processors, since no slide has all of them."""
_LONGEST_S = 10.0
_WAITING = 512
_LONGEST_WAIT_S = 20.0
_SLOW_S = 1.0
_SLOW_SLIDES = 1000
_PROGRAMS = object()
"""Those that ask for pixels, a frame after the other, together leave one process to viewers."""
_Arguments = TypeVarTuple("_Arguments")


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
        self._slow_gate = Gate(max(1, (processes - 1) // 2), processes, waiting, _LONGEST_WAIT_S)
        """For slides of which a frame took long, by processor time: the machine's others' is no
        fault of theirs. A processor is left to the rest, and what works on them goes last."""
        self._slow_s = slow_s
        self._slow: OrderedDict[Hashable, None] = OrderedDict()
        self._all = [_Decoder() for _ in range(processes)]
        self._free = list(self._all)
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
        shares = [] if slide is None else [slide]
        if program:
            shares.append(_PROGRAMS)
        slow = slide in self._slow
        first = self._slow_gate.turn() if slow else nullcontext()
        async with first, self._gate.turn(*shares):
            decoder = next((each for each in self._free if each.is_last == slow), self._free[0])
            self._free.remove(decoder)
            try:
                made, took_s = await decoder.run(self._longest_s, slow, function, *arguments)
            except UnshowableError:
                self._learn(slide, math.inf)
                raise
            finally:
                self._free.append(decoder)
            self._learn(slide, took_s)
        if isinstance(made, Exception):
            raise made
        return made

    def _learn(self, slide: Hashable, took_s: float) -> None:
        if slide is None:
            return
        self._slow.pop(slide, None)
        if took_s > self._slow_s:
            self._slow[slide] = None
            if len(self._slow) > _SLOW_SLIDES:
                self._slow.popitem(last=False)

    def close(self) -> None:
        """End the processes."""
        for decoder in self._all:
            decoder.close()


class _Decoder:
    """One process, begun anew after it was ended."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._waiting = ThreadPoolExecutor(1, "decoder")
        """Waits for the process's answers, and for its end."""
        self.is_last = False
        """Whether it lets everybody else go first."""

    async def run(
        self,
        longest_s: float,
        last: bool,
        function: Callable[[*_Arguments], bytes],
        *arguments: *_Arguments,
    ) -> tuple[bytes | Exception, float]:
        """What `function` gave or raised, and the processor time that it took, in seconds."""
        if self.is_last and not last:
            self.end()  # a process cannot be raised again
        if self._child is None:
            self._child = _start()
        child = self._child
        if last and not self.is_last:
            self.is_last = True
            go_last(child.pid)
        job = pickle.dumps((function, arguments))
        answering = asyncio.get_running_loop().run_in_executor(self._waiting, _ask, child, job)
        try:
            return await asyncio.wait_for(answering, longest_s)
        except TimeoutError as error:
            self.end()
            raise UnshowableError("A tile takes too long to unpack; it is not shown.") from error
        except (OSError, ValueError) as error:
            self.end()
            raise UnshowableError("A tile cannot be unpacked; it is not shown.") from error
        except asyncio.CancelledError:
            self.end()  # it is still at work for somebody who went away
            raise

    def end(self) -> None:
        """Kill it: a process that hangs in a decoder heeds nothing else."""
        child, self._child, self.is_last = self._child, None, False
        if child is not None:
            child.kill()
            self._waiting.submit(_bury, child)

    def close(self) -> None:
        """End it for good, and leave nothing of it."""
        self.end()
        self._waiting.shutdown()


def _start() -> subprocess.Popen[bytes]:
    """A process without any secret of ours; the leader of a session, which kernels that schedule
    sessions as groups need to lower it alone.
    """
    told = {name: text for name, text in os.environ.items() if name in {"PATH", "LANG", "TZ"}}
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "sgi.api.decoder_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=told | {"OMP_NUM_THREADS": "1"},
        cwd="/",
        start_new_session=True,
    )


def _ask(child: subprocess.Popen[bytes], job: bytes) -> tuple[bytes | Exception, float]:
    """One job done; raises OSError or ValueError where the process died or answers nonsense."""
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("the pipes of a child are there by construction")
    child.stdin.write(JOB.pack(len(job)) + job)
    child.stdin.flush()
    answer, cpu_s, length = parse_head(_read(child.stdout, ANSWER.size))
    payload = _read(child.stdout, length)
    return payload if answer is Answer.MADE else parse_error(payload), cpu_s


def _read(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) != length:
        raise ValueError("the process ended within an answer")
    return data


def _bury(child: subprocess.Popen[bytes]) -> None:
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
