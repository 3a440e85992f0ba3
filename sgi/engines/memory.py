"""How much memory this machine, or the container around this process, has."""

import os
from pathlib import Path

_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
_MIB = 1 << 20


def memory_mb() -> int:
    """In MiB: the machine's, or the container's limit where that is less."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(machine, *(_limit(path, machine) for path in _LIMITS)) // _MIB


def _limit(path: Path, otherwise: int) -> int:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # not there, or "max"
        return otherwise
