"""The process that recompresses frames of untrusted files: confined, without files or credentials.

It is told its limits on the command line, reads batches from its standard input, and answers each
on its standard output.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sgi.confine import confine
from sgi.keeping.frames_pipe import Work, encode_batch, read_batch
from sgi.lifeline import end_with_parent
from tiling.codecs.jpeg_recompressed import give_back, recompress
from tiling.errors import DamagedSlideError

_LONGEST_CPU_S = 60
"""Of processor time for one batch, which takes a second or two."""
_BACKGROUND = 10
"""Niceness: whoever converts, or waits for a tile, comes first."""


def _recompressed(frame: bytes) -> bytes:
    return recompress(frame) or b""


def _given_back(packed: bytes) -> bytes:
    try:
        return give_back(packed)
    except DamagedSlideError:
        return b""


_DONE: dict[Work, Callable[[bytes], bytes]] = {
    Work.RECOMPRESS: _recompressed,
    Work.GIVE_BACK: _given_back,
}


def _limit_cpu(until_s: int) -> None:
    """The kernel ends this process once it has used so much."""
    _, hardest = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (until_s, hardest))


def main(memory_bytes: int, threads: int, *, background: bool) -> None:
    """Answer batches until there are no more."""
    end_with_parent()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print
    if background:
        os.nice(_BACKGROUND)
    confine(memory_bytes, None)
    with ThreadPoolExecutor(threads) as pool:
        while (batch := read_batch(sys.stdin.buffer.read)) is not None:
            work, members = batch
            _limit_cpu(int(time.process_time()) + _LONGEST_CPU_S)
            answers.write(encode_batch(work, list(pool.map(_DONE[work], members))))
            answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), background=sys.argv[3] == "background")
