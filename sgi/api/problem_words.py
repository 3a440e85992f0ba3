"""What the sentence of an error names: what is missing of a case, which field is not right."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sgi.domain.words import Language

_MOST_FIELDS = 5
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_MISSING = {
    "unscanned": (
        ("1 slide is not scanned", "{} slides are not scanned"),
        ("1 lame n'est pas numérisée", "{} lames ne sont pas numérisées"),
    ),
    "rescans": (
        ("1 slide is to be scanned again", "{} slides are to be scanned again"),
        ("1 lame est à numériser de nouveau", "{} lames sont à numériser de nouveau"),
    ),
    "orders": (
        ("1 request to the laboratory is not done", "{} requests to the laboratory are not done"),
        (
            "1 demande au laboratoire n'est pas close",
            "{} demandes au laboratoire ne sont pas closes",
        ),
    ),
}


def missing_sentence(missing: Mapping[str, int], language: Language) -> str:
    """How many of what a case misses."""
    told = []
    for kind, count in missing.items():
        if count:
            one, many = _MISSING[kind][language is Language.FRENCH]
            told.append(one if count == 1 else many.format(count))
    if language is Language.FRENCH:
        return f"Le cas est incomplet\u00a0: {', '.join(told)}\u202f; donnez le motif (reason)."
    return f"The case is incomplete: {', '.join(told)}; give the reason (reason)."


def fields_of(errors: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of a validation's errors the fields, as `a.b.0`; without what they held, and without names
    that are none of a field's: whoever calls may name them as they please.
    """
    found: dict[str, None] = {}
    for error in errors:
        parts = error["loc"][1:]  # after where it was looked for: the body, the query
        words = [str(part) for part in parts]
        is_field = all(isinstance(p, int) or _FIELD.fullmatch(str(p)) for p in parts)
        if words and is_field and len(words) <= _MOST_FIELDS:
            found[".".join(words)] = None
    return list(found)[:_MOST_FIELDS]


def fields_sentence(fields: Sequence[str], language: Language) -> str:
    """That these are not as they should be."""
    named = ", ".join(fields)
    if language is Language.FRENCH:
        return f"La requête n'est pas comprise\u202f; vérifiez\u00a0: {named}."
    return f"The request is not understood; check: {named}."


def unknown_case(number: str, language: Language) -> str:
    """That no such case is here, by the number that it was asked for by."""
    if language is Language.FRENCH:
        return (
            f"Le cas {number} n'est pas connu ici, ou pas encore\u202f; réessayez plus tard, ou "
            "vérifiez son numéro."
        )
    return f"The case {number} is not known here, or not yet; try later, or check its number."
