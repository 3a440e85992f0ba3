"""JPEG frames made smaller and given back, in a process apart: they came from anybody's files."""

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

from dicom.errors import DamagedInstanceError
from sgi.errors import StoppedError
from sgi.keeping.frames_pipe import Work, encode_batch, read_batch

_LONGEST_S = 1800.0
"""For one batch: some 2 MB, which take a second of processor time, and that is what the process
itself is limited in. On a machine that has better to do, it gets it late.
"""


class Recompression:
    """One process, started when it is first needed and again when a frame ended it.

    Give it up by leaving the context. For one thread at a time; `cancelled` may be set from any.
    """

    def __init__(
        self,
        memory_bytes: int,
        threads: int,
        cancelled: threading.Event,
        *,
        background: bool = True,
        longest_s: float = _LONGEST_S,
    ) -> None:
        self._told = [
            str(memory_bytes),
            str(threads),
            "background" if background else "awaited",
        ]
        self._cancelled = cancelled
        self._longest_s = longest_s
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def recompress(self, frames: Sequence[bytes]) -> list[bytes | None]:
        """Each frame smaller, or None where it stays as it is; raises StoppedError."""
        made = self._do(Work.RECOMPRESS, frames)
        if made is None:  # one of them: which is found by having each alone
            alone = [self._do(Work.RECOMPRESS, [frame]) for frame in frames]
            made = [b"" if answer is None else answer[0] for answer in alone]
        return [
            packed if 0 < len(packed) < len(frame) else None
            for packed, frame in zip(made, frames, strict=True)
        ]

    def give_back(self, packed: Sequence[bytes], lengths: Sequence[int]) -> list[bytes]:
        """Each frame as it was, of the length it had.

        Raises DamagedInstanceError when one cannot be given back, and StoppedError.
        """
        frames = self._do(Work.GIVE_BACK, packed)
        if frames is None or [len(frame) for frame in frames] != list(lengths):
            raise DamagedInstanceError("A recompressed tile is damaged; repair it from a copy.")
        return frames

    def _do(self, work: Work, members: Sequence[bytes]) -> list[bytes] | None:
        """The answer to one batch; None when the process died of it, or took too long."""
        if self._cancelled.is_set():
            raise StoppedError("The worker is stopping; the slide is taken up again later.")
        child = self._started()
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("the pipes of a child are there by construction")
        watchdog = threading.Timer(self._longest_s, child.kill)
        watchdog.start()
        try:
            child.stdin.write(encode_batch(work, members))
            child.stdin.flush()
            answer = read_batch(child.stdout.read)
        except (OSError, ValueError):
            answer = None
        finally:
            watchdog.cancel()
        if answer is None or answer[0] is not work or len(answer[1]) != len(members):
            self._end()
            return None
        return answer[1]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            environment = {
                name: value
                for name, value in os.environ.items()
                if name in {"PATH", "LANG", "LC_ALL", "TZ"}
            }
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-m", "sgi.keeping.recompression_child", *self._told],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment | {"OMP_NUM_THREADS": "1"},
                cwd="/",
                start_new_session=True,
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
