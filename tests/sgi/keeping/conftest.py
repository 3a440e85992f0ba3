"""A published slide with large levels, a cold store beside the warm one, and their moves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from dicom.cold import ColdInstance
from dicom.testing import MemorySink
from sgi.catalogue import slides, tiers
from sgi.catalogue.database import Database
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.tiers import TierMove, TierPolicy
from sgi.jobs.keeping import Keeping
from sgi.keeping import copies
from sgi.keeping.moves import Moves
from sgi.keeping.recompression import Recompression
from sgi.settings import KeepingSettings
from sgi.stored.keys import cold_key, instance_key
from sgi.stored.sources import StoredObject
from sgi.stores import Stores
from storage.memory import MemoryObjectStore
from tiling.codecs.jpeg_recompressed import give_back

WARM_SIDE = 256


@dataclass
class Kept:
    """One slide, the stores it lies in, and what may happen to it."""

    run: Callable[[Any], Any]
    database: Database
    keeping: Keeping
    slide_id: Any
    establishment: Any
    originals: dict[str, bytes]
    """By SOP Instance UID, of the instances before anything moved."""

    @property
    def warm(self) -> Any:
        return self.keeping.stores.warm

    @property
    def cold(self) -> Any:
        return self.keeping.stores.cold

    def with_stores(self, warm: Any = None, cold: Any = None) -> "Kept":
        stores = Stores(warm or self.warm, cold or self.cold)
        return replace(self, keeping=replace(self.keeping, stores=stores))

    def transaction(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async def execute() -> Any:
            async with self.database.transaction(self.establishment.id) as connection:
                return await function(connection, *arguments)

        return self.run(execute())

    def query(self, statement: str, *values: object) -> list[Any]:
        async def execute(connection: Any) -> list[Any]:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []

        found: list[Any] = self.transaction(execute)
        return found

    @property
    def slide(self) -> Slide:
        found: Slide = self.transaction(slides.by_id, self.slide_id)
        return found

    @property
    def tiers(self) -> list[Tier]:
        """Of the levels, base first."""
        return [level.tier for level in self.slide.levels]

    def ask(self, target: Tier) -> TierMove:
        found: TierMove | None = self.transaction(
            tiers.ask, self.establishment.id, self.slide_id, target, None
        )
        assert found
        return found

    def work(self, move: TierMove) -> TierMove:
        self.run(Moves(self.keeping).work(self.establishment.id, move.id))
        found: TierMove = self.transaction(tiers.move, move.id)
        return found

    def cool(self) -> TierMove:
        return self.work(self.ask(Tier.COLD))

    def restore(self) -> TierMove:
        return self.work(self.ask(Tier.WARM))

    def reap(self) -> None:
        for row in self.query("select sop_uid from instance where warm_left_at is not null"):
            self.run(Moves(self.keeping).reap(self.establishment.id, self.slide_id, row["sop_uid"]))

    def bytes_of(self, instance: StoredInstance) -> bytes:
        """As a reader would get it: from the tier that the catalogue names."""
        if instance.tier is Tier.WARM:
            found: bytes = self.warm.read(instance_key(self.slide_id, instance.sop_uid))
            return found
        key, sink = cold_key(self.slide_id, instance.sop_uid), MemorySink()
        size = self.cold.size(key)
        opened = ColdInstance.open(StoredObject(self.cold, key, size), size)
        opened.unpack(sink, lambda frames, _: [give_back(frame) for frame in frames])
        return sink.data

    def assert_nothing_is_lost(self) -> None:
        for instance in self.slide.instances:
            assert self.bytes_of(instance) == self.originals[instance.sop_uid]

    def warm_keys(self) -> set[str]:
        """Of its levels."""
        uids = {level.sop_uid for level in self.slide.levels}
        return {uid for uid in uids if self.has(self.warm, instance_key(self.slide_id, uid))}

    def has(self, store: Any, key: str) -> bool:
        return any(info.key == key for info in store.list())


class Foreground(Recompression):
    """The process that recompresses, as urgent as the others."""

    def __init__(self, memory_bytes: int, threads: int, cancelled: Any, **_: Any) -> None:
        super().__init__(memory_bytes, threads, cancelled, background=False)


@pytest.fixture(autouse=True)
def in_the_foreground(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait behind whatever else the machine does."""
    monkeypatch.setattr(copies, "Recompression", Foreground)


@pytest.fixture
def kept(run: Any, database: Database, here: Any, settings: Any, store: Any, publish: Any) -> Kept:
    slide = publish(here, store)
    settings = settings.model_copy(update={"keeping": KeepingSettings(memory_mb=512)})
    keeping = Keeping(settings, database, Stores(store, MemoryObjectStore()))
    originals = {
        instance.sop_uid: store.read(instance_key(slide.id, instance.sop_uid))
        for instance in slide.instances
    }
    found = Kept(run, database, keeping, slide.id, here, originals)
    found.transaction(tiers.set_policy, here.id, TierPolicy(warm_side=WARM_SIDE))
    return found
