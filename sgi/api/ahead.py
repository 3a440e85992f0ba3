"""Whoever looks at a tile zooms in there next: what lies under it is read while nobody waits.

One read at a time, the newest wish first, and none while anybody waits for the store. A wish that
could not be met in a few seconds is dropped: its viewer has moved on, or the server has better to
do.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from sgi.api.frames import Frames, ServedInstance
from sgi.api.layer import Layer
from sgi.api.slide_store import ServedSlide

_WISHES = 64
"""Two screens."""
_WISH_S = 3.0
_LOOK_AGAIN_S = 0.02
_MOST_FRAMES = 16
"""Under one tile: levels that lie a factor 4 apart."""


@dataclass(frozen=True, slots=True)
class _Wish:
    at: float
    """Of the monotonic clock, in seconds."""
    served: ServedSlide
    level: int
    column: int
    row: int
    layer: Layer


class Ahead:
    """Brings the frames of the next finer level into memory, and onto the disk."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._wishes: deque[_Wish] = deque(maxlen=_WISHES)
        self._reading: asyncio.Task[None] | None = None

    def under(self, served: ServedSlide, level: int, column: int, row: int, layer: Layer) -> None:
        """What lies under this tile may be wanted soon. Takes no time."""
        if level == 0:
            return
        self._wishes.append(_Wish(time.monotonic(), served, level, column, row, layer))
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_all())

    async def _read_all(self) -> None:
        while self._wishes:
            wish = self._wishes.pop()
            # Whoever really waits for such a frame is told what is wrong with it.
            with suppress(Exception):
                await self._read(wish)

    async def _read(self, wish: _Wish) -> None:
        if time.monotonic() - wish.at > _WISH_S or not await self._turn(wish):
            return
        finer = await wish.served.level(wish.level - 1)
        for frame_index in frames_under(wish.served, finer, wish):
            if not await self._turn(wish):
                return
            await self._frames.get(finer, frame_index)

    async def _turn(self, wish: _Wish) -> bool:
        """Wait until nobody else waits for the store; False once the wish is too old."""
        while time.monotonic() - wish.at <= _WISH_S:
            if not self._frames.is_asked:
                return True
            await asyncio.sleep(_LOOK_AGAIN_S)
        return False


def frames_under(served: ServedSlide, finer: ServedInstance, wish: _Wish) -> Iterator[int]:
    """The frames of the next finer level that show what the tile shows, `_MOST_FRAMES` at most."""
    levels, tiles = served.slide.levels, finer.order.grid.tiles
    factor = levels[wish.level].downsample / levels[wish.level - 1].downsample
    columns = _under(wish.column, factor, tiles.columns)
    rows = _under(wish.row, factor, tiles.rows)
    if len(columns) * len(rows) <= _MOST_FRAMES:
        for row in rows:
            for column in columns:
                yield finer.order.frame_index(column, row, wish.layer.path, wish.layer.plane)


def _under(position: int, factor: float, count: int) -> range:
    return range(int(position * factor), min(math.ceil((position + 1) * factor), count))
