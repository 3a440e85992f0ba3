"""The process that reads an untrusted file: confined, without credentials, one slide and out.

It loads its libraries, waits for a job as JSON on its standard input, and writes the messages of
`sgi.ingest.pipe` to its standard output. A hostile file can end this process; it cannot reach
anything else.
"""

import importlib
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel

from sgi.confine import confine
from sgi.domain.quality import QualityThresholds
from sgi.ingest.pipe import Kind, encode_header
from sgi.lifeline import end_with_parent
from sgi.priority import give_way

if TYPE_CHECKING:
    from dicom.manifest import InstanceRecord

_CHUNK_BYTES = 16 << 20
_PROGRESS_STEP = 0.005
_PROGRESS_EVERY_S = 2.0
_NICE = 10
"""Tiles that somebody waits for come first."""


class ConversionJob(BaseModel):
    """What the child is told."""

    source: str
    """The bytes of the path in hexadecimal: names need not be text."""
    slide_id: UUID
    scratch: str
    threads: int
    jpeg_quality: int
    fill_gaps: bool
    taken_in_at: datetime
    limits: QualityThresholds
    ome_zarr: bool
    memory_bytes: int
    cpu_s: int

    @property
    def path(self) -> Path:
        return Path(os.fsdecode(bytes.fromhex(self.source)))


def write_message(descriptor: int, kind: Kind, payload: bytes) -> None:
    """All of it, whatever the pipe takes at once."""
    for data in (encode_header(kind, len(payload)), payload):
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, memoryview(data)[written:])


class PipeTarget:
    """A `dicom.targets.InstanceTarget` whose instances go to the parent."""

    def __init__(self, descriptor: int, scene: int) -> None:
        self._descriptor = descriptor
        self._scene = scene

    @contextmanager
    def open(self, name: str, sop_instance_uid: str) -> Iterator["PipeTarget"]:  # noqa: ARG002 - the parent names objects by UID alone
        """Announce an instance; END is sent only when it is whole."""
        begin = json.dumps({"sop_uid": sop_instance_uid, "scene": self._scene}).encode()
        write_message(self._descriptor, Kind.BEGIN, begin)
        yield self
        write_message(self._descriptor, Kind.END, b"{}")

    def prove(self, record: "InstanceRecord", hashes: bytes) -> None:
        """Tell what the instance that just ended must be when it is read back."""
        told = {
            "sop_uid": record.sop_instance_uid,
            "size_bytes": record.size_bytes,
            "sha256": record.sha256,
        }
        write_message(self._descriptor, Kind.HASHES, json.dumps(told).encode() + b"\n" + hashes)

    def put_zarr(self, key: str, data: bytes) -> None:
        """A whole object of the slide's OME-Zarr."""
        begin = json.dumps({"zarr": key, "scene": self._scene}).encode()
        write_message(self._descriptor, Kind.BEGIN, begin)
        self.write(data)
        write_message(self._descriptor, Kind.END, b"{}")

    def write(self, data: bytes) -> None:
        """Pass bytes of the open object on."""
        for start in range(0, len(data), _CHUNK_BYTES):
            write_message(self._descriptor, Kind.DATA, data[start : start + _CHUNK_BYTES])


class _Progress:
    """Tells the parent, but not for every frame."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._told = 0.0
        self._told_at = time.monotonic()

    def of_scene(self, number: int, scenes: int) -> Callable[[float], None]:
        """Tells of all scenes when told of one."""
        return lambda share: self.tell((number + share) / scenes)

    def tell(self, share: float) -> None:
        """Also a small step after a while: a very large slide has not stalled."""
        now = time.monotonic()
        if share - self._told >= _PROGRESS_STEP or now - self._told_at >= _PROGRESS_EVERY_S:
            self._told, self._told_at = share, now
            payload = json.dumps({"progress": round(share, 4)}).encode()
            write_message(self._descriptor, Kind.PROGRESS, payload)


def load_libraries() -> None:
    """Load all that reads slides, so that no slide waits for it."""
    # pydicom would load it to download its examples.
    sys.modules.setdefault("requests", None)  # type: ignore[arg-type] # None: not to be had
    importlib.import_module("sgi.ingest.convert_scene")
    from tiling.registry import known_formats

    known_formats()


def run(job: ConversionJob, descriptor: int) -> None:
    """Convert each scene of the file."""
    from dicom.formats import open_any
    from sgi.ingest.convert_scene import convert_scene

    progress = _Progress(descriptor)
    reader = open_any(job.path)
    try:
        scenes = reader.scenes
        told = []
        for number, scene in enumerate(scenes):
            target, tell = PipeTarget(descriptor, number), progress.of_scene(number, len(scenes))
            told.append(convert_scene(job, scene, number, len(scenes), target, tell))
        write_message(descriptor, Kind.RESULT, json.dumps({"scenes": told}).encode())
    finally:
        reader.close()


def where(error: Exception) -> str:
    """The line of code that failed: what a developer needs, without a word of the file's."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "unknown"


def told(error: Exception) -> dict[str, object]:
    """An error as `sgi.ingest.child_errors.ToldError` has it."""
    return {
        "errors": [kind.__name__ for kind in type(error).__mro__],
        "errno": getattr(error, "errno", None),
        "message": str(error).encode(errors="replace").decode(),
        "where": where(error),
    }


def work(descriptor: int) -> None:
    """Get ready, wait for the job, and do it."""
    load_libraries()
    told_job = sys.stdin.buffer.read()
    if not told_job:  # no slide came, and none will
        return
    job = ConversionJob.model_validate_json(told_job)
    os.chdir(job.scratch)
    os.environ["TMPDIR"] = tempfile.tempdir = job.scratch
    # The folder, because companions lie beside the file that is named.
    confine(job.memory_bytes, job.cpu_s, [job.path.parent], [Path(job.scratch)])
    run(job, descriptor)


def main() -> int:
    """Exit code 0 when a RESULT or an ERROR was sent, or no job came."""
    # Libraries may print; nothing but messages may reach the pipe.
    descriptor = os.dup(1)
    os.dup2(2, 1)
    end_with_parent()
    give_way(_NICE)
    try:
        work(descriptor)
    except Exception as error:  # noqa: BLE001 - every failure is told to the parent by its class
        write_message(descriptor, Kind.ERROR, json.dumps(told(error)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
