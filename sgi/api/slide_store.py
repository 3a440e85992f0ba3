"""Slides that are being looked at: their instances, and the indexes of these, held in memory.

The catalogue is asked once a slide, the store once a level for its index.
"""

import asyncio
import hashlib
from collections import OrderedDict
from uuid import UUID

from dicom.frame_index import FrameIndex
from dicom.transfer_syntax import encoding_of
from sgi.api.frames import HASH_BYTES, NOT_AS_WRITTEN, Frames, ServedInstance
from sgi.catalogue import slides
from sgi.catalogue.database import Database
from sgi.domain.facts import PathFacts
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.errors import ColdError, NotFoundError, VerificationError
from sgi.stored.keys import frame_hashes_key, heat_map_key, instance_key
from sgi.stored.sources import StoredObject
from storage.store import ObjectStore
from tiling.composite import Window
from tiling.geometry import Size, TileGrid
from tiling.rendering import is_shown_as_it_is
from tiling.slide import RGB8, PixelFormat
from tiling.tile_order import TileOrder

_SLIDES_IN_MEMORY = 256


class ServedSlide:
    """One slide's instances; their indexes are loaded when first asked for."""

    def __init__(self, slide: Slide, store: ObjectStore, frames: Frames) -> None:
        self.slide = slide
        self._store = store
        self._frames = frames
        self._levels = slide.levels
        self._by_told = {slide.told_uid(each): each for each in slide.instances}
        self._ready: dict[str, ServedInstance] = {}
        self._loading = asyncio.Lock()

    async def level(self, level: int) -> ServedInstance:
        """Raises NotFoundError when the slide has no such level."""
        if not 0 <= level < len(self._levels):
            raise NotFoundError("The slide has no such level.")
        return await self.instance(self._levels[level])

    def instance_told(self, told_uid: str) -> StoredInstance | None:
        """By the SOP Instance UID that others know; None where there is no such instance."""
        return self._by_told.get(told_uid)

    @staticmethod
    def require_warm(stored: StoredInstance) -> None:
        """Raises ColdError for an instance that lies in cold storage."""
        if stored.tier is not Tier.WARM:
            raise ColdError("This level is in cold storage; ask for its restore.")

    async def instance(self, stored: StoredInstance) -> ServedInstance:
        """An instance with its index, read from the store at most once.

        Raises ColdError when it lies in cold storage.
        """
        self.require_warm(stored)
        ready = self._ready.get(stored.sop_uid)
        if ready is not None:
            return ready
        async with self._loading:
            if stored.sop_uid not in self._ready:
                try:
                    self._ready[stored.sop_uid] = await asyncio.to_thread(self._load, stored)
                except NOT_AS_WRITTEN:
                    self._frames.on_damage(self.slide.id, stored.sop_uid, None)
                    raise
        return self._ready[stored.sop_uid]

    def _load(self, stored: StoredInstance) -> ServedInstance:
        key = instance_key(self.slide.id, stored.sop_uid)
        index = FrameIndex.read(StoredObject(self._store, key, stored.size_bytes))
        hashes = self._store.read(frame_hashes_key(self.slide.id, stored.sop_uid))
        facts, order = self.slide.facts, self._order(stored)
        frames = len(index.offsets)
        if len(hashes) != frames * HASH_BYTES or not frames == stored.frames == order.frames:
            raise VerificationError("The hashes of a stored instance do not fit its frames.")
        # Or the whole of another slide could pass for this one.
        if stored.frames_sha256 not in {None, hashlib.sha256(hashes).hexdigest()}:
            raise VerificationError("The hashes of a stored instance are not what was written.")
        pixel_format = RGB8 if stored.level is None else PixelFormat(facts.samples, facts.bits)
        encoding = encoding_of(stored.transfer_syntax, stored.photometric, pixel_format.samples)
        return ServedInstance(
            slide_id=self.slide.id,
            sop_uid=stored.sop_uid,
            key=key,
            etag_stem=stored.sop_uid.rpartition(".")[2],
            order=order,
            index=index,
            hashes=hashes,
            encoding=encoding,
            pixel_format=pixel_format,
            windows=tuple(_window(path) for path in facts.optical_paths),
            is_shown_as_it_is=encoding is not None and is_shown_as_it_is(encoding, pixel_format),
        )

    def _order(self, stored: StoredInstance) -> TileOrder:
        grid = TileGrid(
            Size(stored.columns, stored.rows), Size(stored.tile_columns, stored.tile_rows)
        )
        if stored.level is None:  # a picture
            return TileOrder(grid)
        facts = self.slide.facts
        return TileOrder(grid, len(facts.optical_paths), len(facts.focal_planes_um))

    async def focus(self) -> bytes:
        """The heat map of focus, as PNG."""
        return await asyncio.to_thread(self._store.read, heat_map_key(self.slide.id))

    def tell_damage(self, stored: StoredInstance) -> None:
        """Ring the alarm: a reader of whole instances met bytes that were not written so."""
        self._frames.on_damage(self.slide.id, stored.sop_uid, None)

    async def frame(self, instance: ServedInstance, frame_index: int) -> bytes:
        """One stored frame, untouched; raises as `Frames.get`."""
        return await self._frames.get(instance, frame_index)


def _window(path: PathFacts) -> Window | None:
    return None if path.window is None else Window(*path.window)


class SlideStore:
    """The slides that were asked for lately."""

    def __init__(
        self, database: Database, store: ObjectStore, frames: Frames | None = None
    ) -> None:
        self._database = database
        self._store = store
        self._frames = frames or Frames(store)
        self._slides: OrderedDict[UUID, ServedSlide] = OrderedDict()
        self._forgotten = 0

    def forget(self, slide_id: UUID | None) -> None:
        """Drop a slide that was destroyed or moved from memory; None: every slide."""
        self._forgotten += 1
        if slide_id is None:
            self._slides.clear()
        else:
            self._slides.pop(slide_id, None)

    async def open(self, establishment_id: UUID, slide_id: UUID) -> ServedSlide:
        """The slide, when it belongs to the establishment; raises NotFoundError otherwise."""
        served = self._slides.get(slide_id)
        if served is None:
            forgotten = self._forgotten
            async with self._database.transaction(establishment_id) as connection:
                slide = await slides.by_id(connection, slide_id)
            if slide is None:
                raise NotFoundError("There is no such slide.")
            if forgotten != self._forgotten:  # perhaps this very one, while we were asking
                return await self.open(establishment_id, slide_id)
            opened = ServedSlide(slide, self._store, self._frames)
            served = self._slides.setdefault(slide_id, opened)
            if len(self._slides) > _SLIDES_IN_MEMORY:
                self._slides.popitem(last=False)
        if served.slide.establishment_id != establishment_id:
            raise NotFoundError("There is no such slide.")
        self._slides.move_to_end(slide_id)
        return served
