"""The S3 client's errors in our words: the only place that knows how the client phrases them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from storage.errors import (
    BucketNotFoundError,
    CorruptObjectError,
    ObjectChangedError,
    ObjectFrozenError,
    RangeError,
    StorageError,
    StoreFullError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.ranges import not_found

# The client has one class for nearly all answers; the status is in its text alone.
_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_FULL = re.compile(r"no space left|no free volume|no writable volume|disk full", re.IGNORECASE)

_FULL_CODES = {"InsufficientStorage", "QuotaExceeded", "StorageFull", "XMinioStorageFull"}
_CORRUPT_CODES = {"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"}
_TRY_AGAIN_STATUS = {408, 409, 425, 429}


@contextmanager
def translated(doing: str, key: str) -> Iterator[None]:
    """Any error of the client inside becomes one of ours; `doing` is a verb phrase for messages."""
    try:
        yield
    # Besides its own, the client raises FileNotFoundError, and OSError from its file objects.
    except (BaseError, OSError) as error:
        raise translate(error, doing, key) from error


def translate(error: Exception, doing: str, key: str) -> StorageError:
    """Our error for one of the client's, whose text is read but never passed on."""
    text = str(error)
    status = int(found[1]) if (found := _STATUS.search(text)) else None
    code = found[1] if (found := _CODE.search(text)) else None
    if code == "NoSuchBucket":
        return BucketNotFoundError(f"The bucket is missing: {doing} {key} is not possible.")
    if code == "NoSuchUpload":
        return StoreUnavailableError(f"The object store lost the unfinished upload of {key}.")
    if status == 404 or (status is None and isinstance(error, FileNotFoundError)):
        return not_found(key)
    if code == "InvalidObjectState":
        return ObjectFrozenError(
            f"The object {key} lies in an archive; it must be thawed before it is read."
        )
    if status == 507 or code in _FULL_CODES or _FULL.search(text):
        return StoreFullError(f"The object store has no room left: {doing} {key} was given up.")
    if isinstance(error, PreconditionError) or status == 412:
        return ObjectChangedError(f"The object {key} was replaced while it was being read.")
    if code in _CORRUPT_CODES:
        return CorruptObjectError(f"Bytes of {key} were damaged on the way to the object store.")
    return _by_status(error, status, code, doing, key)


def _by_status(
    error: Exception, status: int | None, code: str | None, doing: str, key: str
) -> StorageError:
    why = code or (f"status {status}" if status else "no answer")
    if status in {401, 403} or isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return StoreRefusedError(
            f"The object store refused {doing} {key} ({why}); check its credentials and rights."
        )
    if status == 416:
        return RangeError(f"The object {key} ends before the range that was asked for.")
    if status is None or status >= 500 or status in _TRY_AGAIN_STATUS:
        return StoreUnavailableError(
            f"The object store was not available for {doing} {key} ({why})."
        )
    return StorageError(f"The object store did not accept {doing} {key} ({why}).")
