"""What a query asks of an attribute's value (PS3.4 C.2.2.2, PS3.18 8.3.4.1.1)."""

import re
import unicodedata
from dataclasses import dataclass

from dicom.web.attributes import Attribute
from dicom.web.errors import BadQueryError

_UID = re.compile(r"[0-9.]{1,64}")
_DATE = re.compile(r"[0-9]{8}")
_TIME = re.compile(r"[0-9]{2,6}(\.[0-9]{1,6})?")
_MOMENT = re.compile(r"[0-9]{4,14}(\.[0-9]{1,6})?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,2})?")
_MOST_UIDS = 500
_LONGEST = 1024
_MOST_STARS = 8
"""Of one pattern: each makes it dearer to look for."""
_MOST_WORDS = 16
_NUMBERS = frozenset(("DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV", "US or SS"))
_TEXTS = frozenset(("AE", "AS", "CS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"))
_SPANS = {"DA": _DATE, "TM": _TIME, "DT": _MOMENT}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Like:
    """As this, where `*` is any text and `?` any character."""

    pattern: str
    any_case: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """From `low` to `high`, both included and as precise as they are written; None is open."""

    low: str | None
    high: str | None


@dataclass(frozen=True, slots=True)
class Equal:
    """The number."""

    number: str


@dataclass(frozen=True, slots=True)
class Words:
    """Each begins a word of the value, once both are `folded`."""

    words: tuple[str, ...]


Condition = OneOf | Like | Between | Equal | Words


def condition_on(attribute: Attribute, text: str, *, fuzzy: bool) -> Condition | None:
    """What `text` asks; None where it leaves the value open (universal matching).

    Raises BadQueryError for what the attribute's representation cannot be asked.
    """
    if not text or (set(text) == {"*"} and attribute.representation != "UI"):
        return None
    if attribute.representation != "UI":
        _require_bounded(text)
    kind = attribute.representation
    if kind == "UI":
        return _uids(text)
    if kind in _SPANS:
        return _span(text, _SPANS[kind])
    if kind in _NUMBERS:
        if _NUMBER.fullmatch(text) is None:
            raise BadQueryError("A query asks for a number by something else.")
        return Equal(text)
    if kind == "PN":
        return _name(text, fuzzy=fuzzy)
    if kind in _TEXTS:
        return Like(text)
    raise BadQueryError("A query asks for the value of an attribute that cannot be matched.")


def _require_bounded(text: str) -> None:
    if len(text) > _LONGEST:
        raise BadQueryError("A value of the query is longer than any that is stored.")
    if text.count("*") > _MOST_STARS:
        raise BadQueryError(f"A value of the query has more than {_MOST_STARS} wildcards `*`.")


def _name(text: str, *, fuzzy: bool) -> Words | Like:
    words = folded(text.replace("*", " ").replace("?", " ")).split()
    if len(words) > _MOST_WORDS:
        raise BadQueryError(f"A name of the query has more than {_MOST_WORDS} words.")
    return Words(tuple(words)) if fuzzy and words else Like(text, any_case=True)


def folded(name: str) -> str:
    """A name without case, accents and the signs between its parts; words with spaces between."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = unicodedata.normalize("NFKD", plain)
    return " ".join(re.findall(r"\w+", "".join(c for c in letters if not unicodedata.combining(c))))


def _uids(text: str) -> OneOf:
    """A list has commas (PS3.18) or backslashes (PS3.4) between its UIDs."""
    values = tuple(re.split(r"[,\\]", text))
    if len(values) > _MOST_UIDS:
        raise BadQueryError(f"A list of a query has more than {_MOST_UIDS} UIDs.")
    if not all(map(_UID.fullmatch, values)):
        raise BadQueryError("A query asks for a UID by something else.")
    return OneOf(values)


def _span(text: str, form: re.Pattern[str]) -> Between:
    low, dash, high = text.partition("-")
    for end in (low, high):
        if end and form.fullmatch(end) is None:
            raise BadQueryError("A query asks for a date or time by something else.")
    if not dash:
        return Between(low, low)
    if not low and not high:
        raise BadQueryError("A range of a query has no end.")
    return Between(low or None, high or None)
