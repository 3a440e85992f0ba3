"""The most memory that a process below us has held, asked again and again while it lives. Linux."""

import os
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


class PeakMemory:
    """Watches the descendants of this process whose command line has a given word."""

    def __init__(self, word: str) -> None:
        self._word = word.encode()
        self._own: int | None = None
        self.bytes = 0

    def look(self) -> None:
        """Read the kernel's high-water mark (VmHWM), which never falls while the process lives."""
        if self._own is None or not self._read(self._own):
            self._own = self._find(os.getpid())

    def _read(self, process: int) -> bool:
        with suppress(OSError):
            for line in (_PROC / str(process) / "status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.bytes = max(self.bytes, int(line.split()[1]) << 10)
                    return True
        return False

    def _find(self, parent: int) -> int | None:
        for process in _children(parent):
            with suppress(OSError):
                if self._word in (_PROC / str(process) / "cmdline").read_bytes().split(b"\0"):
                    return process
            found = self._find(process)
            if found is not None:
                return found
        return None


def _children(parent: int) -> list[int]:
    found: list[int] = []
    for children in (_PROC / str(parent)).glob("task/*/children"):
        with suppress(OSError):
            found += map(int, children.read_text().split())
    return found
