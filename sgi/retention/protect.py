"""Legal holds and retention on the objects themselves, where a store offers object lock. Blocking.

A retention is put on what lies in its final place alone, the cold store: warm objects must be
deletable when their slide becomes cold. See docs/decisions/0011-retention.md.
"""

from datetime import UTC, date, datetime, time
from uuid import UUID

from sgi.stored.keys import slide_folder
from storage.locks import lockable
from storage.store import ObjectStore


def offers_lock(store: ObjectStore) -> bool:
    """Whether holds and retention can be put on its objects."""
    locks = lockable(store)
    return locks is not None and locks.offers_lock()


def hold_objects(store: ObjectStore, slide_id: UUID, *, on: bool) -> int:
    """Set or lift the legal hold of every version of a slide; how many. 0 without object lock."""
    locks = lockable(store)
    if locks is None or not locks.offers_lock():
        return 0
    versions = [v for v in locks.versions(slide_folder(slide_id)) if not v.is_marker]
    for version in versions:
        locks.hold(version, on=on)
    return len(versions)


def retain_objects(store: ObjectStore, slide_id: UUID, until: date) -> int:
    """Let nobody delete a slide's objects by mistake before that day; how many. 0 without object
    lock. For a slide that has just come to its final place, and where its day moves.

    A lock that lasts longer stays: who set it may have known of a stay that we do not know of. A
    destruction passes locks, so that one that is too long keeps no slide from its end.
    """
    locks = lockable(store)
    if locks is None or not locks.offers_lock():
        return 0
    end = datetime.combine(until, time(), UTC)
    if end <= datetime.now(UTC):
        return 0
    versions = [v for v in locks.versions(slide_folder(slide_id)) if not v.is_marker]
    for version in versions:
        present = locks.retained_until(version)
        if present is None or present < end:
            locks.retain(version, end)
    return len(versions)
