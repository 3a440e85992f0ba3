"""The whole drill: the database is lost with slides that came after its last kept moment."""

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sgi.backup.keeper import BackupKeeper
from sgi.backup.recover import recover
from sgi.catalogue import slides
from sgi.catalogue.database import Database
from sgi.catalogue.migrate import migrate
from sgi.commands.verify import verify_slides
from sgi.domain.slide import Slide
from sgi.engines import EmbeddedPostgres
from sgi.engines.process import processes_in, send
from sgi.integrity.rebuild import rebuild
from sgi.stores import Stores

DAY = timedelta(days=1)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short, and open to the account that PostgreSQL runs as under root."""
    made = Path(tempfile.mkdtemp(prefix="sgi-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    engine = EmbeddedPostgres(folder / "postgres")
    yield engine
    engine.stop()


@pytest.fixture
def keeper(postgres: EmbeddedPostgres, folder: Path) -> Iterator[BackupKeeper]:
    url = postgres.start()
    migrate(url)
    keeper = BackupKeeper(url, folder / "backup", DAY, 7 * DAY)
    yield keeper
    keeper.close()


def now(url: str) -> datetime:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row
    moment: datetime = row[0]
    return moment.astimezone(UTC)


def test_slides_published_after_the_kept_moment_come_back(
    run: Any,
    postgres: EmbeddedPostgres,
    keeper: BackupKeeper,
    folder: Path,
    laboratory: Callable[..., Any],
    store: Any,
    svs: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = postgres.dsn
    with psycopg.connect(url) as connection:
        row = connection.execute("insert into establishment (name) values ('here') returning id")
        ((here,),) = row.fetchall()

    data = svs.read_bytes()

    async def take_in(name: str) -> list[Slide]:
        async with Database(url, size=2) as database:
            own = laboratory(here, database)
            (own.settings.drop / name).write_bytes(data + name.encode())
            taken: list[Slide] = await own.take_in()
            return taken

    async def known() -> list[Slide]:
        async with Database(url, size=2) as database, database.transaction(here) as connection:
            return await slides.newest(connection, limit=100)

    assert len(run(take_in("before.svs"))) == 1
    keeper.look()
    kept = now(url)
    published = run(take_in("after.svs"))
    assert len(published) == 2
    keeper.wait_for_log()
    send(processes_in(folder / "postgres" / "cluster", "postgres"), signal.SIGKILL)
    postgres.stop()
    shutil.rmtree(folder / "postgres" / "cluster")
    recover(folder / "backup", folder / "postgres", kept)
    assert postgres.start() == url
    assert [slide.file_name for slide in run(known())] == ["before.svs"]
    stores = Stores(store)
    outcome = run(rebuild(url, stores, missing=True))
    assert (outcome.slides, outcome.known, outcome.problems) == (1, 1, [])
    assert run(known()) == published
    assert run(verify_slides(url, stores))
    assert "2 slides verified, 0 damaged objects" in capsys.readouterr().out
    assert len(run(take_in("after.svs"))) == 2, "the same file is known again"
