"""Stored frames by position: which bytes of which object, from indexes held in memory.

The catalogue is asked once a slide, the store once a level for its index; a run of neighbouring
frames is then one range read, and is kept for a while. Every frame is compared with the hash that
was taken when it was written.
"""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from dicom.frame_index import FrameIndex
from sgi.catalogue import slides
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide, StoredInstance
from sgi.errors import NotFoundError, VerificationError
from sgi.stored import StoredObject, frame_hashes_key, instance_key
from storage.store import ObjectStore
from tiling.geometry import Size, TileGrid

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
MEDIA_TYPES = {JPEG_BASELINE: "image/jpeg"}
"""Media type of a stored frame by transfer syntax (PS3.18, 8.7.3); others are octets."""

_SLIDES_IN_MEMORY = 256
_HASH_BYTES = 32
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
    grid: TileGrid
    media_type: str
    index: FrameIndex
    hashes: bytes
    """SHA-256 of every frame, 32 bytes each."""


class Frames:
    """Frames that were compared with their hashes: out of memory, or out of the store.

    A frame is read with its neighbours in the row, which a viewer asks for in the same moment:
    those requests then share one range read.
    """

    def __init__(self, store: ObjectStore, kept_bytes: int = _KEPT_BYTES) -> None:
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
        first, last = _run_around(instance, frame_index)
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
            at = frame_index * _HASH_BYTES
            if hashlib.sha256(frame).digest() == instance.hashes[at : at + _HASH_BYTES]:
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


def _run_around(instance: ServedInstance, frame_index: int) -> tuple[int, int]:
    """First frame and one past the last of the run that a frame is read with.

    Runs lie in one row and are cut by halving, so that each frame is in exactly one.
    """
    column, _ = instance.grid.position(frame_index)
    row_start, columns = frame_index - column, instance.grid.tiles.columns
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


class ServedSlide:
    """One slide's instances; their indexes are loaded when first asked for."""

    def __init__(self, slide: Slide, store: ObjectStore, frames: Frames) -> None:
        self.slide = slide
        self._store = store
        self._frames = frames
        self._levels = slide.levels
        self._ready: dict[str, ServedInstance] = {}
        self._loading = asyncio.Lock()

    async def level(self, level: int) -> ServedInstance:
        """Raises NotFoundError when the slide has no such level."""
        if not 0 <= level < len(self._levels):
            raise NotFoundError("The slide has no such level.")
        return await self.instance(self._levels[level])

    async def instance(self, stored: StoredInstance) -> ServedInstance:
        """An instance with its index, read from the store at most once."""
        ready = self._ready.get(stored.sop_uid)
        if ready is not None:
            return ready
        async with self._loading:
            if stored.sop_uid not in self._ready:
                self._ready[stored.sop_uid] = await asyncio.to_thread(self._load, stored)
        return self._ready[stored.sop_uid]

    def _load(self, stored: StoredInstance) -> ServedInstance:
        key = instance_key(self.slide.id, stored.sop_uid)
        index = FrameIndex.read(StoredObject(self._store, key, stored.size_bytes))
        hashes = self._store.read(frame_hashes_key(self.slide.id, stored.sop_uid))
        grid = TileGrid(
            Size(stored.columns, stored.rows), Size(stored.tile_columns, stored.tile_rows)
        )
        frames = len(index.offsets)
        if len(hashes) != frames * _HASH_BYTES or frames != stored.frames:
            raise VerificationError("The hashes of a stored instance do not fit its frames.")
        return ServedInstance(
            key=key,
            etag_stem=stored.sop_uid.rpartition(".")[2],
            grid=grid,
            media_type=MEDIA_TYPES.get(stored.transfer_syntax, "application/octet-stream"),
            index=index,
            hashes=hashes,
        )

    async def frame(self, instance: ServedInstance, frame_index: int) -> bytes:
        """One stored frame, untouched; raises as `Frames.get`."""
        return await self._frames.get(instance, frame_index)


class SlideStore:
    """The slides that were asked for lately."""

    def __init__(self, database: Database, store: ObjectStore) -> None:
        self._database = database
        self._store = store
        self._frames = Frames(store)
        self._slides: OrderedDict[UUID, ServedSlide] = OrderedDict()

    async def open(self, establishment_id: UUID, slide_id: UUID) -> ServedSlide:
        """The slide, when it belongs to the establishment; raises NotFoundError otherwise."""
        served = self._slides.get(slide_id)
        if served is None:
            async with self._database.transaction(establishment_id) as connection:
                slide = await slides.by_id(connection, slide_id)
            if slide is None:
                raise NotFoundError("There is no such slide.")
            opened = ServedSlide(slide, self._store, self._frames)
            served = self._slides.setdefault(slide_id, opened)
            if len(self._slides) > _SLIDES_IN_MEMORY:
                self._slides.popitem(last=False)
        if served.slide.establishment_id != establishment_id:
            raise NotFoundError("There is no such slide.")
        self._slides.move_to_end(slide_id)
        return served
