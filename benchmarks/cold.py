"""What cold storage costs and saves: levels packed, proved and given back, tiles one by one.

In files on the local disk and by the recompressing process that the worker uses; no store and no
catalogue are part of it.
"""

import os
import random
import resource
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure, alone
from benchmarks.run import say
from dicom.cold import ColdInstance, pack
from dicom.conversion import convert
from dicom.models import SlideIdentity
from dicom.reader import Instance
from dicom.targets import DirectoryTarget
from sgi.keeping.recompression import Recompression
from tiling.codecs import jpeg_recompressed
from tiling.pyramid import build_pyramid
from tiling.registry import open_slide
from tiling.sample import draw_sample

_REAL = ("aperio/CMU-1-Small-Region.svs", "synthetic/aperio-jpeg.svs", "dicom-wsi/gcp-jpeg.dcm")
_ROUNDS = 3
_TILES = 200
_MEMORY_BYTES = 1 << 30


class _FileSource:
    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self.size_bytes = path.stat().st_size

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)


class _Nowhere:
    def write(self, data: bytes) -> None: ...


def measure() -> list[Figure]:
    """Of the drawn sample, and of real slides where the folder of test slides is named."""
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="sgi-bench-") as name:
        folder = Path(name)
        for slide, base in _bases(folder):
            say(f"cold storage of {slide}")
            figures += _measure(slide, base, folder / "packed.cold")
    return figures


def _bases(folder: Path) -> Iterator[tuple[str, Path]]:
    """The base level of every slide as a DICOM instance."""
    say("drawing the sample slide")
    sample = folder / "sample.svs"
    draw_sample(sample)
    yield "sample", _converted(sample, folder / "sample")
    data = os.environ.get("SGI_TEST_DATA")
    for place in _REAL if data else ():
        path = Path(str(data), place)
        if path.is_file():
            yield path.stem, _converted(path, folder / path.stem)


def _converted(path: Path, target: Path) -> Path:
    reader = open_slide(path)
    try:
        scratch = target.with_suffix(".work")
        scratch.mkdir()
        target.mkdir()
        levels = build_pyramid(reader, scratch)
        convert(reader, levels, SlideIdentity(uuid.uuid4()), DirectoryTarget(target))
    finally:
        reader.close()
    return target / "level-0.dcm"


def _measure(slide: str, base: Path, packed: Path) -> list[Figure]:
    source = _FileSource(base)
    megabytes = source.size_bytes / 1e6
    made, given = [], []
    for _ in range(_ROUNDS):
        made.append(_timed(lambda process: _pack(source, packed, process)))
        given.append(_timed(lambda process: _unpack(packed, process)))
    smaller = 100 * (1 - packed.stat().st_size / source.size_bytes)
    return [
        alone(f"cold.{slide}.make", [megabytes / run.wall_s for run in made], "MB/s"),
        alone(f"cold.{slide}.make_a_core", [megabytes / run.cpu_s for run in made], "MB/s"),
        alone(f"cold.{slide}.give_back", [megabytes / run.wall_s for run in given], "MB/s"),
        alone(f"cold.{slide}.give_back_a_core", [megabytes / run.cpu_s for run in given], "MB/s"),
        alone(f"cold.{slide}.smaller", [smaller], "%"),
        alone(f"cold.{slide}.tile", _tiles(packed, base), "ms"),
    ]


@dataclass(frozen=True, slots=True)
class _Spent:
    wall_s: float
    cpu_s: float
    """Of this process and of the recompressing one, its start left out."""


def _timed(work: Callable[[Recompression], object]) -> _Spent:
    threads = os.cpu_count() or 1
    idle_s = _started(threads)
    before = _cpu_s()
    with Recompression(_MEMORY_BYTES, threads, threading.Event(), background=False) as process:
        process.recompress([])  # started, its libraries loaded
        began = time.perf_counter()
        work(process)
        wall_s = time.perf_counter() - began
    return _Spent(wall_s, max(_cpu_s() - before - idle_s, 1e-9))


def _started(threads: int) -> float:
    """Processor seconds of a process that does nothing."""
    before = _cpu_s()
    with Recompression(_MEMORY_BYTES, threads, threading.Event(), background=False) as process:
        process.recompress([])
    return _cpu_s() - before


def _cpu_s() -> float:
    of = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in of)


def _pack(source: _FileSource, packed: Path, process: Recompression) -> None:
    with packed.open("wb") as file:
        pack(source, source.size_bytes, file, process.recompress)


def _unpack(packed: Path, process: Recompression) -> None:
    source = _FileSource(packed)
    ColdInstance.open(source, source.size_bytes).unpack(_Nowhere(), process.give_back)


def _tiles(packed: Path, base: Path) -> list[float]:
    """Milliseconds for one tile from the packed file, each compared with the original."""
    source = _FileSource(packed)
    cold, instance = ColdInstance.open(source, source.size_bytes), Instance.open(_FileSource(base))
    chosen = random.Random(1)
    spent = []
    for _ in range(_TILES):
        number = chosen.randrange(cold.frames)
        began = time.perf_counter()
        frame = cold.frame(
            number, lambda frames, _: [jpeg_recompressed.give_back(each) for each in frames]
        )
        spent.append((time.perf_counter() - began) * 1e3)
        if frame != instance.frame(number):
            raise RuntimeError(f"frame {number} was not given back")
    return spent
