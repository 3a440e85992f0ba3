"""Processor seconds of the way in, by who spends them: other people's work does not change them.

The conversion, the upload and the verification of `sgi.ingest`, in this process, beside the bare
upload of the same bytes into the same store. Linux.
"""

import os
import resource
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path

import obstore

from benchmarks.figures import Figure, alone, beside
from benchmarks.run import say
from benchmarks.slides import size_bytes, write_slide
from benchmarks.system import System, own_system
from sgi.app import open_store
from sgi.domain.quality import DEFAULTS
from sgi.ingest.children import Children
from sgi.ingest.convert import convert_and_upload
from sgi.ingest.verify import Verification
from storage import S3Options

ROUNDS = 4
_STORE = "weed"
_READY_S = 2.0
"""For the converting process to load its libraries, as it does while a worker waits."""


@dataclass(frozen=True, slots=True)
class _Seconds:
    """Of the clock, and of processors."""

    wall: float
    own: float
    child: float
    store: float

    @property
    def processor(self) -> float:
        return self.own + self.child + self.store


def measure() -> list[Figure]:
    """Rounds of a bare upload and the way in, in turn."""
    slide_bytes = size_bytes()
    bare: list[_Seconds] = []
    ours: list[_Seconds] = []
    with own_system(slide_bytes) as system:
        source = system.folder / "slide.svs"
        write_slide(source, slide_bytes, "processor")
        children = Children()
        try:
            for number in range(ROUNDS):
                say(f"round {number + 1} of {ROUNDS}, a slide of {slide_bytes >> 20} MiB")
                bare.append(_spent(lambda: _upload(system, source)))
                children.prepare()
                time.sleep(_READY_S)
                ours.append(_spent(lambda: _way_in(system, source, children)))
        finally:
            children.close()
    return _figures(bare, ours)


def _upload(system: System, source: Path) -> None:
    options = S3Options("unused")
    obstore.put(
        system.bare_client(),
        "bench/upload",
        source,
        use_multipart=True,
        chunk_size=options.part_size_bytes,
        max_concurrency=options.parts_in_flight,
    )


def _way_in(system: System, source: Path, children: Children) -> None:
    """As `sgi.ingest.process` does it, without the catalogue."""
    store = open_store(system.settings)
    with Verification(store) as verification:
        convert_and_upload(
            source,
            uuid.uuid4(),
            store,
            system.folder / "work",
            system.settings.ingest,
            lambda _: None,
            threading.Event(),
            datetime.now(UTC),
            DEFAULTS,
            children,
            verification.begin,
        )
        verification.finish(lambda _: None)


def _spent(work: Callable[[], None]) -> _Seconds:
    before = _now()
    work()
    after = _now()
    return _Seconds(*(b - a for a, b in zip(astuple(before), astuple(after), strict=True)))


def _now() -> _Seconds:
    own, children = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return _Seconds(
        time.monotonic(),
        own.ru_utime + own.ru_stime,
        children.ru_utime + children.ru_stime,
        sum(_processor_s(process) for process in _below(os.getpid())),
    )


def _below(process: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *_below(child)]
    return found


def _processor_s(process: int) -> float:
    """Of a process of the store; 0 for any other."""
    with suppress(OSError):
        name, _, rest = Path(f"/proc/{process}/stat").read_text().rpartition(")")
        if name.endswith(f"({_STORE}"):
            user, system = rest.split()[11:13]
            return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _figures(bare: list[_Seconds], ours: list[_Seconds]) -> list[Figure]:
    peer = "bare upload"
    return [
        beside(
            "processor.way_in",
            [spent.processor for spent in ours],
            "s",
            peer,
            [spent.processor for spent in bare],
        ),
        alone("processor.child", [spent.child for spent in ours], "s"),
        beside("processor.parent", [s.own for s in ours], "s", peer, [s.own for s in bare]),
        beside("processor.store", [s.store for s in ours], "s", peer, [s.store for s in bare]),
        beside("processor.elapsed", [s.wall for s in ours], "s", peer, [s.wall for s in bare]),
    ]
