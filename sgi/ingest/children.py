"""Converting processes, one of them ready before its slide is there."""

import os
import subprocess
import sys
import threading
from contextlib import suppress


def start_child() -> subprocess.Popen[bytes]:
    """A process that loads its libraries and waits for its job, without any secret of ours."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TZ"}
    }
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "sgi.ingest.convert_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | {"OMP_NUM_THREADS": "1"},
        cwd="/",
        start_new_session=True,
    )


def end_child(child: subprocess.Popen[bytes]) -> None:
    """Kill it, whatever it does, and leave nothing of it."""
    child.kill()
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


class Children:
    """Gives each conversion a process of its own, and keeps the next one ready.

    A process takes half a second to load its libraries, which a slide need not wait for. May be
    shared between threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: subprocess.Popen[bytes] | None = None
        self._closed = False

    def prepare(self) -> None:
        """Have a process ready; a thread that ends takes those that it started with it."""
        with self._lock:
            if self._ready is None and not self._closed:
                self._ready = start_child()

    def take(self) -> subprocess.Popen[bytes]:
        """The one that is ready, or else a new one; whoever takes it ends it."""
        with self._lock:
            ready, self._ready = self._ready, None
        if ready is not None and ready.poll() is None:
            return ready
        if ready is not None:  # such as one that was killed while it waited
            end_child(ready)
        return start_child()

    def close(self) -> None:
        """End the one that waits; none is prepared any more."""
        with self._lock:
            ready, self._ready = self._ready, None
            self._closed = True
        if ready is not None:
            end_child(ready)
