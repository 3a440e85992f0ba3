"""The parent's side of a conversion: the child's messages put together, its instances stored."""

import base64
import hashlib
import json
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from dicom.manifest import SlideManifest
from sgi import errors
from sgi.domain.facts import SlideFacts
from sgi.domain.integrity import SideObject
from sgi.domain.quality import SlideQuality
from sgi.domain.slide import scene_slide_id
from sgi.ingest.child_errors import ToldError, death_of, told_error
from sgi.ingest.pipe import Kind
from sgi.ingest.verify import Written
from sgi.stored.keys import instance_key, omezarr_key, omezarr_name
from storage.store import ObjectSink, ObjectStore

_NONSENSE = (KeyError, ValueError, TypeError, AttributeError, RecursionError)
"""What comes of taking a hostile message for a good one."""

Progress = Callable[[float], None]
Finished = Callable[[Written], None]


_MOST_SCENES = 1000


@dataclass(slots=True)
class ConvertedScene:
    """One slide of the file."""

    manifest: SlideManifest
    facts: SlideFacts
    quality: SlideQuality | None = None
    heat_map: bytes | None = None
    """As PNG; there where the quality says its shape."""
    zarr: list[SideObject] = field(default_factory=list)
    """What was stored of its OME-Zarr."""


@dataclass(slots=True)
class Conversion:
    """What came out of the child: proved by verification, not by its word."""

    scenes: list[ConvertedScene]
    frame_hashes: dict[str, bytes] = field(default_factory=dict)
    """By SOP Instance UID, 32 bytes for each frame."""


