"""One owner for an engine's directory at a time."""

import fcntl
import os
from pathlib import Path

from sgi.engines.errors import EngineError


class DirectoryLock:
    """Held from `acquire` to `release`, or to the end of the process in whatever way.

    A POSIX record lock: it belongs to this process alone, so that no child that outlives a
    killed `sgi up` keeps the next one out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Raises `EngineError` when another process holds it; no harm when we hold it already."""
        if self._descriptor is not None:
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise EngineError(
                f"Another `sgi up` is using {self._path.parent}: stop it, or choose another "
                "data directory."
            ) from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Let the next one in; no harm when not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
