"""Processes of an engine: started so that none outlives us, found again when one did. Linux only.

A process belongs to an engine when its working directory is the engine's and its name is the
program's; that holds for children of a killed server too, and for no other server of the machine.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from sgi.engines.account import Account

_LAUNCH = Path(__file__).with_name("launch.py")
_LOG_LIMIT_BYTES = 10 * 1024 * 1024
_POLL_S = 0.02
_KILLED_WITHIN_S = 10
"""A process that writes to a slow disk cannot go before the write is through."""

# The kernel sends the death signal when the starting *thread* ends, not the process: so one thread
# that lives as long as the process starts every engine, whichever thread asks.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine-starter")


def start_process(
    command: Sequence[str | Path],
    *,
    directory: Path,
    log: Path,
    death_signal: signal.Signals,
    environment: Mapping[str, str],
    account: Account | None = None,
) -> subprocess.Popen[bytes]:
    """Start an engine in a session of its own, so that Ctrl-C in the terminal is ours to handle.

    Args:
        command: the program, by its absolute path, and its arguments.
        directory: its working directory, by which it is found again.
        log: takes what it prints; emptied first when larger than 10 MB.
        death_signal: what the kernel sends it when this process ends in whatever way.
        environment: all it sees of ours.
        account: whom to run it as; None for ourselves.
    """
    launched = launch_command(command, death_signal=death_signal, account=account)
    return _STARTER.submit(_start, launched, directory, log, environment).result()


def launch_command(
    command: Sequence[str | Path], *, death_signal: signal.Signals, account: Account | None
) -> list[str | Path]:
    """A command for a child of this process, that becomes the account and then the given one."""
    rights = (-1, -1, -1)
    if account:
        kept = -1 if account.capability is None else account.capability
        rights = (account.user_id, account.group_id, kept)
    return [
        # Isolated and without site-packages: starts in a few milliseconds, whatever the
        # directory or the environment holds.
        *(sys.executable, "-I", "-S", _LAUNCH),
        *(str(int(death_signal)), str(os.getpid()), *map(str, rights)),
        *command,
    ]


def _start(
    command: Sequence[str | Path], directory: Path, log: Path, environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    too_large = log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES
    with log.open("wb" if too_large else "ab") as output:
        log.chmod(0o600)
        return subprocess.Popen(
            command,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def processes_in(directory: Path, name: str) -> set[int]:
    """Ids of the processes that belong to an engine; those that have ended are left out."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            # Gone meanwhile, or another user's, which is then not ours to care for.
            with suppress(OSError):
                if (entry / "comm").read_text().strip() == name and (entry / "cwd").samefile(
                    directory
                ):
                    found.add(int(entry.name))
    return found


def end_processes(directory: Path, name: str, *, grace_s: float, first: Sequence[int] = ()) -> bool:
    """End whatever belongs to an engine; True when nothing is left.

    Args:
        directory: the engine's working directory.
        name: of its program.
        first: processes that are asked to stop (SIGINT) before everything is killed.
        grace_s: how long they have.
    """
    if first:
        send(first, signal.SIGINT)
        if wait_until(lambda: not processes_in(directory, name), grace_s):
            return True

    def none_left() -> bool:
        left = processes_in(directory, name)
        send(left, signal.SIGKILL)
        return not left

    return wait_until(none_left, _KILLED_WITHIN_S)


def send(processes: Sequence[int] | set[int], what: signal.Signals) -> None:
    """Signal each process that is still there."""
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, what)


def wait_until(true: Callable[[], bool], timeout_s: float) -> bool:
    """Whether a condition came true within the time."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def stop_process(
    process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]
) -> None:
    """Send each signal and wait its seconds, until the process has ended."""
    for what, patience_s in steps:
        if process.poll() is None:
            process.send_signal(what)
            with suppress(subprocess.TimeoutExpired):
                process.wait(patience_s)