class Receiver:
    """Puts the child's messages together and its instances into the store.

    Sizes are compared here. What the bytes are is proved by reading them back from the store: to
    hash them on the way there would find nothing more, and every upload would wait for it.
    """

    def __init__(
        self,
        store: ObjectStore,
        slide_id: UUID,
        progress: Progress,
        most_bytes: int,
        finished: Finished = lambda _: None,
    ) -> None:
        self._store = store
        self._slide_id = slide_id
        self._progress = progress
        self._finished = finished
        self._left = most_bytes
        self._open: ExitStack | None = None
        self._sink: ObjectSink | None = None
        self._key = ""
        """Of the object that was begun last."""
        self._size_bytes: dict[str, int] = {}
        """By key, of every object that was begun."""
        self._zarr: dict[UUID, dict[str, SideObject]] = {}
        """By slide and name, what is whole of an OME-Zarr."""
        self._zarr_open: tuple[UUID, str] | None = None
        self._zarr_hash = hashlib.sha256()
        """Of what is open: nobody reads it back before it is published, so that it is proved by
        the first scrub."""
        self._written: dict[str, Written] = {}
        """By SOP Instance UID, every instance that is whole and has its hashes."""
        self._result: dict[str, Any] | None = None
        self._error: ToldError | None = None

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
        message = json.loads(payload)
        scene = int(message["scene"])
        if not 0 <= scene < _MOST_SCENES:
            raise ValueError("no file has so many scenes")
        slide_id = scene_slide_id(self._slide_id, scene)
        if "zarr" in message:
            media_type, key = "application/octet-stream", omezarr_key(slide_id, message["zarr"])
            self._zarr_open, self._zarr_hash = (slide_id, message["zarr"]), hashlib.sha256()
        else:
            self._zarr_open = None
            media_type, key = "application/dicom", instance_key(slide_id, message["sop_uid"])
            if key in self._size_bytes:  # it may have been verified already
                raise ValueError("an instance comes twice")
        self._key, self._size_bytes[key] = key, 0
        with ExitStack() as stack:
            writing = self._store.open_write(key, content_type=media_type)
            self._sink = stack.enter_context(writing)
            self._open = stack.pop_all()

    def _data(self, payload: bytes) -> None:
        if self._sink is None:
            raise ValueError("no instance is open")
        self._left -= len(payload)
        if self._left < 0:
            raise errors.ConversionCrashedError("The file became larger than any slide.")
        self._size_bytes[self._key] += len(payload)
        if self._zarr_open is not None:
            self._zarr_hash.update(payload)
        self._sink.write(payload)

    def _end(self, _: bytes) -> None:
        if self._open is None:
            raise ValueError("no instance is open")
        finished, self._open, self._sink = self._open, None, None
        finished.close()
        if self._zarr_open is not None:
            slide_id, name = self._zarr_open
            whole = SideObject(
                omezarr_name(name), self._size_bytes[self._key], self._zarr_hash.hexdigest()
            )
            self._zarr.setdefault(slide_id, {})[name] = whole

    def _take_hashes(self, payload: bytes) -> None:
        head, _, hashes = payload.partition(b"\n")
        message = json.loads(head)
        uid, size_bytes, sha256 = message["sop_uid"], message["size_bytes"], message["sha256"]
        if self._open is not None or uid in self._written:
            raise ValueError("no instance has just ended")
        if not self._key.endswith(f"/{uid}.dcm"):
            raise ValueError("another instance has just ended")
        if size_bytes != self._size_bytes[self._key]:
            raise errors.ConversionCrashedError("An instance did not come over whole.")
        self._written[uid] = Written(self._key, size_bytes, str(sha256), hashes)
        self._finished(self._written[uid])

    def _take_progress(self, payload: bytes) -> None:
        share = float(json.loads(payload)["progress"])
        if not 0 <= share <= 1:  # no number at all, too
            raise ValueError("a share lies between 0 and 1")
        self._progress(share)

    def _take_result(self, payload: bytes) -> None:
        self._result = json.loads(payload)

    def _take_error(self, payload: bytes) -> None:
        self._error = ToldError.model_validate_json(payload)

    def result(self, child: subprocess.Popen[bytes]) -> Conversion:
        """After the pipe was closed: the slide, or the error that the child told."""
        if self._error is not None:
            raise told_error(self._error)
        if self._result is None:
            raise death_of(child)
        try:
            scenes = [
                self._scene(number, told) for number, told in enumerate(self._result["scenes"])
            ]
        except _NONSENSE as error:
            raise errors.ConversionCrashedError("The reader of the file sent nonsense.") from error
        if not scenes:
            raise errors.ConversionCrashedError("The reader of the file made no slide.")
        hashes = {uid: written.frame_hashes for uid, written in self._written.items()}
        return Conversion(scenes, hashes)

    def _scene(self, number: int, told: dict[str, Any]) -> ConvertedScene:
        manifest = SlideManifest.from_json(told["manifest"])
        if manifest.slide_uuid != scene_slide_id(self._slide_id, number):
            raise errors.ConversionCrashedError("The reader of the file made another slide.")
        if not any(record.level == 0 for record in manifest.instances):
            raise errors.ConversionCrashedError("The reader of the file made no base level.")
        for record in manifest.instances:
            written = self._written.get(record.sop_instance_uid)
            key = instance_key(manifest.slide_uuid, record.sop_instance_uid)
            said = (key, record.size_bytes, record.sha256)
            if written is None or (written.key, written.size_bytes, written.sha256) != said:
                raise errors.ConversionCrashedError("An instance did not come over whole.")
            if hashlib.sha256(written.frame_hashes).hexdigest() != record.frames_sha256:
                raise errors.ConversionCrashedError("The hashes of an instance are not its own.")
        facts = SlideFacts.model_validate(told["facts"])
        zarr = list(self._zarr.get(manifest.slide_uuid, {}).values())
        if told["quality"] is None:
            return ConvertedScene(manifest, facts, zarr=zarr)
        quality = SlideQuality.model_validate(told["quality"])
        heat_map = base64.b64decode(told["heat_map"], validate=True) if quality.heat_map else None
        return ConvertedScene(manifest, facts, quality, heat_map, zarr)
