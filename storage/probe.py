"""Whether a store keeps the promises that slides rely on: asked of the store itself, in seconds.

Everything is written below `probe/<uuid>/` and removed at the end, also of a probe that fails.
"""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from storage import probe_checks, probe_s3
from storage.errors import StorageError, StoreUnavailableError
from storage.locks import lockable
from storage.probe_checks import NotOfferedError, Site, UnmetError
from storage.s3 import S3ObjectStore
from storage.store import ObjectStore

_log = logging.getLogger(__name__)
FOLDER = "probe/"
_HANDS = 8
_LEFT = timedelta(days=1)
_OF_A_PROBE = re.compile(rf"{FOLDER}[0-9a-f-]{{36}}/")
_PATIENCE = 3
"""So many checks in a row without an answer, and the rest is not asked."""


class Need(StrEnum):
    """What hangs on a promise."""

    NEEDED = "needed"
    """Slides would be lost or shown wrong without it."""
    USEFUL = "useful"


class Result(StrEnum):
    """What became of a check."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    """The store does not offer this, and nothing breaks without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One promise, and how the store kept it."""

    promise: str
    need: Need
    result: Result
    says: str = ""
    """What was measured; or one sentence that says what to do."""

    @property
    def forbids_use(self) -> bool:
        return self.need is Need.NEEDED and self.result is Result.FAILED


@dataclass(frozen=True, slots=True)
class Check:
    """One question to a store; `ask` as in `storage.probe_checks`."""

    promise: str
    need: Need
    ask: Callable[[Site], str]


_N, _U = Need.NEEDED, Need.USEFUL

OF_ANY_STORE = (
    Check("a small object is read back as it was written", _N, probe_checks.put_and_read),
    Check("what replaces an object is read from then on", _N, probe_checks.overwrite),
    Check("an object without any byte is kept", _N, probe_checks.empty),
    Check("keys with every character that we use", _N, probe_checks.characters),
    Check("ranges: first byte, last byte, and none beyond the end", _N, probe_checks.ranges),
    Check("what was written is listed at once", _N, probe_checks.listing),
    Check("what never was is not found", _N, probe_checks.absent),
    Check("what was deleted is gone at once", _N, probe_checks.deletion),
    Check("of several writers of one key, one wins whole", _N, probe_checks.writers),
    Check("readers never see parts of two objects", _N, probe_checks.readers),
    Check("an object that is replaced while it is read is noticed", _N, probe_checks.replaced),
    Check("a large object is written in parts", _N, probe_checks.in_parts),
    Check("an upload that breaks off leaves nothing to be seen", _N, probe_checks.broken_off),
    Check("time until a tile's bytes are there", _U, probe_checks.latency),
)
OF_S3 = (
    Check("parts that come in any order are put in order", _N, probe_s3.part_order),
    Check("lists go on where a page ends", _N, probe_s3.pages),
    Check("nobody reads without credentials", _N, probe_s3.closed_to_strangers),
    Check("unfinished uploads are found and ended", _U, probe_s3.unfinished_uploads),
    Check("the content type is kept", _U, probe_s3.content_type),
    Check("bytes that were damaged on their way in are refused", _U, probe_s3.damaged_upload),
    Check("its clock is ours", _U, probe_s3.clock),
    Check("former versions are kept", _U, probe_s3.versions),
    Check("object lock", _U, probe_s3.object_lock),
)
OF_A_CLASS = (Check("the storage class is accepted", _N, probe_s3.storage_class),)
THOROUGH = (Check("more than a thousand objects are listed", _N, probe_checks.long_listing),)


def probe(
    store: ObjectStore, *, thorough: bool = False, tell: Callable[[Finding], None] | None = None
) -> list[Finding]:
    """Ask a store everything that is asked of its kind; `tell` hears each finding at once.

    Args:
        store: whose bucket is probed; an S3 store by a client with less patience.
        thorough: also what takes many requests.
        tell: called between two checks.

    Raises:
        StoreUnavailableError: it does not answer; nothing is known of it then.
        StoreRefusedError: the credentials are wrong, or may not write.
        BucketNotFoundError: there is no such bucket.
    """
    checks: Sequence[Check] = (*OF_ANY_STORE, *(THOROUGH if thorough else ()))
    folder = f"{FOLDER}{uuid4()}/"
    if not isinstance(store, S3ObjectStore):
        return _ask(Site(store, folder), checks, tell)
    options = store.options
    more = (*OF_S3, *(OF_A_CLASS if options.storage_class else ()))
    return _ask(probe_s3.S3Site.of(options, folder), (*checks, *more), tell)


def _ask(
    site: Site, checks: Iterable[Check], tell: Callable[[Finding], None] | None
) -> list[Finding]:
    findings: list[Finding] = []
    site.store.put(site.key("first"), b"bytes")
    with _tidied(site):
        unanswered = 0
        for check in checks:
            try:
                finding = Finding(check.promise, check.need, Result.PASSED, check.ask(site))
                unanswered = 0
            except UnmetError as unmet:
                finding = Finding(check.promise, check.need, Result.FAILED, str(unmet))
            except NotOfferedError as absent:
                finding = Finding(check.promise, check.need, Result.ABSENT, str(absent))
            except StorageError as error:
                finding = Finding(check.promise, check.need, Result.FAILED, str(error))
                unanswered += isinstance(error, StoreUnavailableError)
                if unanswered == _PATIENCE:
                    raise
            findings.append(finding)
            if tell is not None:
                tell(finding)
    return findings


@contextmanager
def _tidied(site: Site) -> Iterator[None]:
    """Remove at the end whatever the checks wrote; what cannot be removed is told in the log."""
    try:
        yield
    finally:
        try:
            _tidy(site)
        except StorageError as error:
            _log.warning("%s is left in the store; delete it by hand: %s", site.folder, error)


def _tidy(site: Site) -> None:
    locks = lockable(site.store)
    with ThreadPoolExecutor(_HANDS) as hands:
        list(hands.map(site.store.delete, [info.key for info in site.store.list(site.folder)]))
        # Of a probe that was killed; other probes may be at work, and know their own.
        long_ago = datetime.now(UTC) - _LEFT
        left = [info for info in site.store.list(FOLDER) if info.modified < long_ago]
        list(hands.map(site.store.delete, [i.key for i in left if _OF_A_PROBE.match(i.key)]))
        if locks is None:
            return
        locks.end_uploads(site.folder)
        if locks.is_versioned():
            list(hands.map(locks.delete_version, list(locks.versions(site.folder))))
