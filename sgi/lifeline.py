"""No process of ours outlives the one that started it."""

import ctypes
import multiprocessing
import os
import signal

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends in whatever way (Linux).

    In a container the parent may well be process 1, as may whoever inherits the orphans outside:
    that a parent ended before we could ask is known by its number, where Python told it to us.
    Others must also end with what they read from their parent.
    """
    started_by = multiprocessing.parent_process()
    parent = os.getppid() if started_by is None else started_by.pid
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
