"""The second copy: every published slide, object by object, read back from where it was put."""

import asyncio
import logging
from uuid import UUID

from sgi.catalogue import integrity
from sgi.domain.integrity import Place
from sgi.domain.tier import Tier
from sgi.errors import VerificationError
from sgi.integrity.copying import copy_proved
from sgi.integrity.expected import Expected, Known, expected_objects, is_cold, parse_manifest
from sgi.integrity.look import Whole, look
from sgi.integrity.packed import ArchivedError
from sgi.integrity.progress import Progress
from sgi.integrity.verify import Verifier
from sgi.jobs.retention import protect_again
from sgi.stored.keys import MANIFEST, manifest_key, slide_folder
from storage.errors import ObjectNotFoundError
from storage.store import ObjectStore

_log = logging.getLogger(__name__)


async def copy_slide(
    verifier: Verifier, establishment_id: UUID, slide_id: UUID, progress: Progress | None = None
) -> bool:
    """Put a slide into the second store; False when a damaged object stands in the way.

    What is damaged is told of as an incident. Raises the stores' errors when one does not answer,
    StoppedError, and RoundOverError where `progress` says so; what was copied by then is not
    copied again.
    """
    second = verifier.stores.second
    known = await verifier.known(establishment_id, slide_id)
    if second is None or known is None:
        return False
    progress = progress or Progress()
    progress.begin(known)
    try:
        await asyncio.to_thread(_copy, verifier, second, known, progress)
    except ArchivedError:
        _log.info("slide %s is copied once its cold store gives it to be read", slide_id)
        return False
    except (VerificationError, ObjectNotFoundError):
        await verifier.verify(establishment_id, slide_id)
        return False
    async with verifier.database.transaction(establishment_id) as connection:
        await integrity.mark_copied(connection, slide_id)
        await protect_again(connection, establishment_id, slide_id)
    return True


def _copy_one(
    verifier: Verifier, second: ObjectStore, known: Known, each: Expected, wanted: Whole
) -> None:
    if not is_cold(each):
        copy_proved(verifier.stores.warm, second, each.key, wanted, verifier.pace)
    elif verifier.unpacking is not None and each.instance is not None:
        verifier.unpacking.copy(known.slide.id, each.instance, second)


def _copy(verifier: Verifier, second: ObjectStore, known: Known, progress: Progress) -> None:
    warm, pace = verifier.stores.warm, verifier.pace
    slide, row = known.slide, known.side_objects.get(MANIFEST)
    manifest = parse_manifest(warm.read(manifest_key(slide.id)))
    if manifest is None or (row is not None and manifest.whole.sha256 != row.sha256):
        raise VerificationError("The manifest is not what was written.")
    for instance in slide.instances:
        if instance.tier is not Tier.WARM:  # known before anything is copied, many times perhaps
            if verifier.unpacking is None:
                raise ArchivedError
            verifier.unpacking.require_readable(slide.id, instance)
    there = {info.key: info.size_bytes for info in second.list(slide_folder(slide.id))}
    for each in expected_objects(known, manifest):
        if each.best is None:
            raise VerificationError("The slide must be verified before it is copied.")
        if progress.seen(Place.SECOND, each.key) == each.best:
            continue
        is_there = there.get(each.key) == each.best.size_bytes
        if not is_there or look(second, each.key, [each.best], pace) != each.best:
            _copy_one(verifier, second, known, each, each.best)
        progress.keep(Place.SECOND, each.key, each.best)
    # Last, as in the first store: what has a manifest is whole.
    copy_proved(warm, second, manifest_key(slide.id), manifest.whole, pace)
