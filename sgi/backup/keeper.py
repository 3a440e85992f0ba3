"""Keeps backups going: a new set from time to time, and the log of the newest one always."""

import contextlib
import logging
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from sgi.backup.programs import drop_slot, make_slot, receive_log, take_base
from sgi.backup.sets import BackupSet, new_set, outdated, sets_in, whole_in
from sgi.engines.errors import EngineError
from sgi.engines.process import stop_process

_log = logging.getLogger(__name__)
_POLL_S = 0.5
_PAUSE_S = 10.0
_LOG_WITHIN_S = 60.0
_FAILURES = 3
"""So many ends of the log's receiver in a row mean that the set cannot be continued."""
_STEADY_S = 30.0


@dataclass(slots=True)
class Receiver:
    """The set whose log is being received, and by which process."""

    backup: BackupSet
    process: subprocess.Popen[bytes]
    since: float = field(default_factory=time.monotonic)

    def stop(self) -> None:
        stop_process(self.process, [(signal.SIGTERM, 10), (signal.SIGKILL, 5)])


class BackupKeeper:
    """Backs one database up into one folder, until it is stopped.

    Args:
        url: of a role that may replicate.
        folder: on another disk, or better another machine, than the database.
        every: between the beginnings of two sets.
        keep: how far back one can go.
    """

    def __init__(self, url: str, folder: Path, every: timedelta, keep: timedelta) -> None:
        self._url = url
        self._folder = folder
        self._every = every
        self._keep = keep
        self._receiver: Receiver | None = None
        self._failures = 0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Until `stopping()`: what fails is said, and tried again."""
        not_before = 0.0
        try:
            while not stopping():
                if time.monotonic() >= not_before:
                    try:
                        self.look()
                    except (EngineError, OSError) as error:
                        _log.warning("%s", error)
                        not_before = time.monotonic() + _PAUSE_S
                time.sleep(_POLL_S)
        finally:
            self.close()

    def look(self) -> None:
        """Do what is due now; raises EngineError or OSError for what failed."""
        newest = self._newest()
        if newest is None or datetime.now(UTC) - newest.began >= self._every:
            self.begin()
        else:
            self._continue(newest)

    def once(self) -> BackupSet:
        """A new set beside a keeper that may be at work, which goes on with it when it is left.

        That keeper's set is not touched: until it has taken over, its log is the only one.
        """
        return self.begin(beside=self._newest())

    def begin(self, *, beside: BackupSet | None = None) -> BackupSet:
        """A new set: its log first, then its base; the one before is let go when that is whole.

        Args:
            beside: a set that somebody else may be receiving.
        """
        backup = new_set(self._folder, datetime.now(UTC))
        before = self._receiver
        try:
            make_slot(self._url, backup)
            receiver = Receiver(backup, receive_log(self._url, backup))
        except BaseException:
            self._abandon(backup)
            raise
        try:
            take_base(self._url, backup)
            ended = datetime.now(UTC)
            self._wait_for(receiver)  # without its log a base is worth nothing
            backup.complete(ended)
        except BaseException:
            receiver.stop()
            self._abandon(backup)
            raise
        self._receiver, self._failures = receiver, 0
        if before is not None:
            before.stop()
        self._tidy(beside)
        return backup

    def wait_for_log(self) -> None:
        """Wait until what the server has written by now is in the set, flushed to the disk.

        Raises EngineError when that does not happen within a minute.
        """
        self._wait_for(self._receiver)

    def _wait_for(self, receiver: Receiver | None) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            row = connection.execute("select pg_current_wal_flush_lsn()").fetchone()
            written = row[0] if row else None
            deadline = time.monotonic() + _LOG_WITHIN_S
            while receiver is not None and time.monotonic() < deadline:
                if receiver.process.poll() is not None:
                    break
                row = connection.execute(
                    """select coalesce(bool_or(r.flush_lsn >= %s::pg_lsn), false)
                       from pg_replication_slots s join pg_stat_replication r
                         on r.pid = s.active_pid where s.slot_name = %s""",
                    [written, receiver.backup.slot],
                ).fetchone()
                if row and row[0]:
                    return
                time.sleep(_POLL_S / 5)
        raise EngineError("The database's log does not reach the backup: see its `log` file.")

    def close(self) -> None:
        """Stop receiving; the server keeps its log for the next start."""
        if self._receiver is not None:
            self._receiver.stop()
            self._receiver = None

    def _newest(self) -> BackupSet | None:
        return next(reversed(whole_in(sets_in(self._folder))), None)

    def _continue(self, newest: BackupSet) -> None:
        receiver = self._receiver
        if receiver is not None and receiver.process.poll() is None:
            if receiver.backup != newest and self._is_left(newest):
                self._take_over(newest, receiver)
            elif time.monotonic() - receiver.since > _STEADY_S:
                self._failures = 0
            return
        if receiver is not None:
            self._failures += 1
            self._receiver = None
            _log.warning("the database's log is not received (try %d)", self._failures)
        if self._failures >= _FAILURES:  # such as a slot that the server gave up
            self.begin()
        else:
            self._receiver = Receiver(newest, receive_log(self._url, newest))

    def _take_over(self, newest: BackupSet, before: Receiver) -> None:
        """Go on with a set that another process has made; ours ends when that one has all."""
        receiver = Receiver(newest, receive_log(self._url, newest))
        try:
            self._wait_for(receiver)
        except BaseException:
            receiver.stop()
            raise
        self._receiver, self._failures = receiver, 0
        before.stop()
        self._tidy()

    def _is_left(self, backup: BackupSet) -> bool:
        """Whether the server still keeps its log for the set, and nobody receives it."""
        try:
            with psycopg.connect(self._url, autocommit=True) as connection:
                row = connection.execute(
                    """select not active and wal_status in ('reserved', 'extended')
                       from pg_replication_slots where slot_name = %s""",
                    [backup.slot],
                ).fetchone()
        except psycopg.Error as error:
            raise EngineError("The database does not say whose log it keeps.") from error
        return row is not None and bool(row[0])

    def _abandon(self, backup: BackupSet) -> None:
        with contextlib.suppress(EngineError):
            drop_slot(self._url, backup)
        with contextlib.suppress(OSError):
            backup.remove()

    def _tidy(self, beside: BackupSet | None = None) -> None:
        """Let the server forget all sets before the one received, but the one `beside` it; delete
        those that nobody needs.
        """
        kept = self._receiver.backup if self._receiver else None
        sets = sets_in(self._folder)
        for backup in sets:
            if kept is not None and backup.began < kept.began and backup != beside:
                with contextlib.suppress(EngineError):  # mostly dropped long ago
                    drop_slot(self._url, backup)
        for backup in outdated(sets, datetime.now(UTC), self._keep):
            if backup != beside:
                backup.remove()
