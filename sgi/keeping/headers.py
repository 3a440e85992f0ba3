"""What instances begin with, up to their first frame: proved before anything is believed of it.

A range read of a store proves nothing, and whose slide it is stands in the header. Blocking.
"""

import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

from dicom.cold import LONGEST_HEADER, ColdInstance
from dicom.errors import UnsupportedInstanceError
from dicom.frame_index import FrameIndex
from sgi.domain.slide import StoredInstance
from sgi.domain.tier import Tier
from sgi.errors import ColdError, VerificationError
from sgi.stored.keys import cold_key, instance_key
from sgi.stored.sources import StoredObject
from sgi.stores import Stores

_PIECE_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class Headers:
    """Reads them from where the instances lie."""

    stores: Stores

    def read(self, slide_id: UUID, stored: StoredInstance) -> bytes:
        """The header as it was written; of a cold instance, from its packed copy.

        An instance whose header was never hashed is read whole. Raises VerificationError where it
        is not what was written, ColdError where there is no cold store, and StorageError and
        DicomError as they come.
        """
        if stored.header_bytes is None or stored.header_sha256 is None:
            return self._proved_by_all(slide_id, stored)
        if stored.header_bytes > LONGEST_HEADER:
            raise UnsupportedInstanceError("The header is longer than any that is read at once.")
        if stored.tier is Tier.WARM:
            key = instance_key(slide_id, stored.sop_uid)
            header = self.stores.warm.read_range(key, 0, stored.header_bytes)
        else:
            header = self._cold(slide_id, stored)
        if hashlib.sha256(header).hexdigest() != stored.header_sha256:
            raise VerificationError("The header of a stored instance is not what was written.")
        return header

    def _cold(self, slide_id: UUID, stored: StoredInstance) -> bytes:
        cold = self.stores.cold
        if cold is None:
            raise ColdError("The slide is in cold storage, and no cold store is set here.")
        key = cold_key(slide_id, stored.sop_uid)
        size_bytes = cold.size(key)
        return ColdInstance.open(StoredObject(cold, key, size_bytes), size_bytes).header()

    def _proved_by_all(self, slide_id: UUID, stored: StoredInstance) -> bytes:
        if stored.tier is not Tier.WARM:
            raise ColdError("The header of the slide was never hashed; ask for its restore first.")
        key, store = instance_key(slide_id, stored.sop_uid), self.stores.warm
        index = FrameIndex.read(StoredObject(store, key, stored.size_bytes))
        length, _ = index.offset(0)
        if length > LONGEST_HEADER:
            raise UnsupportedInstanceError("The header is longer than any that is read at once.")
        whole, header = hashlib.sha256(), bytearray()
        for data in store.read_chunks(key, _PIECE_BYTES):
            whole.update(data)
            header += data[: length - len(header)]
        if whole.hexdigest() != stored.sha256:
            raise VerificationError("The stored object is not what was written.")
        return bytes(header)


def with_header(stored: StoredInstance, header: bytes) -> StoredInstance:
    """The instance, its header's hash known."""
    sha256 = hashlib.sha256(header).hexdigest()
    return replace(stored, header_bytes=len(header), header_sha256=sha256)
