"""A real PostgreSQL for the whole run, an establishment of its own for every test, slides made of
generated pixels in a store in memory."""

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import httpx
import numpy as np
import psycopg
import pytest
from argon2 import PasswordHasher
from pydantic import SecretStr

import sgi.app
from dicom.conversion import convert
from dicom.manifest import SlideManifest
from dicom.models import SlideIdentity
from sgi.api.guard import CSRF_HEADER, LOOPBACK_COOKIE
from sgi.api.services import Services
from sgi.app import make_application
from sgi.catalogue import accounts, arrivals, cases, patients, slides, specimens
from sgi.catalogue.database import Database
from sgi.catalogue.migrate import migrate
from sgi.domain.account import PEOPLE, Role
from sgi.domain.arrival import (
    Arrival,
    ArrivalState,
    Fingerprint,
    FoundFile,
    Reason,
    ReasonCode,
)
from sgi.domain.case import Asset, AssetKind, CaseSaid
from sgi.domain.facts import SlideFacts
from sgi.domain.patient import Identifier, Identity, Traits
from sgi.domain.quality import SlideQuality
from sgi.domain.slide import Slide
from sgi.engines.postgres import EmbeddedPostgres
from sgi.ingest.facts import facts_of
from sgi.settings import DatabaseSettings, IngestSettings, Settings, StorageSettings
from sgi.stored.keys import frame_hashes_key, instance_key, manifest_key
from sgi.stored.slide import StoredSlide
from sgi.stores import Stores
from storage.memory import MemoryObjectStore
from storage.store import ObjectSink
from tiling.codecs.jpeg import JpegOptions
from tiling.pyramid import PyramidOptions, build_pyramid
from tiling.registry import open_slide
from tiling.slide import Pixels, SlideReader
from tiling.svs import SvsOptions, write_svs

T = TypeVar("T")
Run = Callable[[Awaitable[T]], T]
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def run() -> Iterator[Callable[[Any], Any]]:
    """Runs a coroutine; all in one loop, since pools and semaphores belong to theirs."""
    with asyncio.Runner() as runner:
        yield lambda awaitable: runner.run(_limited(awaitable))


