"""The one table from an error to AA, AE or AR.

AE says that the message, sent again as it is, would be refused again; AR that it may be sent
again. Codes are those of tables 0357 and, in France, 900 to 906 (CI-SIS).
"""

from dataclasses import dataclass
from enum import StrEnum

import psycopg
import psycopg_pool

import dicom.errors
import storage.errors
import tiling.errors
from sgi import errors
from sgi.hl7 import errors as wrong
from sgi.hl7.errors import MessageError


class Code(StrEnum):
    """MSA-1 (table 0008)."""

    AA = "AA"
    AE = "AE"
    AR = "AR"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an error is answered."""

    code: Code
    condition: int
    """Of table 0357."""
    application: int | None = None
    """Of table 0533 as CI-SIS fills it."""


_DEFECT = Verdict(Code.AE, 207, 906)
_AGAIN = Verdict(Code.AR, 207, 906)

ANSWERS: dict[type[Exception], Verdict] = {
    MessageError: _DEFECT,
    wrong.UnreadableMessageError: Verdict(Code.AE, 102),
    wrong.MessageTooLargeError: Verdict(Code.AE, 199),
    wrong.SegmentSequenceError: Verdict(Code.AE, 100),
    wrong.MissingFieldError: Verdict(Code.AE, 101),
    wrong.WrongTypeError: Verdict(Code.AE, 102),
    wrong.UnknownCodeError: Verdict(Code.AE, 103),
    wrong.CardinalityError: Verdict(Code.AE, 198),
    wrong.OtherMessageError: Verdict(Code.AE, 199),
    wrong.UnsupportedMessageError: Verdict(Code.AE, 200),
    wrong.UnsupportedEventError: Verdict(Code.AE, 201),
    wrong.UnsupportedProcessingError: Verdict(Code.AE, 202),
    wrong.UnsupportedVersionError: Verdict(Code.AE, 203),
    wrong.DocumentVersionError: Verdict(Code.AE, 207, 900),
    wrong.SenderNotAllowedError: Verdict(Code.AE, 207, 901),
    wrong.UnknownPatientError: Verdict(Code.AE, 207, 902),
    wrong.InsMissingError: Verdict(Code.AE, 207, 903),
    wrong.InsMismatchError: Verdict(Code.AE, 207, 904),
    wrong.InsIncompleteError: Verdict(Code.AE, 207, 905),
    wrong.ContradictionError: _DEFECT,
    wrong.DefectError: _DEFECT,
    wrong.BusyLinkError: _AGAIN,
    errors.SgiError: _DEFECT,
    **dict.fromkeys(
        (
            # Of requests, commands, scanner files and what we send: for a message, a defect.
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
            errors.IdentityConflictError,
            errors.UnreadableDatamatrixError,
            errors.LaunchRequestError,
            errors.LaunchContradictionError,
            errors.SpentLinkError,
            errors.RetiredError,
            errors.MistoldError,
            errors.UncopiedError,
            errors.ColdError,
            errors.VanishedError,
            errors.UnreadableFileError,
            errors.ChangedError,
            errors.ConversionTimeoutError,
            errors.ConversionMemoryError,
            errors.ConversionCrashedError,
            errors.ConversionCancelledError,
            errors.UnshowableError,
            errors.MalformedPictureError,
            errors.EnlargedPictureError,
            errors.PictureTooLargeError,
            errors.VerificationError,
            wrong.LinkError,
            wrong.LinkUnavailableError,
            wrong.NoAnswerError,
            wrong.LinkTimeoutError,
            wrong.BadAnswerError,
            tiling.errors.TilingError,
            dicom.errors.DicomError,
        ),
        _DEFECT,
    ),
    **dict.fromkeys(
        (
            # Nothing is wrong with the message: what it needs is away for a while.
            errors.BusyError,
            errors.DiskFullError,
            errors.StoppedError,
            storage.errors.StorageError,
            psycopg.OperationalError,
            psycopg.InterfaceError,
            psycopg_pool.PoolTimeout,
            OSError,
        ),
        _AGAIN,
    ),
}
"""A subclass without a row of its own is answered as its parent is; tests say which may be."""


def verdict(error: Exception) -> Verdict:
    """The row of the nearest class; an error that no table knows is a defect of ours."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return _DEFECT
