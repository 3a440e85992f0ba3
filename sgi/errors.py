"""The errors of the application; messages are one sentence that says what to do next."""

from collections.abc import Sequence


class SgiError(Exception):
    """The root of every error of this package."""


class ConfigurationError(SgiError):
    """A setting is missing or contradicts another."""


class NotSignedInError(SgiError):
    """The request carries no session, or one that has ended."""


class ForbiddenError(SgiError):
    """The account may not do this."""


class CrossSiteRequestError(SgiError):
    """A change was asked for without the session's CSRF token, or from another site."""


class WrongCredentialsError(SgiError):
    """The name or the password is not right; which of the two is never said."""


class TooManyAttemptsError(SgiError):
    """Sign-in is closed for a while after repeated failures."""

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFoundError(SgiError):
    """There is no such thing, or none that this account may know of."""


class UnknownCaseError(NotFoundError):
    """A case that another system names is not here, or not yet."""

    def __init__(self, message: str, number: str | None = None) -> None:
        super().__init__(message)
        self.number = number
        """As it was asked for."""


class UnknownPatientError(NotFoundError):
    """A patient whom another system names is not here, or has no case here yet."""


class InvalidRequestError(SgiError):
    """The request's own words are off."""


class ConflictError(SgiError):
    """The thing is not in a state in which this can be done."""


class TakenError(ConflictError):
    """A name or number is another's already."""


class InUseError(ConflictError):
    """Something else is made with it: that must change before it can go."""


class UnconfirmedError(SgiError):
    """Something speaks against what a person wants, and they have not said that they know it."""

    def __init__(self, message: str, doubts: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.doubts = tuple(doubts)


class IncompleteCaseError(SgiError):
    """A case is to be signed out while something of it is missing, and nobody says why."""

    def __init__(
        self, message: str, *, unscanned: int = 0, rescans: int = 0, orders: int = 0
    ) -> None:
        super().__init__(message)
        self.missing = {"unscanned": unscanned, "rescans": rescans, "orders": orders}
        """Slides without an image, those to be scanned again, and requests not answered yet."""


class IdentityConflictError(SgiError):
    """What is said of who a patient is cannot be true together with what is known."""


class UnreadableDatamatrixError(SgiError):
    """A barcode is no sound INS datamatrix."""


class RetiredError(SgiError):
    """What is asked for was there by that name, and is by another now."""


class MistoldError(SgiError):
    """What instances say names another patient than they are of; they are being told anew."""


class UncopiedError(SgiError):
    """The slide has no second copy yet, and is to have one before it goes to cold storage."""


class ColdError(SgiError):
    """What is asked for lies in cold storage; it must be restored first."""


class VanishedError(SgiError):
    """The file went away before its slide was published."""


class UnreadableFileError(SgiError):
    """The operating system does not let us read the file."""


class ChangedError(SgiError):
    """The file changed while it was being read."""


class DiskFullError(SgiError):
    """A local disk has no room left."""


class ConversionTimeoutError(SgiError):
    """Reading the file took longer than the limits allow."""


class ConversionMemoryError(SgiError):
    """Reading the file took more memory than the limits allow."""


class ConversionCrashedError(SgiError):
    """The process that read the file died; the file is not trusted again by itself."""


class ConversionCancelledError(SgiError):
    """The worker is stopping; the conversion is taken up again later."""


class UnshowableError(SgiError):
    """A stored frame is sound, but cannot be turned into what a browser shows."""


class MalformedPictureError(SgiError):
    """The address of a picture does not say which one."""


class EnlargedPictureError(SgiError):
    """A picture with more pixels than the slide has there."""


class BusyError(SgiError):
    """So much was asked for before that the turn of this did not come."""


class PictureTooLargeError(SgiError):
    """A picture that takes more than the limits allow; the largest that does not."""

    def __init__(self, message: str, columns: int = 1, rows: int = 1) -> None:
        super().__init__(message)
        self.columns, self.rows = columns, rows


class VerificationError(SgiError):
    """What was read back from the store is not what was written."""


class StoppedError(SgiError):
    """The worker is stopping; the work is taken up again later."""


class LaunchRequestError(SgiError):
    """What another system asks to be shown is not understood."""


class LaunchContradictionError(SgiError):
    """What another system asks to be shown may be one thing or another."""


class SpentLinkError(SgiError):
    """A link that opens something once is none, was used, or is too old."""
