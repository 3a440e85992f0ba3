"""Becomes an engine: drops root's rights, asks to end with its parent, then turns into the program.

Run as a script of its own, between `sgi up` and the engine, because none of this is safe to do in
a fork of a process that has threads. Imports nothing of ours and needs the standard library only.

Arguments: death signal, parent's process id, user id and group id (-1 for no change), command.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Does not return."""
    death_signal, parent, user, group = (int(argument) for argument in arguments[:4])
    command = arguments[4:]
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    os.umask(0o077)
    # After setuid, which forgets it; kept across exec.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent ended before the engine began")
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
