"""Linux Landlock: this process sees a few folders, and nothing else of the file system.

By the kernel's own numbers (linux/landlock.h); the standard library has no call for it, and the
packages that do are wrappers of these three system calls.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_VERSION_FLAG = 1
_PATH_BENEATH = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_TRUNCATE = 1 << 14
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
_READING = _EXECUTE | _READ_FILE | _READ_DIR
_HANDLED_SINCE = ((1, (1 << 13) - 1), (2, 1 << 13), (3, _TRUNCATE))
"""Version of the interface, and the rights that it brought."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def see_only(readable: Iterable[Path], writable: Iterable[Path]) -> bool:
    """From now on read below `readable`, read and write below `writable`, and nowhere else.

    Needs "no new privileges" to be set. False where the kernel has no Landlock; paths that do not
    exist are passed over. Files that are open already stay open.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    if version < 1:
        return False
    handled = sum(rights for since, rights in _HANDLED_SINCE if version >= since)
    ruleset = _Ruleset(handled)
    descriptor = libc.syscall(_CREATE_RULESET, ctypes.byref(ruleset), ctypes.sizeof(ruleset), 0)
    if descriptor < 0:
        return False
    try:
        for paths, rights in ((readable, _READING), (writable, handled & ~_EXECUTE)):
            for path in paths:
                _allow(libc, descriptor, path, rights & handled)
        return bool(libc.syscall(_RESTRICT_SELF, descriptor, 0) == 0)
    finally:
        os.close(descriptor)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(place).st_mode):
            rights &= _OF_FILES
        rule = _PathBeneath(rights, place)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)
