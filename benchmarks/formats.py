"""A file of each kind to DICOM: `sgi convert` beside wsidicomizer, in time and in processor time.

SVS and NDPI pass through both; MIRAX is decoded and compressed again by both. Theirs is optional:
`SGI_BENCH_WSIDICOMIZER` is its program, in an environment of its own.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, alone, beside
from benchmarks.mirax import write_mirax
from benchmarks.ndpi import write_ndpi
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from sgi.errors import ConfigurationError
from tiling.geometry import Size

ROUNDS = 3
QUALITY = 90
"""Of tiles that are compressed anew, by both; ours have chroma of half the width, theirs of half
the width and height, as ours have in `half_chroma`."""
_TILE = 256
_PEER = "wsidicomizer"
_STEP_LIMIT_S = 1800
_ROOM_FACTOR = 8


@dataclass(frozen=True, slots=True)
class _Spent:
    seconds: float
    cpu_s: float


@dataclass(slots=True)
class _Runs:
    """Of one slide."""

    megapixels: float
    ours: list[_Spent] = field(default_factory=list)
    peers: list[_Spent] = field(default_factory=list)
    one_thread: list[_Spent] = field(default_factory=list)
    """Ours with a single thread, for a slide that is compressed anew."""
    half_chroma: list[_Spent] = field(default_factory=list)
    """Ours with the peer's chroma subsampling, likewise."""


def measure() -> list[Figure]:
    """Rounds of every slide by both; which of them goes first changes each time."""
    peer = _find_peer()
    slide_bytes = size_bytes()
    with tempfile.TemporaryDirectory(prefix="sgi-bench-") as name:
        folder = Path(name)
        if shutil.disk_usage(folder).free < _ROOM_FACTOR * slide_bytes:
            raise ConfigurationError(
                f"{folder.parent} has too little room: set TMPDIR to another disk, or SGI_BENCH_MB "
                "to a smaller slide."
            )
        runs: dict[str, _Runs] = {}
        for kind in _kinds():
            say(f"{kind}: a slide is written")
            write, source = _SLIDES[kind], folder / f"slide.{kind}"
            size = write(source, slide_bytes)
            runs[kind] = _Runs(size.area / 1e6)
            _rounds(source, folder / "converted", runs[kind], peer)
            source.unlink()
            shutil.rmtree(source.with_suffix(""), ignore_errors=True)
    return [figure for kind, run in runs.items() for figure in _figures(kind, run)]


def _kinds() -> list[str]:
    """Which slides are converted: `SGI_BENCH_KINDS`, with commas; all of them otherwise."""
    kinds = os.environ.get("SGI_BENCH_KINDS", ",".join(_SLIDES)).split(",")
    if not set(kinds) <= set(_SLIDES):
        raise ConfigurationError(f"SGI_BENCH_KINDS may name {', '.join(_SLIDES)}.")
    return kinds


def _write_svs(path: Path, slide_bytes: int) -> Size:
    grid = write_slide(path, slide_bytes, "formats", thumbnail=True)
    return Size(grid.columns * _TILE, grid.rows * _TILE)


def _write_ndpi(path: Path, slide_bytes: int) -> Size:
    # The drawing takes about 1.2 MB with its coarser levels.
    return write_ndpi(path, min(31, max(1, round((slide_bytes / 1.2e6) ** 0.5))))


def _write_mirax(path: Path, slide_bytes: int) -> Size:
    # Eight by eight photographs take about 4.5 MB with their coarser levels.
    return write_mirax(path, 8 * max(1, round((slide_bytes / 4.5e6) ** 0.5)))


_SLIDES: dict[str, Callable[[Path, int], Size]] = {
    "svs": _write_svs,
    "ndpi": _write_ndpi,
    "mrxs": _write_mirax,
}
_RE_ENCODED = "mrxs"


def _find_peer() -> Path | None:
    said = os.environ.get("SGI_BENCH_WSIDICOMIZER")
    if said is None:
        say("SGI_BENCH_WSIDICOMIZER is not set: there is no peer to compare with")
        return None
    if not os.access(said, os.X_OK):
        raise ConfigurationError(f"SGI_BENCH_WSIDICOMIZER: there is no program {said}.")
    return Path(said)


def _rounds(source: Path, target: Path, runs: _Runs, peer: Path | None) -> None:
    def ours(threads: int | None = None, program: str = "sgi") -> _Spent:
        command = [sys.executable, "-m", program, "convert", str(source), str(target)]
        return _spend(command, target, threads)

    def theirs() -> _Spent:
        options = ["-i", str(source), "-o", str(target), "--quality", str(QUALITY)]
        return _spend([str(peer), *options], target)

    for number in range(ROUNDS):
        say(f"{source.suffix[1:]}: round {number + 1} of {ROUNDS}")
        steps: list[Callable[[], None]] = [lambda: runs.ours.append(ours())]
        if peer is not None:
            steps.append(lambda: runs.peers.append(theirs()))
        if source.suffix == f".{_RE_ENCODED}":
            steps.append(lambda: runs.one_thread.append(ours(1)))
            steps.append(lambda: runs.half_chroma.append(ours(program="benchmarks.half_chroma")))
        first = number % len(steps)
        for step in steps[first:] + steps[:first]:
            os.sync()  # what was written before is nobody's cost now
            step()


def _spend(command: Sequence[str], target: Path, threads: int | None = None) -> _Spent:
    """Run a conversion into a fresh folder, and delete what it made."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("SGI_")}
    environment["SGI_INGEST__JPEG_QUALITY"] = str(QUALITY)
    environment["SGI_INGEST__THREADS"] = str(threads or os.cpu_count() or 1)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    ended = subprocess.run(
        command, env=environment, capture_output=True, timeout=_STEP_LIMIT_S, check=False
    )
    seconds = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if ended.returncode:
        last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ConfigurationError(f"{command[0]} failed: {''.join(last)}")
    shutil.rmtree(target)
    return _Spent(seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _figures(kind: str, runs: _Runs) -> list[Figure]:
    name = f"formats.{kind}"
    per_megapixel = 1000 / runs.megapixels
    cpu = [spent.cpu_s * per_megapixel for spent in runs.ours]
    seconds = [spent.seconds for spent in runs.ours]
    figures = [alone(f"{name}.base", [runs.megapixels], "Mpixel")]
    if runs.peers:
        their_cpu = [spent.cpu_s * per_megapixel for spent in runs.peers]
        figures += [
            beside(f"{name}.seconds", seconds, "s", _PEER, [spent.seconds for spent in runs.peers]),
            beside(f"{name}.cpu", cpu, "ms/Mpixel", _PEER, their_cpu),
        ]
    else:
        figures += [
            alone(f"{name}.seconds", seconds, "s"),
            alone(f"{name}.cpu", cpu, "ms/Mpixel"),
        ]
    if runs.half_chroma and runs.peers:
        equal = [spent.cpu_s * per_megapixel for spent in runs.half_chroma]
        figures.append(beside(f"{name}.cpu_half_chroma", equal, "ms/Mpixel", _PEER, their_cpu))
    if runs.one_thread:
        single = [spent.seconds for spent in runs.one_thread]
        figures.append(beside(f"{name}.all_threads", seconds, "s", "one thread", single))
    return figures
