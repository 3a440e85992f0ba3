"""What an object really is: its size and its hash, or that it is gone, or cannot be read."""

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass

from dicom.behind import Behind
from sgi.integrity.pace import Pace
from sgi.stored.keys import PROBE_KEY
from storage.errors import (
    BucketNotFoundError,
    CorruptObjectError,
    ObjectChangedError,
    ObjectNotFoundError,
    RangeError,
    StorageError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.store import ObjectStore

_PIECE_BYTES = 16 << 20
_TRIES = 3
_PAUSE_S = 0.2
_PROBE = b"written and read to know whether the store answers at all"


@dataclass(frozen=True, slots=True)
class Whole:
    """What was read from the first byte to the last."""

    size_bytes: int
    sha256: str
    """In hexadecimal."""


@dataclass(frozen=True, slots=True)
class Gone:
    """No object has the key."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The store fails for this object again and again, and answers for others."""


Seen = Whole | Gone | Unreadable


def look(store: ObjectStore, key: str, wanted: Collection[Whole], pace: Pace) -> Seen:
    """Read an object; what is none of `wanted`, if any, is read again before it is believed.

    Raises the store's errors when it does not answer at all, or refuses us.
    """
    seen: Seen = Unreadable()
    for attempt in range(_TRIES):
        before = seen if attempt else None
        if attempt:
            time.sleep(_PAUSE_S * attempt)
        try:
            seen = read_whole(store, key, pace)
        except ObjectNotFoundError:
            seen = Gone()
        except (ObjectChangedError, CorruptObjectError, RangeError):
            seen = Unreadable()
        except (BucketNotFoundError, StoreRefusedError):
            raise
        except StoreUnavailableError:
            if not answers(store):
                raise
            seen = Unreadable()
        # A flip on the way is not one in the store: only what comes twice is what is there.
        if seen == before or (isinstance(seen, Whole) and (not wanted or seen in wanted)):
            return seen
    return seen


def read_whole(store: ObjectStore, key: str, pace: Pace) -> Whole:
    """Size and hash of all that the store gives; raises the store's errors."""
    size_bytes = 0
    whole = hashlib.sha256()
    with Behind(whole.update) as hashing:
        for data in store.read_chunks(key, _PIECE_BYTES):
            hashing.write(data)
            size_bytes += len(data)
            pace.spend(len(data))
    return Whole(size_bytes, whole.hexdigest())


def answers(store: ObjectStore) -> bool:
    """Whether the store keeps something and gives it back, whatever it says of other objects."""
    try:
        store.put(PROBE_KEY, _PROBE)
        return store.read(PROBE_KEY) == _PROBE
    except StorageError:
        return False
