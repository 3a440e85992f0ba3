"""What lies in the backup folder: one folder a set, each enough by itself to recover from.

<folder>/20261122T085546Z/base/            every file of the database, as of about then
<folder>/20261122T085546Z/wal/             all that was written since, segment by segment
<folder>/20261122T085546Z/complete.json    that the base was taken whole, and checked
"""

import json
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_NAME = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_NAME_FORMAT = "%Y%m%dT%H%M%SZ"
_SEGMENT = re.compile(r"[0-9A-F]{24}(\.partial)?|[0-9A-F]{8}\.history")
_SEGMENT_DIGITS = 24
LONGEST_BASE = timedelta(hours=6)
"""A base that is not whole by then is given up."""


@dataclass(frozen=True, slots=True)
class BackupSet:
    """One base backup and the log that follows it."""

    folder: Path

    @property
    def began(self) -> datetime:
        """When its base was begun, in UTC."""
        return datetime.strptime(self.folder.name, _NAME_FORMAT).replace(tzinfo=UTC)

    @property
    def slot(self) -> str:
        """The replication slot that keeps the server from throwing away what is not here yet."""
        return f"sgi_backup_{self.folder.name.lower()}"

    @property
    def base(self) -> Path:
        """A PostgreSQL data directory, with its manifest."""
        return self.folder / "base"

    @property
    def wal(self) -> Path:
        """Segments of the write-ahead log; the one being written ends with `.partial`."""
        return self.folder / "wal"

    @property
    def ended(self) -> datetime | None:
        """When its base was whole: the first moment to which one can go back; None until then."""
        try:
            said = json.loads((self.folder / "complete.json").read_text())
            return datetime.fromisoformat(said["ended"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def complete(self, ended: datetime) -> None:
        """Put on record that the base is whole."""
        unfinished = self.folder / "complete.json.unfinished"
        with unfinished.open("w") as file:
            json.dump({"ended": ended.isoformat()}, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self.folder / "complete.json")

    def segments(self) -> list[Path]:
        """The files of the log, oldest first."""
        if not self.wal.is_dir():
            return []
        return sorted(file for file in self.wal.iterdir() if _SEGMENT.fullmatch(file.name))

    @property
    def last_written(self) -> datetime | None:
        """When the log last grew; None without a log."""
        times = [file.stat().st_mtime for file in self.segments()]
        return datetime.fromtimestamp(max(times), UTC) if times else None

    @property
    def log_end(self) -> tuple[str, int]:
        """How far the log reaches: its last segment, and the bytes written in that.

        The one being written is filled up with zeros, so only its content tells.
        """
        segments = [file for file in self.segments() if file.suffix != ".history"]
        if not segments:
            return ("", 0)
        last = segments[-1]
        written = last.read_bytes().rstrip(b"\0") if last.suffix else b""
        return (last.name[:_SEGMENT_DIGITS], len(written) if last.suffix else last.stat().st_size)

    def goes_beyond(self, newer: "BackupSet") -> bool:
        """Whether it was continued after a newer set was whole, and holds more than that one."""
        last, whole = self.last_written, newer.ended
        return (
            last is not None and whole is not None and last > whole and self.log_end > newer.log_end
        )

    def remove(self) -> None:
        """Delete it, its mark of being whole first."""
        (self.folder / "complete.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder)


def new_set(folder: Path, now: datetime) -> BackupSet:
    """An empty set; raises OSError where it cannot be made, or one of this second is there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = BackupSet(folder / now.astimezone(UTC).strftime(_NAME_FORMAT))
    made.folder.mkdir(mode=0o700)
    made.wal.mkdir(mode=0o700)
    return made


def sets_in(folder: Path) -> list[BackupSet]:
    """Every set of a folder, oldest first, those that never became whole among them."""
    if not folder.is_dir():
        return []
    names = sorted(entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name))
    return [BackupSet(folder / name) for name in names]


def whole_in(sets: Sequence[BackupSet]) -> list[BackupSet]:
    """Those that can be recovered from."""
    return [found for found in sets if found.ended is not None]


def set_for(sets: Sequence[BackupSet], moment: datetime | None) -> BackupSet | None:
    """The set to recover from: the newest that was whole by a moment, None for the last there is.

    Unless the log of an older one goes beyond it: another keeper has made the newer one, and the
    first went on with its own.
    """
    whole = [(ended, found) for found in sets if (ended := found.ended) is not None]
    best: BackupSet | None = None
    for ended, found in reversed(whole):
        if moment is not None and ended > moment:
            continue
        if best is None or found.goes_beyond(best):
            best = found
    return best


def outdated(sets: Sequence[BackupSet], now: datetime, keep: timedelta) -> list[BackupSet]:
    """Sets that no moment of the time to keep needs, and remains of those that never became whole.

    A set serves until the next one is whole, so the newest whole set that is older than that time
    stays. What is not whole may be at work, here or in another process, until no base takes so
    long.
    """
    whole = whole_in(sets)
    if not whole:
        return []
    needed_first = set_for(whole, now - keep) or whole[0]
    return [
        found
        for found in sets
        if (
            found.began < needed_first.began
            if found in whole
            else found.began < min(whole[-1].began, now - 2 * LONGEST_BASE)
        )
    ]
