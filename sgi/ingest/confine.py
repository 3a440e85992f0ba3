"""What a process that reads untrusted files gives up: memory, time, core dumps, the network."""

import contextlib
import ctypes
import os
import resource

from sgi.lifeline import end_with_parent

_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWNET = 0x4000_0000
_PR_SET_NO_NEW_PRIVS = 38


def confine(memory_bytes: int, cpu_s: int) -> None:
    """Limit this process for the rest of its life.

    Memory is limited as data and private mappings (RLIMIT_DATA), so that libraries and mapped
    files do not count. The network goes away where the kernel lets us take it away; the process
    dies with its parent.
    """
    end_with_parent()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET)
    for limit, value in (
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 512),
    ):
        with contextlib.suppress(ValueError, OSError):  # lower limits are in force already
            resource.setrlimit(limit, (value, value))
    with contextlib.suppress(ValueError, OSError):
        # The soft limit's signal says why; at the hard one there would be none to tell.
        resource.setrlimit(resource.RLIMIT_CPU, (max(cpu_s, 1), max(cpu_s, 1) + 1))
