"""Bytes that are dear to make: made once for all who ask at the same time, and kept for a while."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class MadeOnce(Generic[_Key]):
    """Keeps what was used last, as much as fits."""

    def __init__(self, kept_bytes: int) -> None:
        self._room = kept_bytes
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._making: dict[_Key, asyncio.Task[bytes]] = {}

    async def get(self, key: _Key, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What `make` gives, or gave lately; raises what it raises, which is not kept."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        making = self._making.get(key)
        if making is None:
            making = asyncio.ensure_future(_awaited(make))
            self._making[key] = making
            making.add_done_callback(lambda done: self._made(key, done))
        # Shielded: a client that goes away does not end it for the others.
        return await asyncio.shield(making)

    def _made(self, key: _Key, done: asyncio.Task[bytes]) -> None:
        del self._making[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._kept[key] = done.result()
        self._room -= len(done.result())
        while self._room < 0 and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._room += len(dropped)


async def _awaited(make: Callable[[], Awaitable[bytes]]) -> bytes:
    return await make()
