"""The way in, with a real database and a drop folder of its own."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import procrastinate
import pytest

from sgi.catalogue import arrivals, slides
from sgi.catalogue.database import Database
from sgi.domain.arrival import Arrival
from sgi.ingest.process import Ingest
from sgi.ingest.watcher import Watcher
from sgi.settings import Settings


@dataclass
class WayIn:
    """One drop folder: what was put into it, what the catalogue says of it."""

    database: Database
    establishment_id: Any
    settings: Settings
    store: Any
    run: Callable[[Any], Any]
    watcher: Watcher
    ingest: Ingest

    @property
    def drop(self) -> Path:
        return self.settings.drop

    def with_settings(self, **changes: Any) -> "WayIn":
        settings = self.settings.model_copy(
            update={"ingest": self.settings.ingest.model_copy(update=changes)}
        )
        return make(self.database, self.establishment_id, settings, self.store, self.run)

    def scan(self) -> bool:
        pending: bool = self.run(self.watcher.scan())
        return pending

    def settle(self) -> None:
        """Scan as often as a file needs to become quiet."""
        for _ in range(4):
            self.scan()

    def arrivals(self) -> dict[str, Arrival]:
        """The newest arrival by the place below the drop folder."""

        async def read() -> dict[Path, Arrival]:
            async with self.database.transaction(self.establishment_id) as connection:
                cursor = await connection.execute("select source_path from arrival")
                paths = [Path(os.fsdecode(row["source_path"])) for row in await cursor.fetchall()]
                return await arrivals.known(connection, self.drop.resolve(), paths)

        return {
            str(path.relative_to(self.drop.resolve())): arrival
            for path, arrival in self.run(read()).items()
        }

    def arrival(self, name: str) -> Arrival:
        return self.arrivals()[name]

    def all_arrivals(self) -> list[Arrival]:
        async def read() -> list[Arrival]:
            async with self.database.transaction(self.establishment_id) as connection:
                return await arrivals.newest(connection, 100)

        found: list[Arrival] = self.run(read())
        return found

    def slides(self) -> list[Any]:
        async def read() -> list[Any]:
            async with self.database.transaction(self.establishment_id) as connection:
                return await slides.newest(connection, limit=100)

        found: list[Any] = self.run(read())
        return found

    def jobs(self, arrival: Arrival) -> list[Any]:
        """Those that are not done, of one arrival."""
        return self.query(
            "select * from procrastinate_jobs where args ->> 'arrival_id' = %s"
            " and status in ('todo', 'doing') order by id",
            str(arrival.id),
        )

    def finish_jobs(self, arrival: Arrival, status: str = "succeeded") -> None:
        self.query(
            "update procrastinate_jobs set status = %s::procrastinate_job_status where lock = %s",
            status,
            str(arrival.id),
        )

    def query(self, statement: str, *values: object) -> list[Any]:
        async def execute() -> list[Any]:
            async with self.database.transaction(self.establishment_id) as connection:
                cursor = await connection.execute(statement, values)
                return await cursor.fetchall() if cursor.description else []

        found: list[Any] = self.run(execute())
        return found

    def process(self, arrival: Arrival) -> Arrival:
        """Do its job, here and now."""
        self.finish_jobs(arrival)
        self.run(self.ingest.process(self.establishment_id, arrival.id))
        return next(found for found in self.all_arrivals() if found.id == arrival.id)

    def take_in(self, name: str) -> Arrival:
        """From the drop folder to wherever it gets."""
        self.settle()
        return self.process(self.arrival(name))


def make(
    database: Database, establishment_id: Any, settings: Settings, store: Any, run: Any
) -> WayIn:
    settings.drop.mkdir(parents=True, exist_ok=True)

    async def watcher() -> Watcher:
        return Watcher(database, establishment_id, settings.drop, settings.ingest)

    ingest = Ingest(settings, database, store, threading.Event())
    return WayIn(database, establishment_id, settings, store, run, run(watcher()), ingest)


@pytest.fixture
def way_in(database: Database, here: Any, settings: Settings, store: Any, run: Any) -> WayIn:
    return make(database, here.id, settings, store, run)


@pytest.fixture
def queue(url: str, run: Any) -> Any:
    """Procrastinate, as the worker opens it."""
    from sgi.jobs.queue import open_queue

    opened: procrastinate.App = open_queue(url)
    run(opened.open_async())
    yield opened
    run(opened.close_async())
