"""What of a slide lies in the cold store: packed copies, proved by their own hashes."""

from dicom.cold import ColdInstance
from dicom.errors import DicomError
from sgi.domain.integrity import Damage, Place, Scrubbed
from sgi.domain.slide import StoredInstance
from sgi.domain.tier import Tier
from sgi.integrity.examine import Examined, damage_of
from sgi.integrity.expected import Known
from sgi.integrity.look import Whole, look
from sgi.integrity.pace import Pace
from sgi.stored import StoredObject, cold_key
from storage.errors import ObjectNotFoundError, StorageError, StoreRefusedError
from storage.store import ObjectStore


def examine_cold(store: ObjectStore, known: Known, pace: Pace) -> Examined:
    """Read every packed copy of instances that are cold; blocking, for a thread.

    A store that gives an archived object back only after hours refuses to have it read: of such a
    one the size is compared, and no more. Raises the store's errors when it does not answer, and
    StoppedError.
    """
    out = Examined(Place.COLD)
    for instance in known.slide.instances:
        if instance.tier is not Tier.WARM:
            _examine_copy(store, known, instance, pace, out)
    return out


def _examine_copy(
    store: ObjectStore, known: Known, instance: StoredInstance, pace: Pace, out: Examined
) -> None:
    key = cold_key(known.slide.id, instance.sop_uid)
    copy = known.cold.get(instance.sop_uid)
    wanted = Whole(copy.size_bytes, copy.sha256.hex()) if copy and copy.sha256 else None
    try:
        seen = look(store, key, [] if wanted is None else [wanted], pace)
    except StoreRefusedError:
        damage = _damage_by_size(store, key, copy.size_bytes if copy else None)
        out.read += Scrubbed(objects=1)
        if damage is not None:
            out.add(key, damage)
        return
    out.read += Scrubbed(objects=1, bytes=seen.size_bytes if isinstance(seen, Whole) else 0)
    if not isinstance(seen, Whole) or (wanted is not None and seen != wanted):
        out.add(key, damage_of(seen, wanted))
    elif wanted is None:
        if _is_of(store, key, seen, instance):
            out.learned_cold[instance.sop_uid] = seen
        else:
            out.add(key, Damage.BYTES)


def _damage_by_size(store: ObjectStore, key: str, size_bytes: int | None) -> Damage | None:
    """Raises the store's errors when it refuses even that."""
    try:
        return None if store.size(key) == size_bytes else Damage.SIZE
    except ObjectNotFoundError:
        return Damage.MISSING


def _is_of(store: ObjectStore, key: str, seen: Whole, instance: StoredInstance) -> bool:
    """Whether a copy whose hash nobody knows is at least one of this very instance."""
    try:
        packed = ColdInstance.open(StoredObject(store, key, seen.size_bytes), seen.size_bytes)
    except (DicomError, StorageError):
        return False
    return (packed.size_bytes, packed.sha256) == (instance.size_bytes, instance.sha256)
