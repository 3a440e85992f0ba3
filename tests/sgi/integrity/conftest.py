"""A published slide whose objects are on record, ways to damage what is stored, a laboratory."""

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest

from sgi.catalogue import arrivals, incidents, slides
from sgi.catalogue.database import Database
from sgi.domain.integrity import Incident
from sgi.domain.slide import Slide
from sgi.ingest.process import Ingest
from sgi.ingest.watcher import Watcher
from sgi.integrity.pace import Pace
from sgi.integrity.second import copy_slide
from sgi.integrity.verify import Verified, Verifier
from sgi.settings import Settings
from sgi.stored.keys import slide_folder
from sgi.stores import Stores
from storage.memory import MemoryObjectStore


@dataclass
class Kept:
    """One slide in stores in memory, proved once."""

    database: Database
    run: Callable[[Any], Any]
    url: str
    slide: Slide
    warm: dict[str, bytes]
    second: dict[str, bytes] | None
    stores: Stores
    verifier: Verifier = field(init=False)

    def __post_init__(self) -> None:
        self.verifier = Verifier(self.database, self.stores, Pace())

    def verify(self) -> Verified:
        found = self.run(self.verifier.verify(self.slide.establishment_id, self.slide.id))
        assert isinstance(found, Verified)
        return found

    def copy(self) -> bool:
        done: bool = self.run(copy_slide(self.verifier, self.slide.establishment_id, self.slide.id))
        return done

    def names(self) -> list[str]:
        return sorted(key for key in self.warm if key.startswith(slide_folder(self.slide.id)))

    def incidents(self) -> list[Incident]:
        async def read() -> list[Incident]:
            async with self.database.transaction(self.slide.establishment_id) as connection:
                return await incidents.newest(connection, 1000)

        found: list[Incident] = self.run(read())
        return found

    def is_damaged(self) -> bool:
        async def read() -> set[UUID]:
            async with self.database.transaction(self.slide.establishment_id) as connection:
                return await incidents.damaged(connection, [self.slide.id])

        return self.slide.id in self.run(read())

    def edit(self, statement: str, *values: object) -> None:
        """As somebody with the database's own password."""
        with psycopg.connect(self.url) as connection:
            connection.execute(statement.encode(), values)

    def restore(self, warm: dict[str, bytes], second: dict[str, bytes] | None) -> None:
        """Both stores as they were."""
        self.warm.clear()
        self.warm.update(warm)
        if self.second is not None:
            self.second.clear()
            self.second.update(second or {})


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read twice before it is believed is read again at once."""
    monkeypatch.setattr("sgi.integrity.look._PAUSE_S", 0)


@pytest.fixture
def keep(
    database: Database, run: Any, url: str, here: Any, publish: Callable[..., Slide]
) -> Callable[..., Kept]:
    def make(second: bool = True) -> Kept:
        warm: dict[str, bytes] = {}
        other: dict[str, bytes] | None = {} if second else None
        store = MemoryObjectStore(warm)
        slide = publish(here, store)
        stores = Stores(store, None, None if other is None else MemoryObjectStore(other))
        kept = Kept(database, run, url, slide, warm, other, stores)
        assert not kept.verify().findings
        if second:
            assert kept.copy()
        return kept

    return make


@pytest.fixture
def kept(keep: Callable[..., Kept]) -> Kept:
    """With a second copy."""
    return keep()


@pytest.fixture
def alone(keep: Callable[..., Kept]) -> Kept:
    """Without one."""
    return keep(second=False)


@dataclass
class Laboratory:
    """A drop folder of one establishment."""

    database: Database
    run: Callable[[Any], Any]
    establishment_id: uuid.UUID
    settings: Settings
    store: MemoryObjectStore

    async def take_in(self) -> list[Slide]:
        """Everything that lies there, by the whole way in."""
        drop, here = self.settings.drop, self.establishment_id
        watcher = Watcher(self.database, here, drop, self.settings.ingest)
        for _ in range(4):
            await watcher.scan()
        ingest = Ingest(self.settings, self.database, self.store, threading.Event())
        async with self.database.transaction(here) as connection:
            waiting = [a for a in await arrivals.newest(connection, 100) if a.state == "queued"]
        for arrival in waiting:
            await ingest.process(here, arrival.id)
        await watcher.scan()  # what waited for its like is a duplicate now
        async with self.database.transaction(here) as connection:
            for arrival in await arrivals.newest(connection, 100):
                assert arrival.state in {"published", "duplicate"}, arrival.reason
            return await slides.newest(connection, limit=100)


@pytest.fixture
def laboratory(
    database: Database, run: Any, settings: Settings, store: Any
) -> Callable[..., Laboratory]:
    def make(establishment_id: uuid.UUID, other: Database | None = None) -> Laboratory:
        data = settings.data / str(establishment_id)
        own = settings.model_copy(
            update={
                "data": data,
                "ingest": settings.ingest.model_copy(update={"ome_zarr": True}),
            }
        )
        own.drop.mkdir(parents=True, exist_ok=True)
        return Laboratory(other or database, run, establishment_id, own, store)

    return make
