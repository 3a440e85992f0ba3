"""What a process that reads untrusted files gives up: memory, time, core dumps, network, files."""

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from sgi.landlock import see_only

_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWNET = 0x4000_0000
_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_ARCHITECTURES = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""By machine: its audit number, and that of the system call `socket`."""


def confine(
    memory_bytes: int,
    cpu_s: int | None,
    readable: Iterable[Path] = (),
    writable: Iterable[Path] = (),
) -> None:
    """Limit this process for the rest of its life; without `cpu_s` not in its time.

    Memory is limited as data and private mappings (RLIMIT_DATA), so that libraries and mapped
    files do not count. Sockets of any kind, and every file but those below `readable`, `writable`
    and the interpreter's own, go away where the kernel lets us take them away (seccomp, Landlock,
    a network namespace); where it does not, the other limits still hold.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    libc.unshare(_CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWUSER | _CLONE_NEWNET)
    see_only([*_own_files(), *readable], writable)
    _refuse_sockets(libc)
    for limit, value in (
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 512),
    ):
        with contextlib.suppress(ValueError, OSError):  # lower limits are in force already
            resource.setrlimit(limit, (value, value))
    if cpu_s is None:
        return
    with contextlib.suppress(ValueError, OSError):
        # The soft limit's signal says why; at the hard one there would be none to tell.
        resource.setrlimit(resource.RLIMIT_CPU, (max(cpu_s, 1), max(cpu_s, 1) + 1))


def _own_files() -> list[Path]:
    """What Python and its libraries read. Our packages one by one: data may lie beside them."""
    found = (find_spec(name) for name in ("sgi", "tiling", "dicom", "storage"))
    packages = [
        Path(place) for spec in found if spec for place in spec.submodule_search_locations or ()
    ]
    system = ["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime"]
    devices = ["/dev/null", "/dev/urandom"]
    facts = ["/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"]
    return [
        Path(sys.prefix),
        Path(sys.base_prefix).resolve(),
        Path(sys.executable).resolve().parents[1],
        *packages,
        *map(Path, (*system, *devices, *facts)),
    ]


def _refuse_sockets(libc: ctypes.CDLL) -> None:
    """A seccomp filter (classic BPF): `socket` fails with EPERM, everything else goes on.

    Landlock does not stop a connection to a Unix socket, such as the embedded database's.
    """
    if platform.machine() not in _ARCHITECTURES:
        return
    architecture, socket = _ARCHITECTURES[platform.machine()]
    load, jump_equal, give = 0x20, 0x15, 0x06
    allow, refuse = 0x7FFF0000, 0x00050000 | 1  # SECCOMP_RET_ALLOW; SECCOMP_RET_ERRNO | EPERM
    steps = (
        (load, 0, 0, 4),  # seccomp_data.arch
        (jump_equal, 0, 3, architecture),
        (load, 0, 0, 0),  # seccomp_data.nr
        (jump_equal, 0, 1, socket),
        (give, 0, 0, refuse),
        (give, 0, 0, allow),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = struct.pack("HxxxxxxP", len(steps), ctypes.addressof(code))
    libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.create_string_buffer(program), 0, 0)
