"""Work that may wait lets the processors to work that somebody waits for."""

import os
from contextlib import suppress
from pathlib import Path

_GROUP = Path("/proc/self/autogroup")


def give_way(steps: int) -> None:
    """Lower this process's priority, for good, by so many steps of `nice`.

    Where the kernel schedules sessions as groups, steps count within a session alone: the leader of
    one lowers the whole group.
    """
    with suppress(OSError):
        lowered = os.nice(steps)
        if os.getsid(0) == os.getpid():
            _GROUP.write_text(f"{lowered}")
