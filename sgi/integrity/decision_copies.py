"""The second copy of what establishments have decided: brought over when it changes."""

import json
import logging
import math
import time
from datetime import datetime

from sgi.integrity.look import answers
from sgi.stored.keys import ESTABLISHMENTS
from storage.errors import ObjectNotFoundError, StorageError
from storage.store import ObjectInfo, ObjectStore

_log = logging.getLogger(__name__)


class DecisionCopies:
    """Compares listings, and reads what is new in them; blocking, for a thread.

    Decisions are small and may change: the first store's are the ones in force. None is ever
    removed from the second store: it is there for the day when the first has lost something.
    """

    def __init__(self, warm: ObjectStore, second: ObjectStore) -> None:
        self._warm = warm
        self._second = second
        self._brought: dict[str, tuple[int, datetime]] = {}
        """By key, as the first store listed what the second has."""

    def bring_over(self, deadline: float = math.inf) -> int:
        """How many objects were new or had changed; what is left at `deadline`, by the monotonic
        clock, comes next time. Raises the stores' errors when one does not answer.
        """
        listed = {info.key: info for info in self._warm.list(ESTABLISHMENTS)}
        self._brought = {key: at for key, at in self._brought.items() if key in listed}
        new = [info for key, info in listed.items() if self._brought.get(key) != _state(info)]
        if not new:
            return 0
        there = {info.key: info for info in self._second.list(ESTABLISHMENTS)}
        changed = 0
        for info in new:
            is_first_look = info.key not in self._brought
            if not (is_first_look and _is_later(there.get(info.key), info)):
                if time.monotonic() > deadline:
                    break
                try:
                    changed += self._bring(info.key)
                except StorageError as error:
                    if not (answers(self._warm) and answers(self._second)):
                        raise
                    _log.warning("%s is not copied: %s", info.key, type(error).__name__)
                    continue
            self._brought[info.key] = _state(info)
        return changed

    def _bring(self, key: str) -> bool:
        data = self._warm.read(key)
        if _content(self._second, key) == data:
            return False
        if not _is_json(data):
            _log.error("INTEGRITY %s is no document; its second copy is left as it is", key)
            return False
        self._second.put(key, data, content_type="application/json")
        return True


def _state(info: ObjectInfo) -> tuple[int, datetime]:
    return info.size_bytes, info.modified


def _is_later(copy: ObjectInfo | None, info: ObjectInfo) -> bool:
    """Whether the copy was made of this very object, as far as two clocks can tell."""
    return (
        copy is not None and copy.size_bytes == info.size_bytes and copy.modified >= info.modified
    )


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
