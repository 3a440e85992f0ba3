"""Stored frames, each compared with its hash before anybody sees it: from memory or the store.

A frame is read with its neighbours in one range, and kept for a while.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from dicom.frame_index import FrameIndex
from sgi.errors import VerificationError
from storage.store import AsyncRangeReader
from tiling.composite import Window
from tiling.slide import PixelFormat, TileEncoding
from tiling.tile_order import TileOrder

HASH_BYTES = 32
"""Of a SHA-256."""
_RUN_FRAMES = 8
_RUN_BYTES = 192 << 10
"""The most that is read for the sake of one frame: up to some 200 kB a range read of the store
takes as long as one of 12 kB, since nearly all of its time goes into answering at all."""
_KEPT_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ServedInstance:
    """One stored instance, ready to give its frames."""

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


class Frames:
    """Frames that were compared with their hashes: out of memory, or out of the store.

    A frame is read with its neighbours in the row, which a viewer asks for in the same moment:
    those requests then share one range read.
    """

    def __init__(self, store: AsyncRangeReader, kept_bytes: int = _KEPT_BYTES) -> None:
        self._store = store
        self._room = kept_bytes
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._reading: dict[tuple[str, int], asyncio.Task[dict[int, bytes]]] = {}

    async def get(self, instance: ServedInstance, frame_index: int) -> bytes:
        """One stored frame, untouched.

        Raises VerificationError when the store gives other bytes than were written: a wrong
        frame is never shown.
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
            reading = asyncio.create_task(self._read(instance, first, last))
            self._reading[place] = reading

            def ended(task: asyncio.Task[dict[int, bytes]]) -> None:
                del self._reading[place]
                if not task.cancelled():
                    task.exception()  # looked at here, in case that nobody waits any more

            reading.add_done_callback(ended)
        return reading

    async def _read(self, instance: ServedInstance, first: int, last: int) -> dict[int, bytes]:
        """The frames of a run that are what was written, by their index."""
        start, length = _span(instance, first, last)
        data = await self._store.read_range_async(instance.key, start, length)
        good: dict[int, bytes] = {}
        for frame_index in range(first, last):
            offset, length = instance.index.offset(frame_index)
            frame = data[offset - start : offset - start + length]
            at = frame_index * HASH_BYTES
            if hashlib.sha256(frame).digest() == instance.hashes[at : at + HASH_BYTES]:
                good[frame_index] = frame
        if len(data) <= _RUN_BYTES:  # associated images are larger, and asked for once
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


def _span(instance: ServedInstance, first: int, last: int) -> tuple[int, int]:
    """Offset and length in bytes of a run of frames, which lie one after the other."""
    start, _ = instance.index.offset(first)
    offset, length = instance.index.offset(last - 1)
    return start, offset + length - start
