"""Put right in the stores what was found wrong: evidence first, then the other copy."""

import logging
from uuid import UUID

from sgi.domain.integrity import Damage, Finding, Place
from sgi.domain.tier import Tier
from sgi.errors import VerificationError
from sgi.integrity.copying import copy_as_it_is, copy_proved
from sgi.integrity.expected import Known, Manifest, expected_objects
from sgi.integrity.look import Whole
from sgi.integrity.pace import Pace
from sgi.stored import MANIFEST, instance_key, manifest_key, quarantine_key, slide_folder
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
    key = quarantine_key(incident_id, finding.key.removeprefix(slide_folder(slide_id)))
    try:
        return key if copy_as_it_is(store, stores.warm, finding.key, key, pace) else None
    except StorageError as error:
        _log.warning("no evidence kept of incident %s: %s", incident_id, type(error).__name__)
        return None


def mend(
    stores: Stores, known: Known, manifest: Manifest | None, finding: Finding, pace: Pace
) -> bool:
    """Replace a damaged object by its other copy; True when the object is proved sound now.

    `manifest` is the slide's where it is to be trusted. Raises StoppedError.
    """
    source, target = _from_and_to(stores, known, finding)
    key = finding.key
    if finding.place is Place.COLD:  # the second copy is no packed one: the instance becomes warm
        key = instance_key(known.slide.id, uid_of_cold(key))
    wanted = _wanted(known, manifest).get(key)
    if source is None or target is None or wanted is None:
        return False
    for _ in range(_TRIES):
        try:
            copy_proved(source, target, key, wanted, pace)
        except VerificationError:  # a flip on the way, perhaps
            continue
        except StorageError as error:
            _log.warning("%s is not repaired: %s", finding.key, type(error).__name__)
            return False
        return True
    _log.warning("%s is not repaired: the other copy is damaged too", finding.key)
    return False


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
    if finding.place is Place.SECOND and not _is_cold(known, finding.key):
        return stores.warm, stores.second
    return None, None


def _is_cold(known: Known, key: str) -> bool:
    cold = {i.sop_uid for i in known.slide.instances if i.tier is not Tier.WARM}
    name = key.removeprefix(slide_folder(known.slide.id))
    return name.endswith(".dcm") and name.removesuffix(".dcm") in cold


def _wanted(known: Known, manifest: Manifest | None) -> dict[str, Whole]:
    """By key, what each object of a slide must be."""
    found = {
        each.key: each.best for each in expected_objects(known, manifest) if each.best is not None
    }
    row = known.side_objects.get(MANIFEST)
    if row is not None:
        found[manifest_key(known.slide.id)] = Whole(row.size_bytes, row.sha256)
    return found
