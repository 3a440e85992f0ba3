"""large_image's tiles of the same file, in its own process: no HTTP, no sessions."""

import os
import subprocess
from pathlib import Path

from tiling.geometry import Size

_PROGRAM = """
import random, sys, time
import large_image
source = large_image.open(sys.argv[1])
left, top, columns, rows, seconds = map(int, sys.argv[2:])
level, rng, count = source.getMetadata()["levels"] - 1, random.Random(1), 0
began = time.monotonic()
while time.monotonic() - began < seconds:
    source.getTile(left + rng.randrange(columns), top + rng.randrange(rows), level)
    count += 1
print(count / (time.monotonic() - began))
"""


def find_large_image() -> str | None:
    """A Python that has it and a source for SVS, as `SGI_BENCH_LARGE_IMAGE` says."""
    return os.environ.get("SGI_BENCH_LARGE_IMAGE")


def tiles_per_s(python: str, source: Path, grid: Size, part: Size, seconds: int) -> float:
    """Random tiles of a rectangle in the middle of the base."""
    left, top = (grid.columns - part.columns) // 2, (grid.rows - part.rows) // 2
    numbers = map(str, (left, top, part.columns, part.rows, seconds))
    done = subprocess.run(
        [python, "-c", _PROGRAM, source, *numbers],
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    return float(done.stdout.strip().splitlines()[-1])
