"""Convert a file in a confined child, and upload what it makes as it makes it."""

import errno
import fcntl
import hashlib
import json
import logging
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

import dicom.errors
import tiling.errors
from dicom.errors import DicomError
from dicom.manifest import SlideManifest
from sgi import errors
from sgi.ingest.convert_child import ConversionJob
from sgi.ingest.facts import SlideFacts
from sgi.ingest.pipe import Kind, MessageParser
from sgi.settings import IngestSettings
from sgi.stored import instance_key
from storage.store import ObjectSink, ObjectStore
from tiling.errors import TilingError

_log = logging.getLogger(__name__)
_PIPE_BYTES = 1 << 20
_POLL_S = 0.5
_LEAST_FREE_BYTES = 64 << 20
_MOST_OUTPUT_FACTOR = 64
_MOST_OUTPUT_BYTES = 64 << 30

_NONSENSE = (KeyError, ValueError, TypeError, AttributeError, RecursionError)
"""What comes of taking a hostile message for a good one."""

Progress = Callable[[float], None]


@dataclass(slots=True)
class Conversion:
    """What came out of the child: proved by verification, not by its word."""

    manifest: SlideManifest
    facts: SlideFacts
    frame_hashes: dict[str, bytes] = field(default_factory=dict)
    """By SOP Instance UID, 32 bytes for each frame."""


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
        receiver = _Receiver(store, slide_id, progress, most_bytes)
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


class _Receiver:
    """Puts the child's messages together and its instances into the store."""

    def __init__(
        self, store: ObjectStore, slide_id: UUID, progress: Progress, most_bytes: int
    ) -> None:
        self._store = store
        self._slide_id = slide_id
        self._progress = progress
        self._left = most_bytes
        self._open: ExitStack | None = None
        self._sink: ObjectSink | None = None
        self._uid = ""
        self._hash = hashlib.sha256()
        self._sha256: dict[str, str] = {}
        self._frame_hashes: dict[str, bytes] = {}
        self._result: dict[str, Any] | None = None
        self._error: _Told | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give an unfinished upload up, so that no part of an instance is ever visible."""
        if self._open is not None:
            unfinished, self._open = self._open, None
            abandoned = errors.ConversionCrashedError("The instance was not finished.")
            unfinished.__exit__(kind or type(abandoned), error or abandoned, trace)

    def take(self, kind: Kind, payload: bytes) -> None:
        """One message; raises ConversionCrashedError when it makes no sense here."""
        try:
            {
                Kind.BEGIN: self._begin,
                Kind.DATA: self._data,
                Kind.END: self._end,
                Kind.HASHES: self._take_hashes,
                Kind.PROGRESS: self._take_progress,
                Kind.RESULT: self._take_result,
                Kind.ERROR: self._take_error,
            }[kind](payload)
        except _NONSENSE as error:
            raise errors.ConversionCrashedError("The reader of the file sent nonsense.") from error

    def _begin(self, payload: bytes) -> None:
        if self._open is not None:
            raise ValueError("an instance is open already")
        self._uid = json.loads(payload)["sop_uid"]
        self._hash = hashlib.sha256()
        key = instance_key(self._slide_id, self._uid)
        with ExitStack() as stack:
            writing = self._store.open_write(key, content_type="application/dicom")
            self._sink = stack.enter_context(writing)
            self._open = stack.pop_all()

    def _data(self, payload: bytes) -> None:
        if self._sink is None:
            raise ValueError("no instance is open")
        self._left -= len(payload)
        if self._left < 0:
            raise errors.ConversionCrashedError("The file became larger than any slide.")
        self._hash.update(payload)
        self._sink.write(payload)

    def _end(self, _: bytes) -> None:
        if self._open is None:
            raise ValueError("no instance is open")
        finished, self._open, self._sink = self._open, None, None
        finished.close()
        self._sha256[self._uid] = self._hash.hexdigest()

    def _take_hashes(self, payload: bytes) -> None:
        head, _, hashes = payload.partition(b"\n")
        self._frame_hashes[json.loads(head)["sop_uid"]] = hashes

    def _take_progress(self, payload: bytes) -> None:
        share = float(json.loads(payload)["progress"])
        if not 0 <= share <= 1:  # no number at all, too
            raise ValueError("a share lies between 0 and 1")
        self._progress(share)

    def _take_result(self, payload: bytes) -> None:
        self._result = json.loads(payload)

    def _take_error(self, payload: bytes) -> None:
        self._error = _Told.model_validate_json(payload)

    def result(self, child: subprocess.Popen[bytes]) -> Conversion:
        """After the pipe was closed: the slide, or the error that the child told."""
        if self._error is not None:
            raise _told_error(self._error)
        if self._result is None:
            raise _death(child)
        try:
            manifest = SlideManifest.from_json(self._result["manifest"])
            facts = SlideFacts.model_validate(self._result["facts"])
        except _NONSENSE as error:
            raise errors.ConversionCrashedError("The reader of the file sent nonsense.") from error
        if not any(record.level == 0 for record in manifest.instances):
            raise errors.ConversionCrashedError("The reader of the file made no base level.")
        for record in manifest.instances:
            uid = record.sop_instance_uid
            if self._sha256.get(uid) != record.sha256 or uid not in self._frame_hashes:
                raise errors.ConversionCrashedError("An instance did not come over whole.")
        return Conversion(manifest, facts, self._frame_hashes)


class _Told(BaseModel):
    """An error as the child tells it."""

    errors: list[str]
    """Names of its class and of those above it, nearest first."""
    errno: int | None
    message: str
    where: str = ""
    """The line of code that failed."""


def _told_error(told: _Told) -> Exception:
    """The child's error as one of ours; its sentence is kept only where it was written for people.

    Unknown classes are defects of a reader: the file is set aside as one that breaks readers.
    """
    names = told.errors
    if "MemoryError" in names:
        return errors.ConversionMemoryError("Reading the file took too much memory.")
    if told.errno in {errno.ENOSPC, errno.EDQUOT}:
        return errors.DiskFullError("The disk of the server is full; free some space.")
    if "FileNotFoundError" in names:
        return errors.VanishedError("The file went away while it was being read; drop it again.")
    if "PermissionError" in names:
        return errors.UnreadableFileError("The file cannot be read; give the service access.")
    for name in names:
        kind = getattr(tiling.errors, name, None) or getattr(dicom.errors, name, None)
        if isinstance(kind, type) and issubclass(kind, (TilingError, DicomError)):
            return kind(told.message[:500])
    _log.error("a reader failed with %s at %s", names[:1], told.where[:300])
    return errors.ConversionCrashedError(
        "The file made its reader fail; copy it again from the scanner."
    )


def _death(child: subprocess.Popen[bytes]) -> Exception:
    """Why a child died without a word."""
    try:
        code = child.wait(timeout=5)
    except subprocess.TimeoutExpired:
        code = None
    if code == -signal.SIGXCPU:
        return errors.ConversionTimeoutError("Reading the file took too long.")
    return errors.ConversionCrashedError(
        "The file made its reader fail; copy it again from the scanner."
    )
