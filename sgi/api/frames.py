"""Stored frames, each compared with its hash before anybody sees it: from memory or the store.

A frame is read with its neighbours in one range, and kept for a while.
"""

import asyncio
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from dicom.errors import DamagedInstanceError
from dicom.frame_index import FrameIndex
from sgi.api.overload import Gate, who_asks
from sgi.errors import VerificationError
from sgi.stored.keys import slide_folder
from storage.errors import (
    CorruptObjectError,
    ObjectNotFoundError,
    ObjectTooLargeError,
    RangeError,
)
from storage.store import AsyncRangeReader
from tiling.composite import Window
from tiling.slide import PixelFormat, TileEncoding
from tiling.tile_order import TileOrder

_log = logging.getLogger(__name__)
NOT_AS_WRITTEN = (
    VerificationError,
    DamagedInstanceError,
    ObjectNotFoundError,
    RangeError,
    ObjectTooLargeError,
    CorruptObjectError,
)
"""What a reader meets whose catalogued object is gone, or is another one."""
HASH_BYTES = 32
"""Of a SHA-256."""
_RUN_FRAMES = 8
_RUN_BYTES = 192 << 10
"""The most that is read for the sake of one frame: up to some 200 kB a range read of the store
takes as long as one of 12 kB, since nearly all of its time goes into answering at all."""
_KEPT_BYTES = 64 << 20
_READS, _READS_OF_ONE_SESSION = 64, 48
"""Under way at the same time."""
_READS_WAITING = 512
_LONGEST_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class ServedInstance:
    """One stored instance, ready to give its frames."""

    slide_id: UUID
    sop_uid: str
    key: str
    etag_stem: str
    order: TileOrder
    index: FrameIndex
    hashes: bytes
    """SHA-256 of every frame, 32 bytes each."""
    encoding: TileEncoding | None
    """None for a transfer syntax that is not known here."""
    pixel_format: PixelFormat
    windows: tuple[Window | None, ...]
    """Of each optical path, as it is shown at first; None for true colours."""
    is_shown_as_it_is: bool
    """Whether a browser shows the stored frames."""


class RangeCache(AsyncRangeReader, Protocol):
    """A reader that may give what it kept; `storage.cache` has one."""

    async def drop(self, key: str, offset: int, length: int) -> None:
        """Forget a range, so that the next read asks the store itself."""

    def forget(self, folder: str | None) -> None:
        """Drop, soon, every range of the objects of a folder; None: of all objects."""


Damaged = Callable[[UUID, str, int | None], None]
"""Told of a slide, an instance and a frame index whose stored bytes are not what was written (None:
none of its frames can be found); it is called in the event loop, and may neither wait nor raise."""


def log_damage(slide_id: UUID, sop_uid: str, frame_index: int | None) -> None:
    """Say it in the log."""
    _log.error("frame %s of %s of slide %s is damaged", frame_index, sop_uid, slide_id)


