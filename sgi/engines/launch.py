"""Becomes an engine: drops root's rights, asks to end with its parent, then turns into the program.

Run as a script of its own, between `sgi up` and the engine, because none of this is safe to do in
a fork of a process that has threads. Imports nothing of ours and needs the standard library only.

Arguments: death signal, parent's process id, user id, group id and the number of one capability to
keep (-1 for no change, and for none), command.
"""

import ctypes
import os
import sys

# Numbers of the kernel's, in <linux/prctl.h>, <linux/securebits.h> and <linux/capability.h>.
_PR_SET_PDEATHSIG = 1
_PR_GET_SECUREBITS = 27
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def main(arguments: list[str]) -> None:
    """Does not return."""
    death_signal, parent, user, group, capability = (int(argument) for argument in arguments[:5])
    command = arguments[5:]
    try:
        if capability >= 0:
            _keep_capabilities()
        if user >= 0:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        if capability >= 0:
            _reduce_to(capability)
    except OSError as error:
        sys.exit(f"error: root's rights cannot be parted with in order: {error.strerror}")
    os.umask(0o077)
    # After setuid, which forgets it; kept across exec.
    _prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit("the parent ended before the engine began")
    os.execv(command[0], command)  # noqa: S606


def _keep_capabilities() -> None:
    """Let setuid leave the capabilities alone.

    Not by PR_SET_KEEPCAPS: access(2), by which PostgreSQL looks for its own programs, would still
    ask without capabilities. This bit holds for it too, and in the program's children.
    """
    _prctl(_PR_SET_SECUREBITS, _prctl(_PR_GET_SECUREBITS) | _SECBIT_NO_SETUID_FIXUP)


def _reduce_to(capability: int) -> None:
    """Give up every capability but one, and let that one survive exec."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    one = 1 << capability  # below 32: in the first of the two words of each set
    sets = (ctypes.c_uint32 * 6)(one, one, one, 0, 0, 0)  # effective, permitted, inheritable
    _checked(_libc.capset(header, sets))
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *values: int) -> int:
    # Variadic in C, and long in the kernel, which insists on zeros in what is not used.
    numbers = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    return _checked(_libc.prctl(option, *numbers))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
