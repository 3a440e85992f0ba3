"""Cold copies in an archive, which nobody reads in place: marked when they are proved and frozen.

The marks say of which instance a frozen copy is, and what its bytes hashed to when they were read
back. Whoever died after freezing finds by them that nothing is left to do. Blocking.
"""

import re
from uuid import UUID

from sgi.domain.slide import StoredInstance
from sgi.domain.tiers import ColdCopy
from sgi.errors import VerificationError
from sgi.stored.keys import FROZEN_OF, FROZEN_SHA256, cold_key
from storage.errors import ObjectNotFoundError
from storage.store import ObjectStore
from storage.thaw import Thaw, thawable

_SHA256 = re.compile(r"[0-9a-f]{64}")


def frozen_copy(store: ObjectStore, slide_id: UUID, instance: StoredInstance) -> ColdCopy | None:
    """The instance's copy, if it was proved, lies in the archive and cannot be read there.

    Raises the store's errors when it does not answer.
    """
    archive = thawable(store)
    if archive is None or not archive.freezes():
        return None
    try:
        state = archive.state(cold_key(slide_id, instance.sop_uid))
    except ObjectNotFoundError:
        return None
    sha256 = state.marks.get(FROZEN_SHA256, "")
    if state.is_readable or state.marks.get(FROZEN_OF) != instance.sha256:
        return None
    return ColdCopy(state.size_bytes, bytes.fromhex(sha256)) if _SHA256.fullmatch(sha256) else None


def freeze_copy(
    store: ObjectStore, slide_id: UUID, instance: StoredInstance, copy: ColdCopy
) -> None:
    """Freeze a copy that has just been proved, where the store is an archive; safe to run again.

    Raises:
        VerificationError: what lies in the archive then is not the copy.
        StorageError: as it comes.
    """
    archive = thawable(store)
    if archive is None or not archive.freezes():
        return
    key = cold_key(slide_id, instance.sop_uid)
    archive.freeze(key, {FROZEN_OF: instance.sha256, FROZEN_SHA256: copy.sha256.hex()})
    state = archive.state(key)
    if state.thaw is Thaw.NEVER_FROZEN or state.size_bytes != copy.size_bytes:
        raise VerificationError("The cold copy was not frozen as it was written.")