class Frames:
    """Frames that were compared with their hashes: out of memory, or out of the store.

    A frame is read with its neighbours in the row, which a viewer asks for in the same moment:
    those requests then share one range read.
    """

    def __init__(
        self,
        store: AsyncRangeReader,
        kept_bytes: int = _KEPT_BYTES,
        *,
        cache: RangeCache | None = None,
        on_damage: Damaged = log_damage,
    ) -> None:
        self._store = store
        self._cache = cache
        self.on_damage = on_damage
        self._room = kept_bytes
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._reading: dict[tuple[str, int], asyncio.Task[dict[int, bytes]]] = {}
        self._gate = Gate(_READS, _READS_OF_ONE_SESSION, _READS_WAITING, _LONGEST_WAIT_S)

    def forget(self, slide_id: UUID | None) -> None:
        """Drop every frame of a slide that was destroyed, from memory and from the disk; None: of
        every slide, since which it was is not known.
        """
        folder = None if slide_id is None else slide_folder(slide_id)
        for place in [p for p in self._kept if folder is None or p[0].startswith(folder)]:
            self._room += len(self._kept.pop(place))
        if self._cache is not None:
            self._cache.forget(folder)

    @property
    def is_asked(self) -> bool:
        """Whether anybody waits for the store."""
        return bool(self._reading)

    async def get(self, instance: ServedInstance, frame_index: int) -> bytes:
        """One stored frame, untouched.

        Raises VerificationError when the store gives other bytes than were written: a wrong
        frame is never shown. Raises BusyError when too many other reads come first.
        """
        kept = self._kept.get((instance.key, frame_index))
        if kept is not None:
            self._kept.move_to_end((instance.key, frame_index))
            return kept
        # Shielded: a browser that goes away does not end the read for the others.
        frames = await asyncio.shield(self._run(instance, frame_index))
        frame = frames.get(frame_index)
        if frame is None:
            raise VerificationError("A stored frame is not what was written; run `sgi verify`.")
        return frame

    def _run(self, instance: ServedInstance, frame_index: int) -> asyncio.Task[dict[int, bytes]]:
        """The read that brings a frame, begun now unless it is under way."""
        first, last = run_around(instance, frame_index)
        place = (instance.key, first)
        reading = self._reading.get(place)
        if reading is None:
            reading = asyncio.create_task(self._read_in_turn(instance, first, last))
            self._reading[place] = reading

            def ended(task: asyncio.Task[dict[int, bytes]]) -> None:
                del self._reading[place]
                if not task.cancelled():
                    task.exception()  # looked at here, in case that nobody waits any more

            reading.add_done_callback(ended)
        return reading

    async def _read_in_turn(
        self, instance: ServedInstance, first: int, last: int
    ) -> dict[int, bytes]:
        async with self._gate.turn(who_asks()):
            return await self._read(instance, first, last)

    async def _read(self, instance: ServedInstance, first: int, last: int) -> dict[int, bytes]:
        """The frames of a run that are what was written, by their index."""
        start, length = _span(instance, first, last)
        # Associated images are larger, and asked for once.
        cache = self._cache if length <= _RUN_BYTES else None
        try:
            data = await (cache or self._store).read_range_async(instance.key, start, length)
        except NOT_AS_WRITTEN:
            self.on_damage(instance.slide_id, instance.sop_uid, None)
            raise
        good = _good_frames(instance, first, last, data)
        if cache is not None and len(good) < last - first:
            # Once more, from the store itself: the cache may hold what it gave on a bad day.
            await cache.drop(instance.key, start, length)
            data = await self._store.read_range_async(instance.key, start, length)
            good = _good_frames(instance, first, last, data)
        for frame_index in set(range(first, last)) - good.keys():
            self.on_damage(instance.slide_id, instance.sop_uid, frame_index)
        if length <= _RUN_BYTES:
            self._keep(instance.key, good)
        return good

    def _keep(self, key: str, frames: dict[int, bytes]) -> None:
        for frame_index, frame in frames.items():
            self._room -= len(frame) - len(self._kept.pop((key, frame_index), b""))
            self._kept[key, frame_index] = frame
        while self._room < 0 and self._kept:
            _, dropped = self._kept.popitem(last=False)
            self._room += len(dropped)


def run_around(instance: ServedInstance, frame_index: int) -> tuple[int, int]:
    """First frame and one past the last of the run that a frame is read with.

    Runs lie in one row and are cut by halving, so that each frame is in exactly one.
    """
    column = instance.order.position(frame_index).column
    row_start, columns = frame_index - column, instance.order.grid.tiles.columns
    frames = _RUN_FRAMES
    while frames > 1:
        begin = column - column % frames
        first, last = row_start + begin, row_start + min(begin + frames, columns)
        if _span(instance, first, last)[1] <= _RUN_BYTES:
            return first, last
        frames //= 2
    return frame_index, frame_index + 1


def _good_frames(instance: ServedInstance, first: int, last: int, data: bytes) -> dict[int, bytes]:
    """Those of a run whose bytes are what was written, by their index."""
    start, _ = instance.index.offset(first)
    good: dict[int, bytes] = {}
    for frame_index in range(first, last):
        offset, length = instance.index.offset(frame_index)
        frame = data[offset - start : offset - start + length]
        at = frame_index * HASH_BYTES
        if hashlib.sha256(frame).digest() == instance.hashes[at : at + HASH_BYTES]:
            good[frame_index] = frame
    return good


def _span(instance: ServedInstance, first: int, last: int) -> tuple[int, int]:
    """Offset and length in bytes of a run of frames, which lie one after the other."""
    start, _ = instance.index.offset(first)
    offset, length = instance.index.offset(last - 1)
    return start, offset + length - start
