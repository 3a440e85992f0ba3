"""The account PostgreSQL runs as when we are root, which it refuses to be."""

import os
import pwd
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from sgi.engines.errors import EngineError

ACCOUNT_NAME = "sgi-postgres"

# Numbers of the kernel's, in <linux/capability.h>.
CAP_DAC_OVERRIDE = 1
"""Past all permissions of files and folders; default containers have it."""
CAP_DAC_READ_SEARCH = 2
"""Past those of reading only; default containers lack it."""
CAP_SETPCAP = 8
"""To change what is kept of root's rights."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that can do nothing but own its files."""

    user_id: int
    group_id: int
    capability: int | None = None
    """One that its programs keep of root's, to come through folders closed to the account."""


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


def able_to_reach(account: Account, *paths: Path) -> Account:
    """The account, with a capability to keep when a folder above a path is closed to it.

    As in /root, where the project may well have been cloned.

    Raises:
        EngineError: a folder is closed, and we have no capability that we could leave it.
    """
    closed = next((f for path in paths for f in _folders_above(path) if _closed(account, f)), None)
    if closed is None:
        return account
    held = held_capabilities()
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):  # the lesser first
        if {capability, CAP_SETPCAP} <= held:
            return replace(account, capability=capability)
    raise EngineError(
        f"PostgreSQL refuses to run as root and its account {ACCOUNT_NAME} cannot enter "
        f"{closed}: choose a data directory outside it, or run as an ordinary user."
    )


def held_capabilities() -> set[int]:
    """Those we have and may hand on; root in a container lacks some."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    held = int(fields["CapEff"], 16) & int(fields["CapBnd"], 16)
    return {number for number in range(held.bit_length()) if held >> number & 1}


def _folders_above(path: Path) -> Iterator[Path]:
    yield from path.parents
    yield from path.resolve().parents  # behind symbolic links


def _closed(account: Account, folder: Path) -> bool:
    status = folder.stat()
    return not status.st_mode & stat.S_IXOTH and status.st_uid != account.user_id
