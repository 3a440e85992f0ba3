"""Stored frames as a browser shows them: untouched where it can, else unpacked and kept a while."""

import asyncio
from collections import OrderedDict

from sgi.api.decoders import Decoders
from sgi.api.frames import ServedInstance
from sgi.api.slide_store import ServedSlide
from sgi.errors import UnshowableError
from tiling.composite import Window
from tiling.rendering import render_tile

_KEPT_BYTES = 64 << 20
_Key = tuple[str, int, Window | None]


class Rendered:
    """Tiles for browsers."""

    def __init__(self, decoders: Decoders, kept_bytes: int = _KEPT_BYTES) -> None:
        self._decoders = decoders
        self._room = kept_bytes
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()
        self._making: dict[_Key, asyncio.Task[bytes]] = {}

    async def tile(
        self,
        served: ServedSlide,
        instance: ServedInstance,
        frame_index: int,
        window: Window | None,
    ) -> bytes:
        """A frame as JPEG; `window` replaces the one of its optical path.

        Raises UnshowableError for a frame that cannot be unpacked, and as `Frames.get`.
        """
        if instance.is_shown_as_it_is:
            return await served.frame(instance, frame_index)
        key = (instance.key, frame_index, window)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept
        making = self._making.get(key)
        if making is None:
            making = asyncio.create_task(self._make(served, instance, key))
            self._making[key] = making
            making.add_done_callback(lambda done: self._made(key, done))
        return await asyncio.shield(making)

    async def _make(self, served: ServedSlide, instance: ServedInstance, key: _Key) -> bytes:
        _, frame_index, window = key
        frame = await served.frame(instance, frame_index)
        if window is None:
            window = instance.windows[instance.order.position(frame_index).path]
        if instance.encoding is None:
            raise UnshowableError("The slide's compression is not known here.")
        return await self._decoders.run(
            render_tile,
            frame,
            instance.encoding,
            instance.order.grid.tile,
            instance.pixel_format,
            window,
        )

    def _made(self, key: _Key, done: asyncio.Task[bytes]) -> None:
        del self._making[key]
        if done.cancelled() or done.exception() is not None:
            return
        self._kept[key] = done.result()
        self._room -= len(done.result())
        while self._room < 0 and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._room += len(dropped)
