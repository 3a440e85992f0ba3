"""The drill: a database is lost, and comes back as it was at a moment."""

import asyncio
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from sgi import recovery
from sgi.backup.keeper import BackupKeeper
from sgi.backup.manifest import check_base
from sgi.backup.recover import recover
from sgi.backup.sets import set_for, sets_in
from sgi.engines import EmbeddedPostgres, EngineError
from sgi.engines.process import processes_in, send

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
    assert not processes_in(folder / "postgres" / "cluster", "postgres")


@pytest.fixture
def keeper(postgres: EmbeddedPostgres, folder: Path) -> Iterator[BackupKeeper]:
    keeper = BackupKeeper(postgres.start(), folder / "backup", DAY, 7 * DAY)
    yield keeper
    keeper.close()


def write(dsn: str, number: int) -> datetime:
    """One acknowledged row; gives a moment after it, by the server's clock."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create table if not exists kept (number integer primary key)")
        connection.execute("insert into kept values (%s)", [number])
        row = connection.execute("select clock_timestamp()").fetchone()
    assert row
    time.sleep(0.05)
    return row[0].astimezone(UTC) + timedelta(milliseconds=20)


def numbers(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row[0] for row in connection.execute("select number from kept order by number")]


def is_marked(dsn: str) -> bool:
    """Whether it still has to hear what was decided since."""

    async def look() -> bool:
        async with await psycopg.AsyncConnection.connect(dsn) as connection:
            return await recovery.is_marked(connection)

    return asyncio.run(look())


def lose(postgres: EmbeddedPostgres, folder: Path) -> None:
    """The server dies, and its disk with it."""
    send(processes_in(folder / "postgres" / "cluster", "postgres"), signal.SIGKILL)
    postgres.stop()
    shutil.rmtree(folder / "postgres" / "cluster")


def test_what_was_acknowledged_comes_back_when_the_disk_is_lost(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    dsn = postgres.dsn
    write(dsn, 1)
    keeper.look()
    for number in range(2, 20):
        write(dsn, number)
    keeper.wait_for_log()
    lose(postgres, folder)
    recover(folder / "backup", folder / "postgres")
    assert numbers(postgres.start()) == list(range(1, 20))
    write(dsn, 20)  # it is a database like any other again
    postgres.stop()
    assert numbers(postgres.start()) == list(range(1, 21))
    with psycopg.connect(dsn) as connection:
        row = connection.execute("show restore_command").fetchone()
    assert row == ("",)


def test_a_mistake_is_undone_by_going_back_to_the_moment_before(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    dsn = postgres.dsn
    write(dsn, 1)
    assert not is_marked(dsn)
    keeper.look()
    before = write(dsn, 2)
    with psycopg.connect(dsn) as connection:
        connection.execute("delete from kept")
    write(dsn, 3)
    keeper.wait_for_log()
    keeper.close()
    postgres.stop()
    recover(folder / "backup", folder / "postgres", before)
    assert numbers(postgres.start()) == [1, 2]
    assert is_marked(dsn)
    kept = list((folder / "postgres").glob("cluster.before-*"))
    assert len(kept) == 1  # what was there can still be looked at


def test_it_goes_on_after_the_database_and_the_keeper_were_killed(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    dsn = postgres.dsn
    keeper.look()
    keeper.close()
    write(dsn, 1)  # while nobody receives
    postgres.stop()
    postgres.start()
    keeper.look()
    write(dsn, 2)
    keeper.wait_for_log()
    assert len(sets_in(folder / "backup")) == 1
    lose(postgres, folder)
    recover(folder / "backup", folder / "postgres")
    assert numbers(postgres.start()) == [1, 2]


def beside(postgres: EmbeddedPostgres, folder: Path) -> None:
    """`sgi backup --once` in another process, while the keeper is at work."""
    time.sleep(1.1)  # sets are named by the second
    other = BackupKeeper(postgres.dsn, folder / "backup", DAY, 7 * DAY)
    other.once()
    other.wait_for_log()
    other.close()


@pytest.mark.parametrize("follows", [False, True])
def test_a_set_made_beside_a_keeper_loses_nothing(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path, *, follows: bool
) -> None:
    dsn = postgres.dsn
    write(dsn, 1)
    keeper.look()
    beside(postgres, folder)
    first, second = sets_in(folder / "backup")
    if follows:
        keeper.look()
    moment = write(dsn, 2)
    write(dsn, 3)
    keeper.wait_for_log()
    expected = second if follows else first
    assert set_for(sets_in(folder / "backup"), None) == expected
    lose(postgres, folder)
    assert recover(folder / "backup", folder / "postgres", moment) == expected
    assert numbers(postgres.start()) == [1, 2]
    postgres.stop()
    assert recover(folder / "backup", folder / "postgres") == expected
    assert numbers(postgres.start()) == [1, 2, 3]


def test_the_keeper_follows_a_set_made_beside_it(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    def slots() -> list[tuple[str, bool]]:
        with psycopg.connect(postgres.dsn) as connection:
            return connection.execute(
                "select slot_name, active from pg_replication_slots order by slot_name"
            ).fetchall()

    keeper.look()
    beside(postgres, folder)
    first, second = sets_in(folder / "backup")
    assert slots() == [(first.slot, True), (second.slot, False)]
    keeper.look()
    assert slots() == [(second.slot, True)]


def test_a_slot_that_the_server_gave_up_begins_a_new_set(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    keeper.look()
    keeper.close()
    first = sets_in(folder / "backup")[0]
    with psycopg.connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("select pg_drop_replication_slot(%s)", [first.slot])
    time.sleep(1.1)  # sets are named by the second
    deadline = time.monotonic() + 60
    while len(sets_in(folder / "backup")) < 2 and time.monotonic() < deadline:
        keeper.look()
        time.sleep(0.2)
    newest = set_for(sets_in(folder / "backup"), None)
    assert newest is not None
    assert newest != first
    write(postgres.dsn, 1)
    keeper.wait_for_log()
    lose(postgres, folder)
    recover(folder / "backup", folder / "postgres")
    assert numbers(postgres.start()) == [1]


def test_the_next_set_takes_over_and_the_oldest_go(
    postgres: EmbeddedPostgres, folder: Path
) -> None:
    keeper = BackupKeeper(postgres.start(), folder / "backup", timedelta(0), timedelta(0))
    try:
        for number in range(3):
            write(postgres.dsn, number)
            keeper.look()
            time.sleep(1.1)
        (left,) = sets_in(folder / "backup")  # of no time at all, the newest is enough
        with psycopg.connect(postgres.dsn) as connection:
            slots = connection.execute("select slot_name from pg_replication_slots").fetchall()
        assert slots == [(left.slot,)]
    finally:
        keeper.close()


def test_a_damaged_base_is_never_called_whole(
    postgres: EmbeddedPostgres, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil_and_check(base: Path) -> None:
        file = base / "global" / "pg_control"
        data = bytearray(file.read_bytes())
        data[100] ^= 1
        file.write_bytes(data)
        check_base(base)

    monkeypatch.setattr("sgi.backup.programs.check_base", spoil_and_check)
    keeper = BackupKeeper(postgres.start(), folder / "backup", DAY, DAY)
    with pytest.raises(EngineError, match="1 of"):
        keeper.look()
    keeper.close()
    assert sets_in(folder / "backup") == []
    with psycopg.connect(postgres.dsn) as connection:
        assert connection.execute("select 1 from pg_replication_slots").fetchone() is None


def test_a_base_is_compared_file_by_file(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    keeper.look()
    base = sets_in(folder / "backup")[0].base
    check_base(base)
    manifest = base / "backup_manifest"
    whole = manifest.read_bytes()
    for broken in (whole[:-40], whole.replace(b"PG_VERSION", b"PG_VERSIOM", 1), b"", b"[]"):
        manifest.write_bytes(broken)
        with pytest.raises(EngineError, match="not whole"):
            check_base(base)
    manifest.write_bytes(whole)
    (base / "PG_VERSION").write_text("17\n")
    with pytest.raises(EngineError, match="damaged"):
        check_base(base)
    (base / "PG_VERSION").unlink()
    with pytest.raises(EngineError, match="not whole"):
        check_base(base)


def test_moments_out_of_reach_are_refused_and_nothing_is_touched(
    postgres: EmbeddedPostgres, keeper: BackupKeeper, folder: Path
) -> None:
    dsn = postgres.dsn
    write(dsn, 1)
    keeper.look()
    keeper.wait_for_log()
    with pytest.raises(EngineError, match="Another `sgi up`"):
        _recover_elsewhere(folder)
    keeper.close()
    postgres.stop()
    with pytest.raises(EngineError, match="begin at"):
        recover(folder / "backup", folder / "postgres", datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(EngineError, match="ends at"):
        recover(folder / "backup", folder / "postgres", datetime.now(UTC) + DAY)
    with pytest.raises(EngineError, match="no whole backup"):
        recover(folder / "nowhere", folder / "postgres")
    assert numbers(postgres.start()) == [1]


def _recover_elsewhere(folder: Path) -> None:
    """As another process: the lock belongs to a process."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom sgi.backup.recover import recover\n"
        "from sgi.engines import EngineError\n"
        "try:\n    recover(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "except EngineError as error:\n    sys.exit(str(error))\n"
    )
    command = [sys.executable, "-c", code, str(folder / "backup"), str(folder / "postgres")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    raise EngineError(done.stderr)
