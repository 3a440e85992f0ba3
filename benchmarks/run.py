"""The table of benchmarks, and how one is run."""

import importlib
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Never

from benchmarks.figures import print_figures
from sgi.errors import ConfigurationError

BENCHMARKS = {
    "ahead": "What reading ahead saves one pathologist, by recorded traces",
    "cold": "Levels packed for cold storage, proved, and given back",
    "dicomweb": "Frames by their number, lists, whole instances and searches over DICOMweb",
    "formats": "SVS, NDPI and MIRAX to DICOM, beside wsidicomizer",
    "hl7": "Messages of the laboratory, each answered once durable, beside bare commits",
    "hostile": "What others notice of a slide whose tiles take seconds",
    "ingest": "From the drop folder to a published slide, beside a copy and a bare upload",
    "overload": "Four times as many tiles as can be given, and who waits beside them",
    "pathologists": "Two hundred people at once, by recorded traces, while slides come in",
    "processor": "Processor seconds of the way in, by who spends them",
    "quality": "What the quality gate finds on spoiled slides, and on sound ones",
    "scrub": "What a scrub at its set pace costs whoever looks at tiles",
    "tiles": "Tiles under load beside nginx, Orthanc and large_image, and what a miss costs",
    "worklists": "Every worklist of a laboratory of ten years, and searches in them",
}
"""By name: the module of this folder, whose `measure()` gives the figures, and its title."""


def run(name: str, *, as_json: bool) -> None:
    """Measure and print; raises ConfigurationError for a name that is not in the table."""
    title = BENCHMARKS.get(name)
    if title is None:
        raise ConfigurationError(
            f"There is no benchmark {name!r}: choose one of {', '.join(BENCHMARKS)}."
        )
    module = importlib.import_module(f"benchmarks.{name}")
    with _interruptible_once():
        figures = module.measure()
    print_figures(title, figures, as_json=as_json)


def say(text: str) -> None:
    """How far we are, for the person who waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextmanager
def _interruptible_once() -> Iterator[None]:
    """Ctrl-C or SIGTERM ends the measurement; a second one does not disturb the tidying up."""
    numbers = (signal.SIGINT, signal.SIGTERM)

    def interrupt(_: int, __: FrameType | None) -> Never:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
