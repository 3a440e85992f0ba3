"""The one table that decides what becomes of an arrival when an error stops it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import psycopg
import psycopg_pool

import dicom.errors
import dicom.web.errors
import storage.errors
import tiling.errors
from sgi import errors
from sgi.domain.arrival import ReasonCode


class Decision(StrEnum):
    """What happens next."""

    RETRY = "retry"
    """Nothing is wrong with the file: try again by itself."""
    HOLD = "hold"
    """A person has to decide."""
    QUARANTINE = "quarantine"
    """The file is damaged or hostile: never read it again unless it changes."""
    WATCH = "watch"
    """The file is not what it was: back to the watcher."""
    END = "end"
    """The file is gone."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, and the sentence to say."""

    decision: Decision
    reason: ReasonCode
    attempts: int | None = None
    """A retry becomes a hold after this many attempts; None retries for as long as it takes."""


_INTERNAL = Verdict(Decision.HOLD, ReasonCode.INTERNAL)
_NOT_VERIFIED = Verdict(Decision.RETRY, ReasonCode.NOT_VERIFIED, 3)
_INTERRUPTED = Verdict(Decision.RETRY, ReasonCode.INTERRUPTED)

VERDICTS: dict[type[Exception], Verdict] = {
    errors.UnshowableError: _INTERNAL,
    tiling.errors.TilingError: Verdict(Decision.QUARANTINE, ReasonCode.DAMAGED),
    tiling.errors.UnknownFormatError: Verdict(Decision.HOLD, ReasonCode.UNKNOWN_FORMAT),
    tiling.errors.AmbiguousFormatError: Verdict(Decision.HOLD, ReasonCode.AMBIGUOUS_FORMAT),
    tiling.errors.UnsupportedSlideError: Verdict(Decision.HOLD, ReasonCode.UNSUPPORTED),
    tiling.errors.DamagedSlideError: Verdict(Decision.QUARANTINE, ReasonCode.DAMAGED),
    tiling.errors.IncompleteSlideError: Verdict(Decision.HOLD, ReasonCode.COMPANION_MISSING),
    tiling.errors.SlideTooLargeError: Verdict(Decision.QUARANTINE, ReasonCode.TOO_LARGE),
    dicom.errors.DicomError: _INTERNAL,
    dicom.errors.DamagedInstanceError: _NOT_VERIFIED,
    dicom.errors.UnsupportedInstanceError: Verdict(Decision.HOLD, ReasonCode.UNSUPPORTED),
    dicom.errors.FrameMismatchError: Verdict(Decision.QUARANTINE, ReasonCode.DAMAGED),
    dicom.web.errors.BadQueryError: _INTERNAL,
    dicom.web.errors.NotAcceptableError: _INTERNAL,
    dicom.web.errors.TooMuchAskedError: _INTERNAL,
    storage.errors.StorageError: Verdict(Decision.RETRY, ReasonCode.STORE_UNAVAILABLE),
    storage.errors.InvalidKeyError: _INTERNAL,
    storage.errors.ObjectNotFoundError: _NOT_VERIFIED,
    storage.errors.BucketNotFoundError: Verdict(Decision.RETRY, ReasonCode.STORE_MISSING),
    storage.errors.RangeError: _NOT_VERIFIED,
    storage.errors.ObjectTooLargeError: _INTERNAL,
    storage.errors.ObjectChangedError: _NOT_VERIFIED,
    storage.errors.ObjectFrozenError: Verdict(Decision.RETRY, ReasonCode.STORE_REFUSED),
    storage.errors.CorruptObjectError: _NOT_VERIFIED,
    storage.errors.StoreUnavailableError: Verdict(Decision.RETRY, ReasonCode.STORE_UNAVAILABLE),
    storage.errors.StoreFullError: Verdict(Decision.RETRY, ReasonCode.STORE_FULL),
    storage.errors.StoreRefusedError: Verdict(Decision.RETRY, ReasonCode.STORE_REFUSED),
    errors.SgiError: _INTERNAL,
    **dict.fromkeys(
        (
            # Of requests and commands: in a job, a defect.
            errors.ConfigurationError,
            errors.NotSignedInError,
            errors.ForbiddenError,
            errors.CrossSiteRequestError,
            errors.WrongCredentialsError,
            errors.TooManyAttemptsError,
            errors.NotFoundError,
            errors.UnknownCaseError,
            errors.UnknownPatientError,
            errors.InvalidRequestError,
            errors.ConflictError,
            errors.UnconfirmedError,
            errors.IncompleteCaseError,
            errors.TakenError,
            errors.InUseError,
            errors.RetiredError,
            errors.MistoldError,
            errors.IdentityConflictError,
            errors.UnreadableDatamatrixError,
            errors.ColdError,
            errors.UncopiedError,
            errors.MalformedPictureError,
            errors.EnlargedPictureError,
            errors.PictureTooLargeError,
            errors.BusyError,
            errors.LaunchRequestError,
            errors.LaunchContradictionError,
            errors.SpentLinkError,
        ),
        _INTERNAL,
    ),
    errors.VanishedError: Verdict(Decision.END, ReasonCode.VANISHED),
    errors.ChangedError: Verdict(Decision.WATCH, ReasonCode.CHANGED),
    errors.DiskFullError: Verdict(Decision.RETRY, ReasonCode.DISK_FULL),
    errors.ConversionTimeoutError: Verdict(Decision.QUARANTINE, ReasonCode.TOO_SLOW),
    errors.ConversionMemoryError: Verdict(Decision.QUARANTINE, ReasonCode.TOO_MUCH_MEMORY),
    errors.ConversionCrashedError: Verdict(Decision.QUARANTINE, ReasonCode.READER_CRASHED),
    errors.ConversionCancelledError: _INTERRUPTED,
    errors.StoppedError: _INTERRUPTED,
    errors.VerificationError: _NOT_VERIFIED,
    errors.UnreadableFileError: Verdict(Decision.HOLD, ReasonCode.UNREADABLE),
    psycopg.OperationalError: _INTERRUPTED,
    psycopg_pool.PoolTimeout: _INTERRUPTED,
}
"""A subclass without a row of its own is decided as its parent is; tests say which may be."""

_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 300.0


def verdict_on(error: Exception) -> Verdict:
    """The row of the nearest class; an error that no table knows is held for a person."""
    for kind in type(error).__mro__:
        if kind in VERDICTS:
            return VERDICTS[kind]
    return _INTERNAL


def pause_before(attempt: int) -> timedelta:
    """Pause before the next try after `attempt` tries (from 1): doubles from 5 s to 5 minutes."""
    seconds = min(_FIRST_PAUSE_S * 2 ** min(max(attempt, 1) - 1, 10), _LONGEST_PAUSE_S)
    return timedelta(seconds=seconds)
