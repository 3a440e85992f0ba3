"""Convert a file in a confined child, and upload what it makes as it makes it."""

import fcntl
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

from sgi import errors
from sgi.ingest.convert_child import ConversionJob
from sgi.ingest.pipe import Kind, MessageParser
from sgi.ingest.receiver import Conversion, Progress, Receiver
from sgi.settings import IngestSettings
from storage.store import ObjectStore

_PIPE_BYTES = 1 << 20
_POLL_S = 0.5
_LEAST_FREE_BYTES = 64 << 20
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
) -> Conversion:
    """Read `source`, write its instances under the slide's keys; blocking, for a thread.

    Raises TilingError or DicomError as the child found, StorageError from the store,
    DiskFullError, ConversionTimeoutError, ConversionMemoryError, ConversionCrashedError or
    VanishedError. Whatever was uploaded before an error is overwritten by the next try.
    """
    scratch = scratch.absolute()  # the child has another working directory
    scratch.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(scratch).free < _LEAST_FREE_BYTES:
        raise errors.DiskFullError("The disk of the server is full; free some space.")
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"conversion-{os.getpid()}-") as folder:
        job = ConversionJob(
            source=os.fsencode(source).hex(),
            slide_id=slide_id,
            scratch=folder,
            threads=settings.threads,
            jpeg_quality=settings.jpeg_quality,
            memory_bytes=settings.memory_mb << 20,
            cpu_s=int(settings.timeout_s) * settings.threads,
        )
        most_bytes = _size(source) * _MOST_OUTPUT_FACTOR + _MOST_OUTPUT_BYTES
        receiver = Receiver(store, slide_id, progress, most_bytes)
        with _child(job) as child, receiver:
            for kind, payload in _messages(child, settings, cancelled):
                receiver.take(kind, payload)
            return receiver.result(child)


def clear_scratch(scratch: Path) -> None:
    """Remove what conversions of dead processes of this machine have left."""
    for folder in scratch.glob("conversion-*-*"):
        process_id = folder.name.split("-")[1]
        if not Path("/proc", process_id).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _size(source: Path) -> int:
    try:
        return source.stat().st_size
    except FileNotFoundError as error:
        raise errors.VanishedError("The file went away; drop it again.") from error


@contextmanager
def _child(job: ConversionJob) -> Iterator[subprocess.Popen[bytes]]:
    """The confined process; killed on leaving, whatever happened."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in {"PATH", "LANG", "LC_ALL", "TZ"}
    }
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", "sgi.ingest.convert_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | {"OMP_NUM_THREADS": "1", "TMPDIR": job.scratch},
        cwd=job.scratch,
        start_new_session=True,
    )
    try:
        if child.stdin is None or child.stdout is None:
            raise RuntimeError("the pipes of a child are there by construction")
        with suppress(OSError):  # beyond what the system grants a user: slower, no more
            fcntl.fcntl(child.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        with suppress(BrokenPipeError), child.stdin:  # it died already: its silence tells
            child.stdin.write(job.model_dump_json().encode())
        yield child
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _messages(
    child: subprocess.Popen[bytes], settings: IngestSettings, cancelled: threading.Event
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
        if waited > settings.timeout_s or silent > settings.stall_s:
            raise errors.ConversionTimeoutError(
                "Reading the file took too long; check it on the scanner."
            )
        if not ready:
            continue
        silent = 0.0
        data = os.read(descriptor, _PIPE_BYTES)
        if not data:
            return
        yield from parser.feed(data)
