"""What a client takes, out of its Accept header, and the best that can be given to it.

PS3.18 8.7.4 and 8.7.5, RFC 9110 12.5.1, RFC 2387 for `multipart/related`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dicom.web.errors import NotAcceptableError
from dicom.web.media import MULTIPART

_LONGEST = 8192
_MOST_RANGES = 100
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a grammar's word
_RANGE = re.compile(rf"({_TOKEN})/({_TOKEN})?")
# A media type as a value should have quotes, and comes without.
_PARAMETER = re.compile(rf'\s*;\s*({_TOKEN})\s*=\s*(?:({_TOKEN}(?:/{_TOKEN})?)|"([^"\\]*)")')
_ALIASES = {"image/x-jls": "image/jls", "image/x-dicom-rle": "image/dicom-rle"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that the client takes."""

    media_type: str
    """May end with, or be, a star."""
    transfer_syntax: str | None
    """A UID; `*` for any; None where nothing is said."""
    multipart: bool | None
    """Whether its parts come in a `multipart/related`; None where either is welcome."""
    quality: float

    def takes(self, offer: "Offer") -> bool:
        """Whether it is this, transfer syntax included, in parts or alone as `offer` is."""
        if self.multipart is not None and self.multipart is not offer.multipart:
            return False
        if not _matches(self.media_type, offer.media_type):
            return False
        if self.transfer_syntax is None:
            # Bytes without a name of their own are uncompressed unless said otherwise.
            return offer.is_default or self.media_type.endswith("*")
        return self.transfer_syntax in ("*", offer.transfer_syntax)


@dataclass(frozen=True, slots=True)
class Offer:
    """One form in which the answer can be given."""

    media_type: str
    transfer_syntax: str | None = None
    multipart: bool = False
    is_default: bool = True
    """Whether a client that names the media type alone means this."""


def choose(accept: str | None, offers: Sequence[Offer]) -> Offer:
    """The first offer among those that the client likes best.

    Raises NotAcceptableError when it takes none of them.
    """
    wanted = parse_accept(accept)
    for quality in sorted({each.quality for each in wanted if each.quality > 0}, reverse=True):
        liked = [each for each in wanted if each.quality == quality]
        for offer in offers:
            if any(each.takes(offer) for each in liked):
                return offer
    raise NotAcceptableError("None of the media types that are asked for can be given.")


def parse_accept(accept: str | None) -> list[Wanted]:
    """What a header lists; anything at all where there is none.

    Raises NotAcceptableError for a header that is not one.
    """
    if accept is None or not accept.strip():
        return [Wanted("*/*", None, None, 1.0)]
    if len(accept) > _LONGEST:
        raise NotAcceptableError("The list of acceptable media types is too long.")
    found: list[Wanted] = []
    position = 0
    while position < len(accept):
        wanted, position = _range(accept, position)
        if wanted is not None:
            found.append(wanted)
        if len(found) > _MOST_RANGES:
            raise NotAcceptableError("The list of acceptable media types is too long.")
    return found


def _range(text: str, position: int) -> tuple[Wanted | None, int]:
    """One element of the list from `position`, and where the next begins."""
    while position < len(text) and text[position] in " \t,":
        position += 1
    if position == len(text):
        return None, position
    named = _RANGE.match(text, position)
    if named is None:
        raise NotAcceptableError("The list of acceptable media types cannot be read.")
    media_type = f"{named[1]}/{named[2] or '*'}".lower()
    position = named.end()
    parameters: dict[str, str] = {}
    while (said := _PARAMETER.match(text, position)) is not None:
        parameters[said[1].lower()] = said[2] if said[2] is not None else said[3]
        position = said.end()
    rest = text[position:].lstrip(" \t")
    if rest and not rest.startswith(","):
        raise NotAcceptableError("The list of acceptable media types cannot be read.")
    return _wanted(media_type, parameters), position


def _wanted(media_type: str, parameters: dict[str, str]) -> Wanted:
    quality = _quality(parameters.get("q", "1"))
    multipart: bool | None = False
    if media_type == "*/*":
        multipart = None
    if media_type == MULTIPART:
        multipart = True
        # Some put the transfer syntax within the quotes of the type.
        inner, _, more = parameters.get("type", "*/*").partition(";")
        for said in _PARAMETER.finditer(";" + more):
            parameters.setdefault(said[1].lower(), said[2] if said[2] is not None else said[3])
        media_type = inner.strip().lower()
    media_type = _ALIASES.get(media_type, media_type)
    return Wanted(media_type, parameters.get("transfer-syntax"), multipart, quality)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


def _matches(wanted: str, given: str) -> bool:
    if wanted in ("*/*", given):
        return True
    return wanted.endswith("/*") and given.startswith(wanted[:-1])


def joined(headers: Iterable[str], parameter: str | None) -> str | None:
    """The Accept of a request: the query's parameter replaces the headers (PS3.18 8.3.3.1)."""
    said = parameter or ", ".join(headers)
    return said or None
