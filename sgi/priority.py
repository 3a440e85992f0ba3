"""Work that may wait lets the processors to work that somebody waits for."""

import os
from contextlib import suppress
from pathlib import Path

_LAST = 19


def give_way(steps: int) -> None:
    """Lower this process's priority, for good, by so many steps of `nice`.

    Where the kernel schedules sessions as groups, steps count within a session alone: the leader of
    one lowers the whole group.
    """
    with suppress(OSError):
        lowered = os.nice(steps)
        if os.getsid(0) == os.getpid():
            _group_of(os.getpid()).write_text(f"{lowered}")


def go_last(pid: int) -> None:
    """Let a process, which leads a session, work only when nobody else wants its processor."""
    with suppress(OSError):
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    with suppress(OSError):
        _group_of(pid).write_text(f"{_LAST}")


def _group_of(pid: int) -> Path:
    return Path(f"/proc/{pid}/autogroup")