async def _limited(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(100):
        return await awaitable


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A migrated database, as its owner."""
    folder = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    folder.chmod(0o755)
    engine = EmbeddedPostgres(folder / "postgres")
    try:
        found = engine.start()
        migrate(found)
        yield found
    finally:
        engine.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def database(url: str, run: Run[Any]) -> Iterator[Database]:
    opened = Database(url)
    run(opened.__aenter__())
    yield opened
    run(opened.__aexit__(None, None, None))


@pytest.fixture
def make_empty(url: str) -> Iterator[Callable[[], str]]:
    """Migrated databases without a row."""
    names = []

    def make() -> str:
        names.append(f"rebuilt_{uuid.uuid4().hex}")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"create database {names[-1]}".encode())
        made = psycopg.conninfo.make_conninfo(url, dbname=names[-1])
        migrate(made)
        return made

    yield make
    with psycopg.connect(url, autocommit=True) as connection:
        for name in names:
            connection.execute(f"drop database {name} with (force)".encode())


@dataclass(frozen=True)
class Establishment:
    """One of its own for every test, with an account of every role; all have PASSWORD."""

    id: UUID
    name: str
    accounts: dict[Role, str]


@pytest.fixture(scope="session")
def password_hash() -> str:
    """A cheap one: what is tested with it is not how long guessing takes."""
    return PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)


@pytest.fixture(scope="session")
def make_establishment(
    url: str, database: Database, run: Run[Any], password_hash: str
) -> Callable[[], Establishment]:
    async def add(establishment: Establishment) -> None:
        async with database.transaction(establishment.id) as connection:
            for role, name in establishment.accounts.items():
                await accounts.add_account(connection, establishment.id, name, role, password_hash)

    def make() -> Establishment:
        name = f"Laboratoire {uuid.uuid4()}"
        with psycopg.connect(url) as connection:
            row = connection.execute(
                "insert into establishment (name) values (%s) returning id", [name]
            ).fetchone()
        assert row
        known = {role: f"{role}-{uuid.uuid4()}" for role in PEOPLE}
        establishment = Establishment(row[0], name, known)
        run(add(establishment))
        return establishment

    return make


@pytest.fixture
def here(make_establishment: Callable[[], Establishment]) -> Establishment:
    return make_establishment()


@pytest.fixture
def there(make_establishment: Callable[[], Establishment]) -> Establishment:
    return make_establishment()


@pytest.fixture(scope="session")
def pixels() -> Pixels:
    """Smooth colours with some noise, large enough for several tiles and levels."""
    y, x = np.mgrid[0:420, 0:600]
    wave = np.stack([np.sin(x / 17), np.sin(y / 13), np.sin((x + y) / 29)], axis=-1)
    noise = np.random.default_rng(1).normal(0, 4, wave.shape)
    return np.clip(170 + 60 * wave + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def svs(tmp_path_factory: pytest.TempPathFactory, pixels: Pixels) -> Path:
    """An SVS of several tiles, two levels, label and overview; copy it, never change it."""
    path = tmp_path_factory.mktemp("svs") / "slide.svs"
    options = SvsOptions(
        tile=128, factors=(1, 2), label=pixels[:60, :50], overview=pixels[:50, :150]
    )
    write_svs(path, pixels, options)
    return path


class FaultyStore(MemoryObjectStore):
    """A store in memory that counts, and fails when told to."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        super().__init__(self.objects)
        self.error: Exception | None = None
        self.after_bytes = 0
        self.reads = 0

    def fail(self, error: Exception | None, after_bytes: int = 0) -> None:
        """Every write fails once so many more bytes were written."""
        self.error, self.after_bytes = error, after_bytes

    def _count(self, length: int) -> None:
        self.after_bytes -= length
        if self.error is not None and self.after_bytes < 0:
            raise self.error

    def open_write(self, key: str, *, content_type: str = "") -> Any:
        from contextlib import contextmanager

        @contextmanager
        def opened() -> Iterator[ObjectSink]:
            with MemoryObjectStore.open_write(self, key) as sink:
                yield _CountingSink(self, sink)

        return opened()

    def put(self, key: str, data: bytes, *, content_type: str = "") -> None:
        self._count(len(data) if self.error else 0)
        super().put(key, data)

    def read_range(self, key: str, offset: int, length: int) -> bytes:
        self.reads += 1
        return super().read_range(key, offset, length)


@dataclass
class _CountingSink:
    store: FaultyStore
    sink: ObjectSink

    def write(self, data: bytes, /) -> None:
        self.store._count(len(data))
        self.sink.write(data)


@pytest.fixture
def store() -> FaultyStore:
    return FaultyStore()


@dataclass(frozen=True)
class MemorySlide:
    """A converted slide in a store, not in the catalogue yet."""

    id: UUID
    manifest: SlideManifest
    facts: SlideFacts
    frame_hashes: dict[str, bytes]
    quality: SlideQuality | None = None


class _StoreTarget:
    def __init__(self, store: MemoryObjectStore, slide_id: UUID) -> None:
        self._store, self._slide_id = store, slide_id

    def open(self, name: str, sop_instance_uid: str) -> Any:
        return self._store.open_write(instance_key(self._slide_id, sop_instance_uid))


@pytest.fixture(scope="session")
def convert_reader_into(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[MemoryObjectStore, SlideReader], MemorySlide]:
    """Converts an open slide into a store under an identity of its own."""

    def make(store: MemoryObjectStore, reader: SlideReader) -> MemorySlide:
        slide_id = uuid.uuid4()
        options = PyramidOptions(JpegOptions())
        levels = build_pyramid(reader, tmp_path_factory.mktemp("work"), options)
        converted = convert(reader, levels, SlideIdentity(slide_id), _StoreTarget(store, slide_id))
        facts = facts_of(reader, levels)
        for uid, hashes in converted.frame_hashes.items():
            store.put(frame_hashes_key(slide_id, uid), hashes)
        return MemorySlide(slide_id, converted.manifest, facts, dict(converted.frame_hashes))

    return make


@pytest.fixture(scope="session")
def convert_into(
    svs: Path, convert_reader_into: Callable[[MemoryObjectStore, SlideReader], MemorySlide]
) -> Callable[[MemoryObjectStore], MemorySlide]:
    """Converts the SVS into a store under an identity of its own."""

    def make(store: MemoryObjectStore) -> MemorySlide:
        reader = open_slide(svs)
        try:
            made = convert_reader_into(store, reader)
        finally:
            reader.close()
        return replace(made, facts=made.facts.model_copy(update=SAID))

    return make


@pytest.fixture(scope="session")
def publish(
    publish_converted: Callable[..., Slide],
    convert_into: Callable[[MemoryObjectStore], MemorySlide],
) -> Callable[..., Slide]:
    """Puts the SVS into store and catalogue."""

    def make(
        establishment: Establishment,
        store: MemoryObjectStore,
        file_name: str = "slide.svs",
        quality: SlideQuality | None = None,
    ) -> Slide:
        made = replace(convert_into(store), quality=quality)
        return publish_converted(establishment, store, made, file_name)

    return make


@pytest.fixture(scope="session")
def publish_reader(
    publish_converted: Callable[..., Slide],
    convert_reader_into: Callable[[MemoryObjectStore, SlideReader], MemorySlide],
) -> Callable[..., Slide]:
    """Puts an open slide into store and catalogue."""

    def make(establishment: Establishment, store: MemoryObjectStore, reader: SlideReader) -> Slide:
        return publish_converted(establishment, store, convert_reader_into(store, reader), "light")

    return make


@pytest.fixture(scope="session")
def publish_converted(database: Database, run: Run[Any]) -> Callable[..., Slide]:
    """Puts a converted slide into the catalogue, and its manifest into the store."""

    async def add(establishment: Establishment, made: MemorySlide, file_name: str) -> Slide:
        sha256 = os.urandom(32)
        path = Path(f"/drop/{uuid.uuid4()}/{file_name}")
        async with database.transaction(establishment.id) as connection:
            seen = await arrivals.observe(
                connection,
                establishment.id,
                path,
                Fingerprint(1, 1),
                Reason(ReasonCode.BEING_WRITTEN),
            )
            assert await arrivals.queue(connection, seen.id, [FoundFile(path, 1, 1)], sha256)
            assert await arrivals.mark_published(connection, seen.id)
            await arrivals.mark_released(connection, seen.id)
            await slides.add(connection, stored_slide(seen, establishment, made, sha256).slide())
            slide = await slides.by_id(connection, made.id)
        assert slide
        return slide

    def make(
        establishment: Establishment,
        store: MemoryObjectStore,
        converted: MemorySlide,
        file_name: str,
    ) -> Slide:
        result: Slide = run(add(establishment, converted, file_name))
        store.put(manifest_key(result.id), manifest_object(result, converted.manifest))
        return result

    return make


SAID = {
    "pixel_spacing_mm": (0.0005, 0.0005),
    "objective_power": 20.0,
    "manufacturer": "Maker",
    "model": "Model",
    "serial_number": "1",
    "metadata": {"AppMag": "20"},
}
"""What the drawn slide is made to say of itself."""


def stored_slide(
    arrival: Arrival, establishment: Establishment, made: MemorySlide, sha256: bytes
) -> StoredSlide:
    return StoredSlide(
        establishment_id=establishment.id,
        establishment_name=establishment.name,
        arrival_id=arrival.id,
        file_name=arrival.file_name,
        source_sha256=sha256.hex(),
        source_size_bytes=1,
        written_at=datetime.now(UTC),
        facts=made.facts,
        quality=made.quality,
        manifest=made.manifest.to_json(),
    )


def manifest_object(slide: Slide, manifest: SlideManifest) -> bytes:
    """What is stored beside a slide's instances."""
    stored = StoredSlide(
        establishment_id=slide.establishment_id,
        establishment_name=slide.establishment_name,
        arrival_id=slide.arrival_id,
        scene=slide.scene,
        file_name=slide.file_name,
        source_sha256=slide.source_sha256,
        source_size_bytes=slide.source_size_bytes,
        written_at=slide.published_at,
        facts=slide.facts,
        quality=slide.quality,
        manifest=manifest.to_json(),
    )
    return stored.model_dump_json().encode()


@pytest.fixture
def arrive(database: Database, run: Run[Any], tmp_path: Path) -> Callable[..., Arrival]:
    """Adds an arrival in any state, without a file."""

    async def add(
        establishment: Establishment, state: ArrivalState, code: ReasonCode | None, path: Path
    ) -> Arrival:
        async with database.transaction(establishment.id) as connection:
            seen = await arrivals.observe(
                connection,
                establishment.id,
                path,
                Fingerprint(1, 1),
                Reason(ReasonCode.BEING_WRITTEN),
            )
            await connection.execute(
                "update arrival set state = %s, reason_code = %s where id = %s",
                [state, code, seen.id],
            )
            found = await arrivals.by_id(connection, seen.id)
        assert found
        return found

    def make(
        establishment: Establishment,
        state: ArrivalState = ArrivalState.WAITING,
        code: ReasonCode | None = None,
        path: Path | None = None,
    ) -> Arrival:
        where = path or tmp_path / f"{uuid.uuid4()}.svs"
        result: Arrival = run(add(establishment, state, code, where))
        return result

    return make


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """Ours alone: nothing of the environment's, except what nobody sets here."""
    return Settings(
        data=tmp_path / "data",
        database=DatabaseSettings(url=SecretStr(url)),
        storage=StorageSettings(endpoint="http://127.0.0.1:9"),
        ingest=IngestSettings(quiet_s=0, stall_s=30, timeout_s=60, memory_mb=1024),
    )


@dataclass
class Web:
    """The whole application, its lifespan open; requests come from a browser on this host."""

    application: Any
    base_url: str
    run: Run[Any]
    services: Services
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.AsyncClient:
        """A browser that is not signed in."""
        transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
        client = httpx.AsyncClient(
            transport=transport,
            base_url=self.base_url,
            headers={"accept-language": "en", **headers},
        )
        self.clients.append(client)
        return client

    def signed_in(
        self, establishment: Establishment, role: Role = Role.ADMINISTRATOR
    ) -> httpx.AsyncClient:
        client = self.client()
        answer = self.sign_in(client, establishment.accounts[role])
        assert answer.status_code == 200, answer.text
        client.headers[CSRF_HEADER] = answer.json()["csrf_token"]
        return client

    def sign_in(
        self, client: httpx.AsyncClient, name: str, password: str = PASSWORD
    ) -> httpx.Response:
        body = {"name": name, "password": password}
        answer: httpx.Response = self.run(client.post("/api/v1/sign-in", json=body))
        return answer

    def get(self, client: httpx.AsyncClient, path: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = self.run(client.get(path, **options))
        return answer

    def token(self, client: httpx.AsyncClient) -> str:
        return client.cookies[LOOPBACK_COOKIE]


@asynccontextmanager
async def lifespan(application: Any) -> AsyncIterator[None]:
    """What a web server does around the requests."""
    told: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(application(scope, told.get, heard.put))
    await told.put({"type": "lifespan.startup"})
    assert await heard.get() == {"type": "lifespan.startup.complete"}
    try:
        yield
    finally:
        await told.put({"type": "lifespan.shutdown"})
        await task


MakeWeb = Callable[..., Web]


@pytest.fixture
def make_web(
    settings: Settings, store: FaultyStore, run: Run[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeWeb]:
    """Opens the application; several at once are several processes."""
    monkeypatch.setattr(sgi.app, "open_stores", lambda _: Stores(store))
    opened: list[tuple[Any, Web]] = []

    def make(base_url: str = "http://127.0.0.1:8000", **changes: Any) -> Web:
        application = make_application(settings.model_copy(update=changes))
        living = lifespan(application)
        run(living.__aenter__())
        services = application._guarded._application.state.services  # type: ignore[attr-defined]
        web = Web(application, base_url, run, services)
        opened.append((living, web))
        return web

    yield make
    for living, web in opened:
        for client in web.clients:
            run(client.aclose())
        run(living.__aexit__(None, None, None))


@pytest.fixture
def web(make_web: MakeWeb) -> Web:
    return make_web()


@pytest.fixture
def audit_rows(database: Database, run: Run[Any]) -> Callable[[Establishment], list[Any]]:
    """Every audit row of an establishment, oldest first."""

    async def read(establishment: Establishment) -> list[Any]:
        async with database.transaction(establishment.id) as connection:
            cursor = await connection.execute("select * from audit order by id")
            return await cursor.fetchall()

    return lambda establishment: run(read(establishment))


@pytest.fixture(scope="session")
def bad_slides(shared_slides: Path) -> Path:
    """Broken files."""
    return shared_slides / "bad"


@dataclass
class Laboratory:
    """What a laboratory's system would register, by the functions that its messages come to."""

    database: Database
    run: Run[Any]
    establishment: Establishment
    said_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def do(self, act: Callable[[Any], Awaitable[T]]) -> T:
        """Whatever `act` does with a connection, in one transaction."""

        async def within() -> T:
            async with self.database.transaction(self.establishment.id) as connection:
                return await act(connection)

        found: T = self.run(within())
        return found

    def patient(self, value: str = "IPP1", **traits: Any) -> UUID:
        told = Traits(**{"birth_name": "MARTIN", "first_given_name": "LÉA", **traits})
        identity = Identity((Identifier(value, "CHU"),), told)
        self.said_at += timedelta(seconds=1)
        return self.do(
            lambda connection: patients.record(
                connection, self.establishment.id, identity, said_at=self.said_at, source="test"
            )
        )

    def case(self, number: str = "26P1", patient_id: UUID | None = None) -> UUID:
        self.said_at += timedelta(seconds=1)
        said = CaseSaid(number, received_at=datetime(2026, 6, 12, 10, tzinfo=UTC))
        return self.do(
            lambda connection: cases.record_case(
                connection,
                self.establishment.id,
                said,
                patient_id,
                said_at=self.said_at,
                source="test",
            )
        )

    def asset(self, identifier: str, kind: AssetKind = AssetKind.SLIDE, **said: Any) -> UUID:
        self.said_at += timedelta(seconds=1)
        return self.do(
            lambda connection: specimens.record_asset(
                connection,
                self.establishment.id,
                Asset(kind, identifier, **said),
                said_at=self.said_at,
                source="test",
            )
        )

    def cancel(self, identifier: str) -> None:
        self.said_at += timedelta(seconds=1)
        self.do(
            lambda connection: specimens.cancel_asset(
                connection,
                self.establishment.id,
                Asset(AssetKind.SLIDE, identifier),
                said_at=self.said_at,
                source="test",
            )
        )

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async def read(connection: Any) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = await (await connection.execute(query, values)).fetchall()
            return found

        return self.do(read)


@pytest.fixture
def laboratory(database: Database, run: Run[Any]) -> Callable[[Establishment], Laboratory]:
    return lambda establishment: Laboratory(database, run, establishment)
