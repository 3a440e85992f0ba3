"""`sgi backup` and `sgi recover`: the catalogue's way out of a disaster, and its way back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from sgi.app import database_url
from sgi.backup.keeper import BackupKeeper
from sgi.backup.recover import recover
from sgi.backup.sets import set_for, sets_in
from sgi.errors import ConfigurationError
from sgi.settings import Settings


def keeper(settings: Settings) -> BackupKeeper:
    """Backs up the database of the settings; raises ConfigurationError without a folder."""
    chosen = settings.backup
    return BackupKeeper(
        database_url(settings),
        backup_folder(settings),
        timedelta(hours=chosen.every_hours),
        timedelta(days=chosen.keep_days),
    )


def back_up_once(settings: Settings) -> None:
    """A base backup now, with the log written meanwhile."""
    at_work = keeper(settings)
    try:
        made = at_work.once()
        at_work.wait_for_log()
    finally:
        at_work.close()
    Console().print(f"backed up to {made.folder}", soft_wrap=True)


def list_sets(settings: Settings) -> None:
    """What can be recovered, oldest first, and which set reaches furthest."""
    table = Table("set", "from", "to", "")
    sets = sets_in(backup_folder(settings))
    furthest = set_for(sets, None)
    for found in sets:
        mark = "the newest state" if found == furthest else ""
        table.add_row(found.folder.name, _moment(found.ended), _moment(found.last_written), mark)
    Console().print(table)


def recover_database(settings: Settings, until: datetime | None) -> None:
    """Recover the embedded database; raises ConfigurationError where the hospital runs it."""
    if settings.database.url is not None:
        raise ConfigurationError(
            "The database is not the embedded one: recover it where it runs, from the same "
            "folder, as docs/administrators.md says."
        )
    moment = until.astimezone(UTC) if until else None
    used = recover(backup_folder(settings), settings.data.absolute() / "postgres", moment)
    reached = "all that was backed up" if moment is None else _moment(moment)
    Console().print(
        f"recovered to {reached}, from {used.folder.name}; start `sgi up`, then run "
        "`sgi rebuild --missing` for what was published and decided since: until then nothing is "
        "destroyed",
        soft_wrap=True,
    )


def backup_folder(settings: Settings) -> Path:
    """Where backups go; raises ConfigurationError when no folder is set."""
    if settings.backup.folder is None:
        raise ConfigurationError(
            "No folder for backups is set: SGI_BACKUP__FOLDER, on another disk than the database."
        )
    return settings.backup.folder.absolute()


def _moment(at: datetime | None) -> str:
    return "not whole" if at is None else at.astimezone().isoformat(timespec="seconds")
