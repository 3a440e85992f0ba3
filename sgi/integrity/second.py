"""The second copy: every published slide, object by object, read back from where it was put."""

import asyncio
import json
import logging
from uuid import UUID

from sgi.catalogue import integrity
from sgi.domain.tier import Tier
from sgi.errors import VerificationError
from sgi.integrity.copying import copy_proved
from sgi.integrity.expected import Known, Manifest, expected_objects, parse_manifest
from sgi.integrity.look import Whole, look
from sgi.integrity.pace import Pace
from sgi.integrity.verify import Verifier
from sgi.stored import ESTABLISHMENTS, MANIFEST, manifest_key
from storage.errors import ObjectNotFoundError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)


async def copy_slide(verifier: Verifier, establishment_id: UUID, slide_id: UUID) -> bool:
    """Put a slide into the second store; False when a damaged object stands in the way.

    What is damaged is told of as an incident. Raises the stores' errors when one does not answer,
    and StoppedError; what was copied by then is not copied again.
    """
    second = verifier.stores.second
    known = await verifier.known(establishment_id, slide_id)
    if second is None or known is None:
        return False
    try:
        await asyncio.to_thread(_copy, verifier.stores.warm, second, known, verifier.pace)
    except (VerificationError, ObjectNotFoundError):
        await verifier.verify(establishment_id, slide_id)
        return False
    async with verifier.database.transaction(establishment_id) as connection:
        await integrity.mark_copied(connection, slide_id)
    return True


def _copy(warm: ObjectStore, second: ObjectStore, known: Known, pace: Pace) -> None:
    slide, row = known.slide, known.side_objects.get(MANIFEST)
    manifest = parse_manifest(warm.read(manifest_key(slide.id)))
    if manifest is None or (row is not None and manifest.whole.sha256 != row.sha256):
        raise VerificationError("The manifest is not what was written.")
    for key, wanted in _objects(known, manifest).items():
        if look(second, key, [wanted], pace) != wanted:
            copy_proved(warm, second, key, wanted, pace)
    # Last, as in the first store: what has a manifest is whole.
    copy_proved(warm, second, manifest_key(slide.id), manifest.whole, pace)


def _objects(known: Known, manifest: Manifest) -> dict[str, Whole]:
    found = {}
    for each in expected_objects(known, manifest):
        if each.best is None:
            raise VerificationError("The slide must be verified before it is copied.")
        if each.instance is not None and each.instance.tier is not Tier.WARM:
            raise VerificationError("A cold slide is copied once it is warm again.")
        found[each.key] = each.best
    return found


def copy_decisions(warm: ObjectStore, second: ObjectStore) -> int:
    """Bring what establishments have decided over; how many objects were new or had changed.

    They are small and may change: the first store's are the ones in force. None is ever removed
    from the second store: it is there for the day when the first has lost something.
    """
    changed = 0
    for info in warm.list(ESTABLISHMENTS):
        data = warm.read(info.key)
        if _content(second, info.key) == data:
            continue
        if not _is_json(data):
            _log.error("INTEGRITY %s is no document; its second copy is left as it is", info.key)
            continue
        second.put(info.key, data, content_type="application/json")
        changed += 1
    return changed


def _content(store: ObjectStore, key: str) -> bytes | None:
    try:
        return store.read(key)
    except ObjectNotFoundError:
        return None


def _is_json(data: bytes) -> bool:
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
