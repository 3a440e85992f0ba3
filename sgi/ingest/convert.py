"""Convert a file in a confined child, and upload what it makes as it makes it."""

import fcntl
import os
import select
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sgi import errors
from sgi.domain.quality import DEFAULTS, QualityThresholds
from sgi.ingest.children import Children, end_child, start_child
from sgi.ingest.convert_child import ConversionJob
from sgi.ingest.gather import candidate_at
from sgi.ingest.pipe import Kind, MessageParser
from sgi.ingest.receiver import Conversion, Finished, Progress, Receiver
from sgi.settings import IngestSettings
from storage.store import ObjectStore

_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
"""Small enough for memory that is used again, instead of new pages from the system each time."""
_POLL_S = 0.5
_LEAST_FREE_BYTES = 64 << 20
_LEAST_LIMIT_S = 600.0
_BYTES_A_SECOND = 1 << 20
"""Slower than any honest conversion on any machine that serves."""
_MOST_OUTPUT_FACTOR = 64
_MOST_OUTPUT_BYTES = 64 << 30


def convert_and_upload(
    source: Path,
    slide_id: UUID,
    store: ObjectStore,
    scratch: Path,
    settings: IngestSettings,
    progress: Progress,
    cancelled: threading.Event,
    taken_in_at: datetime,
    limits: QualityThresholds = DEFAULTS,
    children: Children | None = None,
    finished: Finished = lambda _: None,
) -> Conversion:
    """Read `source`, write its instances under the slide's keys; blocking, for a thread.

    `finished` hears of every instance that is stored, while the next one is made.

    Raises TilingError or DicomError as the child found, StorageError from the store,
    DiskFullError, ConversionTimeoutError, ConversionMemoryError, ConversionCrashedError or
    VanishedError. Whatever was uploaded before an error is overwritten by the next try.
    """
    scratch = scratch.absolute()  # the child has another working directory
    scratch.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(scratch).free < _LEAST_FREE_BYTES:
        raise errors.DiskFullError("The disk of the server is full; free some space.")
    source_bytes = _size(source)
    limit_s = time_limit_s(source_bytes, settings.timeout_s)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"conversion-{os.getpid()}-") as folder:
        job = ConversionJob(
            source=os.fsencode(source).hex(),
            slide_id=slide_id,
            scratch=folder,
            threads=settings.threads,
            jpeg_quality=settings.jpeg_quality,
            fill_gaps=settings.fill_gaps,
            taken_in_at=taken_in_at,
            limits=limits,
            ome_zarr=settings.ome_zarr,
            memory_bytes=settings.memory_mb << 20,
            cpu_s=max(int(limit_s), 1) * settings.threads,
        )
        most_bytes = source_bytes * _MOST_OUTPUT_FACTOR + _MOST_OUTPUT_BYTES
        receiver = Receiver(store, slide_id, progress, most_bytes, finished)
        with _child(job, children) as child, receiver:
            for kind, payload in _messages(child, limit_s, settings.stall_s, cancelled):
                receiver.take(kind, payload)
            return receiver.result(child)


def clear_scratch(scratch: Path) -> None:
    """Remove what conversions of dead processes of this machine have left."""
    for folder in scratch.glob("conversion-*-*"):
        process_id = folder.name.split("-")[1]
        if not Path("/proc", process_id).exists():
            shutil.rmtree(folder, ignore_errors=True)


def time_limit_s(source_bytes: int, most_s: float) -> float:
    """How long a conversion may take: a small file must not hold up all others for hours."""
    return min(most_s, _LEAST_LIMIT_S + source_bytes / _BYTES_A_SECOND)


def _size(source: Path) -> int:
    """Of all the files of a slide: the one that a reader opens may be no more than an index."""
    candidate = candidate_at(source)
    if candidate is not None:
        return candidate.fingerprint.size_bytes
    try:
        return source.stat().st_size
    except FileNotFoundError as error:
        raise errors.VanishedError("The file went away; drop it again.") from error


@contextmanager
def _child(job: ConversionJob, children: Children | None) -> Iterator[subprocess.Popen[bytes]]:
    """The confined process; killed on leaving, whatever happened."""
    child = children.take() if children is not None else start_child()
    try:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("the pipes of a child are there by construction")
        with suppress(OSError):  # beyond what the system grants a user: slower, no more
            fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with suppress(BrokenPipeError), child.stdin:  # it died already: its silence tells
            child.stdin.write(job.model_dump_json().encode())
        yield child
    finally:
        end_child(child)


def _messages(
    child: subprocess.Popen[bytes], limit_s: float, stall_s: float, cancelled: threading.Event
) -> Iterator[tuple[Kind, bytes]]:
    """Messages until the child closes its pipe; only time spent waiting for it counts."""
    if child.stdout is None:
        return
    descriptor = child.stdout.fileno()
    parser = MessageParser()
    waited = 0.0
    silent = 0.0
    while True:
        if cancelled.is_set():
            raise errors.ConversionCancelledError("The worker is stopping.")
        began = time.monotonic()
        ready, _, _ = select.select([descriptor], [], [], _POLL_S)
        spent = time.monotonic() - began
        waited += spent
        silent += spent
        if waited > limit_s or silent > stall_s:
            raise errors.ConversionTimeoutError(
                "Reading the file took too long; check it on the scanner."
            )
        if not ready:
            continue
        silent = 0.0
        data = os.read(descriptor, min(parser.wanted, _READ_BYTES))
        if not data:
            return
        yield from parser.feed(data)
