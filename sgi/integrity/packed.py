"""Packed copies of instances unpacked in a confined process: the proof that nothing else is."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from dicom.cold import ColdInstance
from dicom.errors import DicomError
from dicom.ports import ByteSink, ByteSource
from sgi.domain.slide import StoredInstance
from sgi.errors import VerificationError
from sgi.integrity.look import Whole, look
from sgi.integrity.pace import Pace
from sgi.keeping.recompression import Recompression
from sgi.settings import KeepingSettings
from sgi.stored.keys import cold_key, instance_key
from sgi.stored.sources import StoredObject
from storage.errors import StoreRefusedError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_TRIES = 2
_DAMAGED = "The cold copy is not what was written."


class ArchivedError(Exception):
    """The cold store does not give the copy to be read now; nothing is wrong with it."""


@dataclass(frozen=True, slots=True)
class Unpacking:
    """Unpacks what lies in the cold store; blocking, for a thread."""

    cold: ObjectStore
    pace: Pace
    keeping: KeepingSettings

    def gives_back(self, slide_id: UUID, instance: StoredInstance) -> bool:
        """Whether the packed copy gives the instance bit for bit.

        Raises ArchivedError, the store's errors and StoppedError.
        """
        for _ in range(_TRIES):  # a flip on the way is not one in the store
            try:
                self._unpack(slide_id, instance, _Nowhere())
            except (DicomError, VerificationError):
                continue
            return True
        return False

    def require_readable(self, slide_id: UUID, instance: StoredInstance) -> None:
        """Read the packed copy's index; raises as `copy`."""
        try:
            self._open(slide_id, instance)
        except DicomError as error:
            raise VerificationError(_DAMAGED) from error

    def copy(self, slide_id: UUID, instance: StoredInstance, target: ObjectStore) -> None:
        """Put the instance, as it was before it was packed, into another store; read back.

        Raises VerificationError when the packed copy does not give it, ArchivedError, and as
        `gives_back`; then nothing new appears in `target`.
        """
        key = instance_key(slide_id, instance.sop_uid)
        wanted = Whole(instance.size_bytes, instance.sha256)
        with target.open_write(key, content_type="application/dicom") as sink:
            try:
                self._unpack(slide_id, instance, sink)
            except DicomError as error:
                raise VerificationError(_DAMAGED) from error
        if look(target, key, [wanted], self.pace) != wanted:
            raise VerificationError("The copy is not what was written.")

    def _unpack(self, slide_id: UUID, instance: StoredInstance, sink: ByteSink) -> None:
        packed = self._open(slide_id, instance)
        memory_bytes, threads = self.keeping.memory_mb << 20, self.keeping.threads
        with Recompression(memory_bytes, threads, self.pace.cancelled) as process:
            packed.unpack(sink, process.give_back)

    def _open(self, slide_id: UUID, instance: StoredInstance) -> ColdInstance:
        with _told_if_archived():
            key = cold_key(slide_id, instance.sop_uid)
            size_bytes = self.cold.size(key)
            source = _Paced(StoredObject(self.cold, key, size_bytes), self.pace)
            packed = ColdInstance.open(source, size_bytes)
        if (packed.size_bytes, packed.sha256) != (instance.size_bytes, instance.sha256):
            raise VerificationError("The cold copy is of another object.")
        return packed


@contextmanager
def _told_if_archived() -> Iterator[None]:
    try:
        yield
    except StoreRefusedError as error:
        raise ArchivedError from error


class _Nowhere:
    """Takes bytes that were looked at already."""

    def write(self, data: bytes) -> None:
        """Forget them."""


@dataclass(frozen=True, slots=True)
class _Paced:
    """Reads as fast as it may."""

    source: ByteSource
    pace: Pace

    def read(self, offset: int, length: int) -> bytes:
        """As the source's."""
        data = self.source.read(offset, length)
        self.pace.spend(len(data))
        return data
