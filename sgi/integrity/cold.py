"""What of a slide lies in the cold store: packed copies, proved by their own hashes."""

from datetime import UTC, datetime

from sgi.domain.integrity import Damage, Finding, Place, Scrubbed
from sgi.domain.slide import StoredInstance
from sgi.domain.tier import Tier
from sgi.domain.tiers import ColdCopy
from sgi.integrity.examine import YOUNG, Examined, damage_of
from sgi.integrity.expected import Known
from sgi.integrity.look import Whole, look
from sgi.integrity.pace import Pace
from sgi.integrity.packed import ArchivedError, Unpacking
from sgi.integrity.progress import Progress
from sgi.settings import KeepingSettings
from sgi.stored.keys import FROZEN_SHA256, cold_key, slide_folder
from storage.errors import ObjectNotFoundError, StoreRefusedError
from storage.store import ObjectStore
from storage.thaw import thawable

_KEPT = (
    "The cold copy that stays after a restore is not what was written; the slide does not need it, "
    "and it is made anew when the slide becomes cold."
)


def examine_cold(
    store: ObjectStore,
    known: Known,
    pace: Pace,
    keeping: KeepingSettings,
    progress: Progress | None = None,
) -> Examined:
    """Read every packed copy of instances that are cold; blocking, for a thread.

    One whose hash nobody knows, as after a rebuild, is believed once it gave its instance back.

    Copies that stay after a restore are read too: nothing relies on them, so that a wrong one is an
    extra object, as is one that no row knows. What is younger than a day may be a move's that is
    at work, and is not judged.

    What an archive gives back only after hours is not readable in place: of such a one the size is
    compared, and the hash that it was marked with when it was frozen, and no more. Raises the
    store's errors when it does not answer, StoppedError, and RoundOverError where `progress` says
    so.
    """
    out, progress = Examined(Place.COLD), progress or Progress()
    of_rows: set[str] = set()
    for instance in known.slide.instances:
        key = cold_key(known.slide.id, instance.sop_uid)
        if instance.tier is not Tier.WARM:
            of_rows.add(key)
            unpacking = Unpacking(store, pace, keeping)
            _examine_copy(unpacking, known, instance, out, progress)
        elif instance.sop_uid in known.cold:
            of_rows.add(key)
            _examine_kept(store, key, known.cold[instance.sop_uid], pace, out, progress)
    for info in store.list(slide_folder(known.slide.id)):
        if info.key in of_rows:
            continue
        if info.modified > datetime.now(UTC) - YOUNG:
            out.young += 1
        else:
            out.add(info.key, Damage.EXTRA)
    return out


def _examine_kept(
    store: ObjectStore, key: str, copy: ColdCopy, pace: Pace, out: Examined, progress: Progress
) -> None:
    wanted = [Whole(copy.size_bytes, copy.sha256.hex())] if copy.sha256 else []
    out.read += Scrubbed(objects=1)
    try:
        seen = progress.look(Place.COLD, store, key, wanted, pace)
    except StoreRefusedError:
        damage = _damage_unread(store, key, copy)
    else:
        damage = None if not wanted or seen in wanted else damage_of(seen, wanted[0])
        out.read += Scrubbed(bytes=seen.size_bytes if isinstance(seen, Whole) else 0)
    if damage not in {None, Damage.MISSING}:  # one that is gone is made anew when it is wanted
        out.findings.append(Finding(Place.COLD, key, Damage.EXTRA, _KEPT))


def _examine_copy(
    unpacking: Unpacking,
    known: Known,
    instance: StoredInstance,
    out: Examined,
    progress: Progress,
) -> None:
    store, pace = unpacking.cold, unpacking.pace
    key = cold_key(known.slide.id, instance.sop_uid)
    copy = known.cold.get(instance.sop_uid)
    wanted = Whole(copy.size_bytes, copy.sha256.hex()) if copy and copy.sha256 else None
    try:
        seen = progress.look(Place.COLD, store, key, [] if wanted is None else [wanted], pace)
    except StoreRefusedError:
        damage = _damage_unread(store, key, copy)
        out.read += Scrubbed(objects=1)
        if damage is not None:
            out.add(key, damage)
        return
    out.read += Scrubbed(objects=1, bytes=seen.size_bytes if isinstance(seen, Whole) else 0)
    if not isinstance(seen, Whole) or (wanted is not None and seen != wanted):
        out.add(key, damage_of(seen, wanted))
    elif wanted is None:
        try:
            gives_back = unpacking.gives_back(known.slide.id, instance)
        except ArchivedError:  # it is proved another time
            return
        if not gives_back:
            out.add(key, Damage.BYTES)
        elif look(store, key, [seen], pace) == seen:  # nothing was flipped on its way to us
            out.learned_cold[instance.sop_uid] = seen


def _damage_unread(store: ObjectStore, key: str, copy: ColdCopy | None) -> Damage | None:
    """Raises the store's errors when it refuses even that."""
    try:
        if copy is None or store.size(key) != copy.size_bytes:
            return Damage.SIZE
        archive = thawable(store)
        marks = {} if archive is None else archive.state(key).marks
    except ObjectNotFoundError:
        return Damage.MISSING
    wanted = copy.sha256.hex()
    return Damage.BYTES if wanted and marks.get(FROZEN_SHA256, wanted) != wanted else None
