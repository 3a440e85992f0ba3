"""Why work on what is stored does not go on, in the language of whoever asks."""

from sgi.domain.arrival import Reason, ReasonCode
from sgi.domain.french import KEEPING, in_french
from sgi.domain.words import Language, sentence

UNEXPECTED = "Something unexpected happened; see the worker's log."
_TOLD = {
    ReasonCode.STORE_UNAVAILABLE,
    ReasonCode.STORE_FULL,
    ReasonCode.STORE_REFUSED,
    ReasonCode.STORE_MISSING,
    ReasonCode.NOT_VERIFIED,
    ReasonCode.INTERRUPTED,
    ReasonCode.DISK_FULL,
}
"""Whose sentences fit what is stored; those of the others speak of a scanner's file."""


def failure_told(failure: str | None, code: ReasonCode | None, language: Language) -> str | None:
    """A failure as it was written down, in English; in French by its sentence, else by its kind."""
    if failure is None or language is Language.ENGLISH:
        return failure
    french = in_french(failure, table=KEEPING)
    if french is None and code in _TOLD:
        french = sentence(Reason(code), language)
    return french or in_french(UNEXPECTED, table=KEEPING)
