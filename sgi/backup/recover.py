"""The embedded database brought back from a backup, as it was at a moment."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from sgi import recovery
from sgi.backup.sets import BackupSet, set_for, sets_in
from sgi.engines.account import engine_account, give_to
from sgi.engines.errors import EngineError
from sgi.engines.lock import DirectoryLock
from sgi.engines.postgres import EmbeddedPostgres

_LOG = "recovery-log"
_LONGEST_S = 6 * 3600
# The working directory of what PostgreSQL runs is its data: no path of ours need be quoted.
_SETTINGS = f"""
restore_command = 'cp ../{_LOG}/%f %p || cp ../{_LOG}/%f.partial %p'
hot_standby = off
recovery_target_action = promote
"""


def recover(folder: Path, data: Path, until: datetime | None = None) -> BackupSet:
    """Put the newest state of a backup in the place of the database, or that of a moment.

    It is marked: nothing is destroyed before `sgi rebuild --missing` has told it what was decided
    since, such as a legal hold.

    Args:
        folder: of the backups.
        data: the embedded PostgreSQL's directory; what is there is kept beside, renamed.
        until: with time zone; the last transaction committed before it is the last one there.

    Raises:
        EngineError: no set reaches the moment, the database runs, or it does not come back; what
            was there before is there again then.
    """
    backup = _chosen(folder, until)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = DirectoryLock(data / "lock")
    lock.acquire()
    try:
        before = _put_in_place(backup, data, until)
    finally:
        lock.release()
    engine = EmbeddedPostgres(data, start_timeout_s=_LONGEST_S)
    try:
        with psycopg.connect(engine.start(), autocommit=True) as connection:
            connection.execute("alter system reset all")
            recovery.mark(connection)
    except EngineError as error:
        engine.stop()
        _put_back(data, before)
        raise EngineError(
            f"The backup {backup.folder.name} does not recover: {error} The database is as it was."
        ) from error
    engine.stop()
    shutil.rmtree(data / _LOG)
    return backup


def _chosen(folder: Path, until: datetime | None) -> BackupSet:
    sets = sets_in(folder)
    backup = set_for(sets, until)
    if backup is None:
        earliest = next((ended for found in sets if (ended := found.ended)), None)
        raise EngineError(
            f"There is no whole backup in {folder}: check SGI_BACKUP__FOLDER."
            if earliest is None
            else f"The backups begin at {earliest.isoformat(timespec='seconds')}: "
            "choose a later moment."
        )
    last = backup.last_written
    if until is None or (last is not None and until <= last):
        return backup
    reached = "" if last is None else f" at {last.isoformat(timespec='seconds')}"
    following = next((found.ended for found in sets if (found.ended or until) > until), None)
    if following is not None:
        raise EngineError(
            f"The backup before that moment ends{reached}, and the next one begins at "
            f"{following.isoformat(timespec='seconds')}: choose a moment outside of that gap."
        )
    raise EngineError(f"The newest backup ends{reached}: leave --until away to recover all of it.")


def _put_in_place(backup: BackupSet, data: Path, until: datetime | None) -> Path | None:
    """The copy, ready for its first start; returns what was there before."""
    cluster, unfinished, log = data / "cluster", data / "cluster.unfinished", data / _LOG
    for left in (unfinished, log):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(backup.base, unfinished, symlinks=True)
    log.mkdir(mode=0o700)
    for segment in backup.segments():
        shutil.copy2(segment, log)
    with (unfinished / "postgresql.auto.conf").open("a") as settings:
        settings.write(_SETTINGS)
        if until is not None:
            moment = until.astimezone(UTC).isoformat(sep=" ")
            settings.write(f"recovery_target_time = '{moment}'\n")
    (unfinished / "recovery.signal").touch()
    unfinished.chmod(0o700)
    account = engine_account()
    if account is not None:
        for folder in (unfinished, log):
            give_to(account, folder)
    before = None
    if cluster.exists():
        before = data / f"cluster.before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        cluster.rename(before)
    unfinished.rename(cluster)
    return before


def _put_back(data: Path, before: Path | None) -> None:
    shutil.rmtree(data / "cluster")
    shutil.rmtree(data / _LOG, ignore_errors=True)
    if before is not None:
        before.rename(data / "cluster")
