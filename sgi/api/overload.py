"""When more is asked for than can be done: turns are given out fairly, and their queue is short.

What is ready is answered without a turn. A turn is needed to read the store, and another one to
unpack a frame. Whoever asks waits in a queue of their own, and the queues take turns; nobody is let
in beyond what can be done soon, but told to come again. So the rest of the server stays answerable.
"""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sgi.errors import BusyError

_log = logging.getLogger(__name__)
_TELL_EVERY_S = 10.0
_asking: ContextVar[Hashable] = ContextVar("asking", default=None)


def asked_by(session: Hashable) -> None:
    """From here on, and in tasks begun from here, it is for this session that things are done."""
    _asking.set(session)


def who_asks() -> Hashable:
    """The session that things are done for; None where nobody said."""
    return _asking.get()


@dataclass(eq=False, slots=True)
class _Waiter:
    shares: tuple[Hashable, ...]
    turn: asyncio.Future[None]


class Gate:
    """Turns of one kind of work; of one event loop.

    Args:
        at_once: turns that are held at the same time.
        of_one: of these, those that may be held by one share of any name.
        waiting: how many may wait for a turn; one session may have half of them.
        longest_s: nobody waits longer than this, in seconds.
    """

    def __init__(self, at_once: int, of_one: int, waiting: int, longest_s: float) -> None:
        self._free = at_once
        self._of_one = of_one
        self._most_waiting = waiting
        self._longest_s = longest_s
        self._held: Counter[Hashable] = Counter()
        self._queues: dict[Hashable, deque[_Waiter]] = {}
        """By session; the one whose turn is next comes first."""
        self._waiting = 0
        self._refused = 0
        self._told_again_at = 0.0

    @asynccontextmanager
    async def turn(self, *shares: Hashable) -> AsyncIterator[None]:
        """Hold a turn, which counts for each of `shares`.

        Raises BusyError when too many wait already, or it does not come in time.
        """
        if self._has_room(shares):  # for none of those that wait, or one would have it
            self._take(shares)
        else:
            await self._wait(shares)
        try:
            yield
        finally:
            self._give_back(shares)

    async def _wait(self, shares: tuple[Hashable, ...]) -> None:
        session = who_asks()
        queue = self._queues.get(session, ())
        if self._waiting >= self._most_waiting or len(queue) >= -(-self._most_waiting // 2):
            raise self._refusal("Too many wait already.")
        waiter = _Waiter(shares, asyncio.get_running_loop().create_future())
        self._queues.setdefault(session, deque()).append(waiter)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_s):
                await waiter.turn
        except BaseException as error:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self._give_back(shares)  # it came when nobody waited for it any more
            else:
                self._leave(session, waiter)
            if isinstance(error, TimeoutError):
                raise self._refusal("The turn did not come in time.") from error
            raise

    def _refusal(self, why: str) -> BusyError:
        self._refused += 1
        if time.monotonic() >= self._told_again_at:
            _log.warning("more is asked for than can be done: %d told to come again", self._refused)
            self._refused, self._told_again_at = 0, time.monotonic() + _TELL_EVERY_S
        return BusyError(why)

    def _has_room(self, shares: tuple[Hashable, ...]) -> bool:
        return self._free > 0 and all(self._held[share] < self._of_one for share in shares)

    def _take(self, shares: tuple[Hashable, ...]) -> None:
        self._free -= 1
        self._held.update(shares)

    def _give_back(self, shares: tuple[Hashable, ...]) -> None:
        self._free += 1
        for share in shares:
            self._held[share] -= 1
            if not self._held[share]:
                del self._held[share]
        while (found := self._next()) is not None:
            session, waiter = found
            self._leave(session, waiter)
            if session in self._queues:
                self._queues[session] = self._queues.pop(session)  # the others come first now
            self._take(waiter.shares)
            waiter.turn.set_result(None)

    def _next(self) -> tuple[Hashable, _Waiter] | None:
        """The first in line whose shares have room."""
        if self._free <= 0:
            return None
        full: set[tuple[Hashable, ...]] = set()
        for session, queue in self._queues.items():
            for waiter in queue:
                # One that was given up leaves by itself, a turn of the loop later.
                if waiter.turn.done() or waiter.shares in full:
                    continue
                if self._has_room(waiter.shares):
                    return session, waiter
                full.add(waiter.shares)
        return None

    def _leave(self, session: Hashable, waiter: _Waiter) -> None:
        queue = self._queues[session]
        queue.remove(waiter)
        self._waiting -= 1
        if not queue:
            del self._queues[session]
