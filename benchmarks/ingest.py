"""From the drop folder to a published slide, beside what the same bytes cost without us."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import obstore

from benchmarks.figures import Figure, alone, beside
from benchmarks.memory import PeakMemory
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import QUIET_S, Published, System, own_system, publish
from sgi.app import open_store
from sgi.domain.arrival import ArrivalState
from storage import S3Options

ROUNDS = 3
_STEP_LIMIT_S = 1800
_CHILD = "sgi.ingest.convert_child"
_WORKER = "worker"


@dataclass(slots=True)
class _Runs:
    """Seconds unless named otherwise, one value a round."""

    source_bytes: list[float] = field(default_factory=list)
    stored_bytes: list[float] = field(default_factory=list)
    copy: list[float] = field(default_factory=list)
    sha256: list[float] = field(default_factory=list)
    upload: list[float] = field(default_factory=list)
    upload_and_read: list[float] = field(default_factory=list)
    convert: list[float] = field(default_factory=list)
    published: list[Published] = field(default_factory=list)
    child_bytes: list[float] = field(default_factory=list)
    worker_bytes: list[float] = field(default_factory=list)


def measure() -> list[Figure]:
    """Rounds of every measurement in turn, each round with a slide of its own."""
    slide_bytes = size_bytes()
    runs = _Runs()
    with own_system(slide_bytes) as system:
        for number in range(ROUNDS):
            say(f"round {number + 1} of {ROUNDS}, a slide of {slide_bytes >> 20} MiB")
            source = system.folder / f"slide-{number}.svs"
            write_slide(source, slide_bytes, f"round {number}")
            _round(system, source, runs, number)
            source.unlink()
    return _figures(runs)


def _round(system: System, source: Path, runs: _Runs, number: int) -> None:
    """Every measurement once, beginning with another one each round."""
    steps: list[Callable[[], None]] = [
        lambda: runs.copy.append(_copy(source, system.folder / "copy.svs")),
        lambda: runs.sha256.append(_sha256(source)),
        lambda: _upload(system, source, runs),
        lambda: _ingest(system, source, runs),
        lambda: runs.convert.append(_convert(source, system.folder / f"converted-{number}")),
    ]
    runs.source_bytes.append(source.stat().st_size)
    first = number % len(steps)
    for step in steps[first:] + steps[:first]:
        os.sync()  # what was written before is nobody's cost now
        step()


def _copy(source: Path, target: Path) -> float:
    """`cp`, until the copy is on the disk."""
    began = time.monotonic()
    subprocess.run(["cp", "--", source, target], check=True, timeout=_STEP_LIMIT_S)
    with target.open("rb") as copied:
        os.fsync(copied.fileno())
    passed = time.monotonic() - began
    target.unlink()
    return passed


def _sha256(source: Path) -> float:
    began = time.monotonic()
    with source.open("rb", buffering=0) as file:
        hashlib.file_digest(file, "sha256")
    return time.monotonic() - began


def _upload(system: System, source: Path, runs: _Runs) -> None:
    """The same bytes into the same store by the client library alone, in parts as ours are, and
    out of it again: nobody who promises that they are there can do with less.
    """
    client, options = system.bare_client(), S3Options("unused")
    began = time.monotonic()
    obstore.put(
        client,
        "bench/upload",
        source,
        use_multipart=True,
        chunk_size=options.part_size_bytes,
        max_concurrency=options.parts_in_flight,
    )
    runs.upload.append(time.monotonic() - began)
    for _ in obstore.get(client, "bench/upload").stream():
        pass
    runs.upload_and_read.append(time.monotonic() - began)
    obstore.delete(client, "bench/upload")


def _ingest(system: System, source: Path, runs: _Runs) -> None:
    child, worker = PeakMemory(_CHILD), PeakMemory(_WORKER)

    def look() -> None:
        child.look()
        worker.look()

    published = publish(system, source, look)
    runs.published.append(published)
    runs.child_bytes.append(child.bytes)
    runs.worker_bytes.append(worker.bytes)
    stored = open_store(system.settings).list(f"slides/{published.slide_id}/")
    runs.stored_bytes.append(sum(info.size_bytes for info in stored))


def _convert(source: Path, target: Path) -> float:
    """`sgi convert`, the start of its Python and the flushing to the disk included."""
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "sgi", "convert", source, target],
        check=True,
        stderr=subprocess.DEVNULL,
        timeout=_STEP_LIMIT_S,
    )
    passed = time.monotonic() - began
    for file in target.iterdir():
        file.unlink()
    target.rmdir()
    return passed


def _figures(runs: _Runs) -> list[Figure]:
    whole = [way.total_s for way in runs.published]
    work = [seconds - QUIET_S for seconds in whole]
    state = ArrivalState
    mib = [size / (1 << 20) for size in runs.source_bytes]
    stages = {
        "wait_and_hash": [
            w.total_s - w.between(state.CONVERTING, state.PUBLISHED) - QUIET_S
            for w in runs.published
        ],
        "convert_and_upload": [
            w.between(state.CONVERTING, state.VERIFYING) for w in runs.published
        ],
        "verify_and_publish": [w.between(state.VERIFYING, state.PUBLISHED) for w in runs.published],
    }
    return [
        alone("ingest.source_size", mib, "MiB"),
        beside("ingest.published", work, "s", "cp and fsync", runs.copy),
        beside("ingest.published", work, "s", "bare upload", runs.upload),
        beside("ingest.published", work, "s", "bare upload, read back", runs.upload_and_read),
        beside("ingest.published", work, "s", "sha256 of the file", runs.sha256),
        alone("ingest.published_with_quiet_time", whole, "s"),
        *(alone(f"ingest.stage.{name}", seconds, "s") for name, seconds in stages.items()),
        alone("ingest.throughput", [size / s for size, s in zip(mib, work, strict=True)], "MiB/s"),
        beside("ingest.convert_to_folder", runs.convert, "s", "cp and fsync", runs.copy),
        beside(
            "ingest.stored_size",
            [size / (1 << 20) for size in runs.stored_bytes],
            "MiB",
            "source file",
            mib,
        ),
        alone("ingest.child_peak_memory", [b / (1 << 20) for b in runs.child_bytes], "MiB"),
        alone("ingest.worker_peak_memory", [b / (1 << 20) for b in runs.worker_bytes], "MiB"),
    ]
