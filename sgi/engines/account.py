"""The account PostgreSQL runs as when we are root, which it refuses to be."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sgi.engines.errors import EngineError

ACCOUNT_NAME = "sgi-postgres"


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that can do nothing but own its files."""

    user_id: int
    group_id: int


def engine_account() -> Account | None:
    """None when we are not root and PostgreSQL can simply be us; made when it is not there yet.

    Raises:
        EngineError: the account cannot be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _make_account()
    return Account(entry.pw_uid, entry.pw_gid)


def _make_account() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", "--user-group", ACCOUNT_NAME]
    try:
        subprocess.run(command, check=False, capture_output=True, timeout=30)
        return pwd.getpwnam(ACCOUNT_NAME)  # also when another process made it meanwhile
    except (OSError, KeyError, subprocess.TimeoutExpired) as error:
        raise EngineError(
            f"PostgreSQL refuses to run as root and the account {ACCOUNT_NAME} cannot be made: "
            "start `sgi up` as an ordinary user."
        ) from error


def give_to(account: Account, directory: Path) -> None:
    """Make the account the owner of a directory and all in it.

    Needed at first, and again where a new container has given the account another number.
    """
    if directory.stat().st_uid == account.user_id:
        return
    # The directory last: if this is cut short, the next start does it again.
    for folder, _, names in os.walk(directory, topdown=False):
        for name in names:
            os.chown(Path(folder, name), account.user_id, account.group_id, follow_symlinks=False)
        os.chown(folder, account.user_id, account.group_id)


def require_reachable(account: Account, path: Path) -> None:
    """Raises `EngineError` when the account cannot come to a path for a folder closed to others."""
    for folder in path.parents:
        status = folder.stat()
        open_to_others = status.st_mode & stat.S_IXOTH
        if not open_to_others and status.st_uid != account.user_id:
            raise EngineError(
                f"PostgreSQL refuses to run as root and its account {ACCOUNT_NAME} cannot enter "
                f"{folder}: choose a data directory outside it, or run as an ordinary user."
            )
