"""The files of a folder into which messages are dropped, and what stands in one that is whole."""

import errno
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sgi.errors import UnreadableFileError

CHANGED = "it changed while it was read"
_LITTER = (".part", ".tmp", ".ack", ".filepart", ".writing")
_LONGEST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Found:
    """A file as it was seen."""

    path: Path
    size: int
    """In bytes; -1 where the system does not say."""
    mtime_ns: int

    @property
    def age(self) -> tuple[int, str]:
        """The oldest comes first."""
        return self.mtime_ns, self.path.name


def find(folder: Path) -> Iterator[Found]:
    """Files that are not empty, and whose names say nothing against it. Raises OSError."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(_LITTER):
                continue
            if not entry.is_file(follow_symlinks=False):
                continue
            path = Path(entry.path)
            try:
                about = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            except OSError:  # to be met again when it is read
                yield Found(path, -1, 0)
                continue
            if about.st_size:
                yield Found(path, about.st_size, about.st_mtime_ns)


def shown(path: Path) -> str:
    """A name as it can be shown and kept: any system may have written it."""
    return "".join(sign if sign.isprintable() else "?" for sign in path.name[:_LONGEST_SHOWN])


def unreadable(found: Found, reason: str) -> UnreadableFileError:
    """What is told of a file that stays for now."""
    return UnreadableFileError(
        f"The file {shown(found.path)} cannot be read ({reason}): see to its rights, and to the "
        "disk or share; it is tried again by itself."
    )


def read_found(found: Found, most_bytes: int) -> bytes:
    """At most a byte more than allowed; never through a link, nor from a pipe.

    Raises OSError, also where the file is not what was found: it is not whole then.
    """
    descriptor = os.open(found.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileNotFoundError(found.path)
        raw = file.read(most_bytes + 1)
        after = os.fstat(descriptor)
    if (
        (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)
        or after.st_size != found.size
        or len(raw) != min(found.size, most_bytes + 1)
    ):
        raise OSError(errno.EAGAIN, CHANGED)
    return raw
