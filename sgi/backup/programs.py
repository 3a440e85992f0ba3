"""PostgreSQL's own backup programs, run against a database that is given by its URL."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sgi.backup.manifest import check_base
from sgi.backup.sets import LONGEST_BASE, BackupSet
from sgi.engines.errors import EngineError
from sgi.engines.postgres import postgres_programs
from sgi.engines.process import start_process

_STATUS_S = 5
"""How often the server is told what is safe here, in seconds."""


def take_base(url: str, backup: BackupSet) -> None:
    """Copy the whole database into the set, and check every file against the manifest.

    Raises EngineError with the sentence that the program said.
    """
    programs = postgres_programs()
    options: list[str | Path] = ["--pgdata", backup.base, "--wal-method=none"]
    options += ["--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"]
    _run(url, [programs / "pg_basebackup", "--dbname", _without_password(url), *options])
    check_base(backup.base)


def make_slot(url: str, backup: BackupSet) -> None:
    """Have the server keep its log from now on until it is in the set."""
    command: list[str | Path] = [postgres_programs() / "pg_receivewal"]
    command += ["--dbname", _without_password(url)]
    slot = ["--slot", backup.slot, "--create-slot", "--if-not-exists", "--no-password"]
    _run(url, [*command, *slot])


def drop_slot(url: str, backup: BackupSet) -> None:
    """Let the server throw its log away; a slot that is not there is an EngineError too."""
    command: list[str | Path] = [postgres_programs() / "pg_receivewal"]
    command += ["--dbname", _without_password(url)]
    _run(url, [*command, "--slot", backup.slot, "--drop-slot", "--no-password"])


def receive_log(url: str, backup: BackupSet) -> subprocess.Popen[bytes]:
    """A process that writes the server's log into the set, flushed to the disk, as it is made."""
    options: list[str | Path] = ["--directory", backup.wal, "--slot", backup.slot]
    options += ["--synchronous", "--no-loop", f"--status-interval={_STATUS_S}", "--no-password"]
    return start_process(
        [postgres_programs() / "pg_receivewal", "--dbname", _without_password(url), *options],
        directory=backup.folder,
        log=backup.folder / "log",
        death_signal=signal.SIGTERM,
        environment=_environment(url),
    )


def _run(url: str, command: Sequence[str | Path]) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            timeout=LONGEST_BASE.total_seconds(),
            env=_environment(url),
            cwd="/",
        )
    except subprocess.CalledProcessError as error:
        lines = error.stderr.decode(errors="replace").strip().splitlines() or ["no word why"]
        raise EngineError(f"A backup of the database failed: {lines[-1]}") from error
    except subprocess.TimeoutExpired as error:
        raise EngineError("A backup of the database took too long and was given up.") from error


def _without_password(url: str) -> str:
    """What may stand on a command line, which everybody on the machine can read."""
    parts = {name: part for name, part in conninfo_to_dict(url).items() if name != "password"}
    return make_conninfo("", **parts)


def _environment(url: str) -> dict[str, str]:
    password = conninfo_to_dict(url).get("password")
    secret = {} if password is None else {"PGPASSWORD": str(password)}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PGAPPNAME": "sgi-backup", **secret}
