"""The process that reads an untrusted file: confined, without credentials, one slide and out.

It gets a job as JSON on its standard input and writes the messages of `sgi.ingest.pipe` to its
standard output. A hostile file can end this process; it cannot reach anything else.
"""

import base64
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from pydantic import BaseModel

from sgi.domain.quality import QualityThresholds, SlideQuality
from sgi.domain.slide import scene_slide_id
from sgi.ingest.confine import confine
from sgi.ingest.pipe import Kind, encode_header
from sgi.lifeline import end_with_parent

if TYPE_CHECKING:
    from sgi.ingest.quality.report import Examination
    from tiling.slide import SlideReader

_CHUNK = 1 << 20
_PROGRESS_STEP = 0.005
_PROGRESS_EVERY_S = 2.0
_DICOM_SHARE = 0.6
"""Of the work, where the slide is written as an OME-Zarr as well."""


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


def write_message(descriptor: int, kind: Kind, payload: bytes) -> None:
    """All of it, whatever the pipe takes at once."""
    for data in (encode_header(kind, len(payload)), payload):
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(descriptor, rest) :]


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

    def put_zarr(self, key: str, data: bytes) -> None:
        """A whole object of the slide's OME-Zarr."""
        begin = json.dumps({"zarr": key, "scene": self._scene}).encode()
        write_message(self._descriptor, Kind.BEGIN, begin)
        self.write(data)
        write_message(self._descriptor, Kind.END, b"{}")

    def write(self, data: bytes) -> None:
        """Pass bytes of the open object on."""
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            write_message(self._descriptor, Kind.DATA, bytes(view[start : start + _CHUNK]))


class _Progress:
    """Tells the parent, but not for every frame: half the work is encoding, half writing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._told = 0.0
        self._told_at = time.monotonic()

    def tell(self, share: float) -> None:
        """Also a small step after a while: a very large slide has not stalled."""
        now = time.monotonic()
        if share - self._told >= _PROGRESS_STEP or now - self._told_at >= _PROGRESS_EVERY_S:
            self._told, self._told_at = share, now
            payload = json.dumps({"progress": round(share, 4)}).encode()
            write_message(self._descriptor, Kind.PROGRESS, payload)


def run(job: ConversionJob, descriptor: int) -> None:
    """Convert each scene of the file; the libraries are loaded only now, inside the limits."""
    from dicom.formats import open_any

    progress = _Progress(descriptor)
    reader = open_any(Path(os.fsdecode(bytes.fromhex(job.source))))
    try:
        scenes = reader.scenes
        told = [
            _convert_scene(job, scene, number, len(scenes), descriptor, progress)
            for number, scene in enumerate(scenes)
        ]
        write_message(descriptor, Kind.RESULT, json.dumps({"scenes": told}).encode())
    finally:
        reader.close()


def _convert_scene(
    job: ConversionJob,
    reader: "SlideReader",
    number: int,
    scenes: int,
    descriptor: int,
    progress: _Progress,
) -> dict[str, object]:
    """One slide of the file; gives its part of the RESULT."""
    from dicom.conversion import ConversionOptions, convert
    from dicom.models import SlideIdentity
    from sgi.ingest.facts import facts_of
    from sgi.ingest.gate import judge_slide
    from sgi.ingest.label import barcodes_of
    from tiling.codecs.jpeg import JpegOptions
    from tiling.omezarr.writer import WriteOptions, write_omezarr
    from tiling.pyramid import PyramidOptions, build_pyramid

    part = _DICOM_SHARE if job.ome_zarr else 1.0

    def tell(share: float) -> None:
        progress.tell((number + part * share) / scenes)

    def tell_of_zarr(done: int, total: int) -> None:
        progress.tell((number + part + (1 - part) * done / total) / scenes)

    options = PyramidOptions(
        JpegOptions(quality=job.jpeg_quality), fill_gaps=job.fill_gaps, workers=job.threads
    )
    levels = build_pyramid(
        reader, Path(job.scratch), options, lambda done, total: tell(0.5 * done / max(total, 1))
    )
    barcodes = barcodes_of(reader)
    slide_id, target = scene_slide_id(job.slide_id, number), PipeTarget(descriptor, number)
    converted = convert(
        reader,
        levels,
        SlideIdentity(slide_id),
        target,
        ConversionOptions(barcode=next(iter(barcodes), None), taken_in_at=job.taken_in_at),
        progress=lambda done, total: tell(0.5 + 0.5 * done / max(total, 1)),
    )
    for uid, hashes in converted.frame_hashes.items():
        begin = json.dumps({"sop_uid": uid}).encode()
        write_message(descriptor, Kind.HASHES, begin + b"\n" + hashes)
    if job.ome_zarr:
        write_options = WriteOptions(workers=job.threads)
        write_omezarr(
            reader, str(slide_id), target.put_zarr, Path(job.scratch), write_options, tell_of_zarr
        )
    facts = facts_of(
        reader,
        levels,
        scene=f"{number + 1}/{scenes}" if scenes > 1 else None,
        barcodes=barcodes,
        left_out=converted.manifest.left_out,
    )
    return {
        "manifest": converted.manifest.to_json(),
        "facts": facts.model_dump(mode="json"),
        **_judged(judge_slide(reader, levels, job.limits)),
    }


def _judged(examination: "Examination | None") -> dict[str, object]:
    """A slide's quality as it crosses to the parent."""
    if examination is None:
        return {"quality": None, "heat_map": None}
    heat_map = examination.heat_map
    if heat_map is None:
        quality, picture = SlideQuality(report=examination.report), None
    else:
        quality = SlideQuality(report=examination.report, heat_map=heat_map.shape)
        picture = base64.b64encode(heat_map.as_png()).decode()
    return {"quality": quality.model_dump(mode="json"), "heat_map": picture}


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


def main() -> int:
    """Exit code 0 when a RESULT or an ERROR was sent."""
    # Libraries may print; nothing but messages may reach the pipe.
    descriptor = os.dup(1)
    os.dup2(2, 1)
    job = ConversionJob.model_validate_json(sys.stdin.buffer.read())
    end_with_parent()
    source = Path(os.fsdecode(bytes.fromhex(job.source)))
    # The folder, because companions lie beside the file that is named.
    confine(job.memory_bytes, job.cpu_s, [source.parent], [Path(job.scratch)])
    try:
        run(job, descriptor)
    except Exception as error:  # noqa: BLE001 - every failure is told to the parent by its class
        write_message(descriptor, Kind.ERROR, json.dumps(told(error)).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
