"""The bytes of a move: the other tier's copy of an instance, written and proved.

Blocking, for a thread. Nothing is deleted here, and no row is touched.
"""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from dicom.cold import ColdInstance, pack
from dicom.errors import DicomError
from dicom.hashing import HashingSink
from dicom.ports import ByteSource
from sgi.domain.slide import StoredInstance
from sgi.domain.tiers import ColdCopy
from sgi.errors import StoppedError, VerificationError
from sgi.keeping.frozen import freeze_copy, frozen_copy
from sgi.keeping.recompression import Recompression
from sgi.settings import Settings
from sgi.stored.keys import cold_key, frame_hashes_key, instance_key
from sgi.stored.sources import StoredObject
from storage.errors import (
    CorruptObjectError,
    ObjectChangedError,
    ObjectNotFoundError,
    RangeError,
    StorageError,
)
from storage.store import ObjectStore

_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
_HASHES_BYTES = 1 << 30
DAMAGED = (
    DicomError,
    VerificationError,
    ObjectNotFoundError,
    ObjectChangedError,
    CorruptObjectError,
    RangeError,
)
"""What tells of a bad object, and not of a store that does not answer."""

Count = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Copies:
    """Makes the copies of one slide's instances."""

    slide_id: UUID
    warm: ObjectStore
    cold: ObjectStore
    settings: Settings
    cancelled: threading.Event
    count: Count = lambda _: None
    """Hears of bytes as they are worked through, each twice: once written, once proved."""
    is_ours: Callable[[str], bool] = lambda _: True
    """Asked of an instance just before its cold copy appears: False where another mover was first,
    whose copy may be the last there is."""

    def make_cold(
        self, instance: StoredInstance, known: ColdCopy | None, *, doubted: bool = False
    ) -> ColdCopy:
        """A cold copy that was read back and gives the instance bit for bit.

        One of an earlier time, `known`, is used again when it still does. An archive freezes the
        copy once it is proved; one that was proved and frozen before is taken as it is, unless
        something has spoken against it since: `doubted`.

        Raises:
            VerificationError: the warm copy is damaged, or the cold one was not kept as written.
            StoppedError: the worker is stopping.
            DicomError, StorageError: as they come.
        """
        frozen = None if doubted else frozen_copy(self.cold, self.slide_id, instance)
        if frozen is not None:
            return frozen
        hashes = self._hashes(instance)
        if known is None or not self._is_sound(instance, known, hashes):
            known = self._write_cold(instance)
            self._prove_cold(instance, known, hashes)
        freeze_copy(self.cold, self.slide_id, instance, known)
        return known

    def prove_cold(
        self, instance: StoredInstance, known: ColdCopy, *, doubted: bool
    ) -> ColdCopy | None:
        """The cold copy as it lies there now, once it is certain that it gives the instance.

        One that has the bytes that were proved when it was written is certain; one that is
        `doubted`, or that another mover has written meanwhile, is unpacked. None for one that does
        not give the instance; raises StoppedError, and the store's errors when it does not answer.
        """
        frozen = None if doubted else frozen_copy(self.cold, self.slide_id, instance)
        if frozen is not None:
            return frozen
        key = cold_key(self.slide_id, instance.sop_uid)
        try:
            found = self._whole(self.cold, key)
            if doubted or found != known:
                self._prove_cold(instance, found, self._hashes(instance))
                if self._whole(self.cold, key) != found:
                    return None
                freeze_copy(self.cold, self.slide_id, instance, found)
        except DAMAGED:
            return None
        return found

    def warm_is_right(self, instance: StoredInstance) -> bool:
        """Whether the warm object is there, every byte of it; raises as `prove_cold`."""
        key = instance_key(self.slide_id, instance.sop_uid)
        try:
            if self.warm.size(key) != instance.size_bytes:
                return False
            found = self._whole(self.warm, key)
        except DAMAGED:
            return False
        return found.sha256.hex() == instance.sha256

    def make_warm(self, instance: StoredInstance) -> None:
        """The warm copy again, of a cold one that gives it; raises as `make_cold`."""
        key = instance_key(self.slide_id, instance.sop_uid)
        hashes = self._hashes(instance)
        with self.warm.open_write(key, content_type="application/dicom") as sink:
            # By the size that it has, whoever wrote it: what comes out is compared.
            size_bytes = self.cold.size(cold_key(self.slide_id, instance.sop_uid))
            cold = self._open_cold(instance, size_bytes)
            with self._recompression(background=False) as process:
                written = cold.unpack(sink, process.give_back)
            if written.frame_hashes != hashes:  # before the object appears
                raise VerificationError("A frame of the cold copy is not what was written.")

    def prove_warm(self, instance: StoredInstance) -> None:
        """Read the warm copy back; raises as `make_cold`."""
        key = instance_key(self.slide_id, instance.sop_uid)
        if self._whole(self.warm, key).sha256.hex() != instance.sha256:
            raise VerificationError("The restored object is not what was written.")

    def _write_cold(self, instance: StoredInstance) -> ColdCopy:
        key = instance_key(self.slide_id, instance.sop_uid)
        source = self._watched(StoredObject(self.warm, key, instance.size_bytes))
        smaller = instance.transfer_syntax == _JPEG_BASELINE
        with (
            self._recompression(background=True) as process,
            self.cold.open_write(cold_key(self.slide_id, instance.sop_uid)) as sink,
        ):
            with HashingSink(sink) as hashing:
                recompress = process.recompress if smaller else None
                packed = pack(source, instance.size_bytes, hashing, recompress)
            if packed.sha256 != instance.sha256:  # before the object appears
                raise VerificationError("The warm copy is not what was written; it stays.")
            if not self.is_ours(instance.sop_uid):  # the same
                raise StoppedError("Another worker has moved the slide meanwhile.")
        return ColdCopy(packed.size_bytes, bytes.fromhex(hashing.hexdigest()))

    def _prove_cold(self, instance: StoredInstance, copy: ColdCopy, hashes: bytes) -> None:
        """Frame by frame, in a process that has seen nothing but what the cold store gives."""
        cold = self._open_cold(instance, copy.size_bytes)
        with self._recompression(background=True) as process:
            written = cold.unpack(_Nowhere(), process.give_back)
        if written.frame_hashes != hashes:
            raise VerificationError("A frame of the cold copy is not what was written.")

    def _open_cold(self, instance: StoredInstance, size_bytes: int) -> ColdInstance:
        key = cold_key(self.slide_id, instance.sop_uid)
        source = self._watched(StoredObject(self.cold, key, size_bytes))
        found = ColdInstance.open(source, size_bytes)
        if (found.size_bytes, found.sha256) != (instance.size_bytes, instance.sha256):
            raise VerificationError("The cold copy is of another object.")
        return found

    def _is_sound(self, instance: StoredInstance, copy: ColdCopy, hashes: bytes) -> bool:
        try:
            self._prove_cold(instance, copy, hashes)
        except (DicomError, StorageError, VerificationError):
            return False
        return True

    def _hashes(self, instance: StoredInstance) -> bytes:
        key = frame_hashes_key(self.slide_id, instance.sop_uid)
        return self.warm.read(key, limit_bytes=_HASHES_BYTES)

    def _whole(self, store: ObjectStore, key: str) -> ColdCopy:
        """Size and hash of every byte of an object."""
        size_bytes, digest = 0, hashlib.sha256()
        for piece in store.read_chunks(key):
            size_bytes += len(piece)
            digest.update(piece)
            self._worked(len(piece))
        return ColdCopy(size_bytes, digest.digest())

    def _recompression(self, *, background: bool) -> Recompression:
        keeping = self.settings.keeping
        threads = keeping.threads if background else max(keeping.threads, 2)
        memory_bytes = keeping.memory_mb << 20
        return Recompression(memory_bytes, threads, self.cancelled, background=background)

    def _watched(self, source: ByteSource) -> ByteSource:
        return _Watched(source, self._worked)

    def _worked(self, size_bytes: int) -> None:
        if self.cancelled.is_set():
            raise StoppedError("The worker is stopping; the slide is taken up again later.")
        self.count(size_bytes)


class _Nowhere:
    """Takes bytes that were looked at already."""

    def write(self, data: bytes) -> None:
        """Forget them."""


@dataclass(frozen=True, slots=True)
class _Watched:
    """Counts what is read, and stops when it should."""

    source: ByteSource
    worked: Count

    def read(self, offset: int, length: int) -> bytes:
        """As the source's."""
        data = self.source.read(offset, length)
        self.worked(len(data))
        return data
