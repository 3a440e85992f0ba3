"""Put right in the stores what was found wrong: evidence first, then the other copy."""

import logging
from dataclasses import dataclass
from uuid import UUID

from sgi.domain.integrity import Damage, Finding, Place
from sgi.domain.slide import StoredInstance
from sgi.domain.tier import Tier
from sgi.errors import VerificationError
from sgi.integrity.copying import copy_as_it_is, copy_proved
from sgi.integrity.expected import Known, Manifest, expected_objects
from sgi.integrity.look import Whole
from sgi.integrity.pace import Pace
from sgi.integrity.packed import ArchivedError, Unpacking
from sgi.stored.keys import MANIFEST, instance_key, manifest_key, quarantine_key, slide_folder
from sgi.stores import Stores
from storage.errors import StorageError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
_TRIES = 3


def set_aside(
    stores: Stores, slide_id: UUID, finding: Finding, incident_id: UUID, pace: Pace
) -> str | None:
    """Copy damaged bytes into the quarantine; the key, or None where there was nothing to copy."""
    store = store_of(stores, finding.place)
    if store is None or finding.damage not in {Damage.SIZE, Damage.BYTES}:
        return None
    key = quarantine_key(slide_id, incident_id, finding.key.removeprefix(slide_folder(slide_id)))
    try:
        return key if copy_as_it_is(store, stores.warm, finding.key, key, pace) else None
    except StorageError as error:
        _log.warning("no evidence kept of incident %s: %s", incident_id, type(error).__name__)
        return None


@dataclass(frozen=True, slots=True)
class Mending:
    """Replaces damaged objects of a slide by their other copies."""

    stores: Stores
    known: Known
    manifest: Manifest | None
    """The slide's, where it is to be trusted."""
    pace: Pace
    unpacking: Unpacking | None

    def mend(self, finding: Finding) -> bool:
        """True when the object is proved sound now. Raises StoppedError."""
        for _ in range(_TRIES):
            try:
                return self._mend(finding)
            except VerificationError:  # a flip on the way, perhaps
                continue
            except ArchivedError:
                _log.warning("%s is not repaired: its cold copy is archived", finding.key)
                return False
            except StorageError as error:
                _log.warning("%s is not repaired: %s", finding.key, type(error).__name__)
                return False
        _log.warning("%s is not repaired: the other copy is damaged too", finding.key)
        return False

    def _mend(self, finding: Finding) -> bool:
        cold = _cold_instance(self.known, finding)
        second = self.stores.second
        if cold is not None:
            if self.unpacking is None or second is None:
                return False
            self.unpacking.copy(self.known.slide.id, cold, second)
            return True
        source, target = _from_and_to(self.stores, self.known, finding)
        key = finding.key
        if finding.place is Place.COLD:  # the second copy is no packed one: it becomes warm
            key = instance_key(self.known.slide.id, uid_of_cold(key))
        wanted = _wanted(self.known, self.manifest).get(key)
        if source is None or target is None or wanted is None:
            return False
        copy_proved(source, target, key, wanted, self.pace)
        return True


def uid_of_cold(key: str) -> str:
    """The SOP Instance UID of a packed copy, by its key."""
    return key.rpartition("/")[2].removesuffix(".cold")


def store_of(stores: Stores, place: Place) -> ObjectStore | None:
    """The store of a place that is one."""
    return {Place.WARM: stores.warm, Place.COLD: stores.cold, Place.SECOND: stores.second}.get(
        place
    )


def _from_and_to(
    stores: Stores, known: Known, finding: Finding
) -> tuple[ObjectStore | None, ObjectStore | None]:
    if finding.damage is Damage.EXTRA:
        return None, None
    if finding.place in {Place.WARM, Place.COLD} and known.is_copied:
        return stores.second, stores.warm
    if finding.place is Place.SECOND:
        return stores.warm, stores.second
    return None, None


def _cold_instance(known: Known, finding: Finding) -> StoredInstance | None:
    """Whose second copy is damaged while its first one is packed."""
    if finding.place is not Place.SECOND or finding.damage is Damage.EXTRA:
        return None
    for instance in known.slide.instances:
        is_it = instance_key(known.slide.id, instance.sop_uid) == finding.key
        if is_it and instance.tier is not Tier.WARM:
            return instance
    return None


def _wanted(known: Known, manifest: Manifest | None) -> dict[str, Whole]:
    """By key, what each object of a slide must be."""
    found = {
        each.key: each.best for each in expected_objects(known, manifest) if each.best is not None
    }
    row = known.side_objects.get(MANIFEST)
    if row is not None:
        found[manifest_key(known.slide.id)] = Whole(row.size_bytes, row.sha256)
    return found
