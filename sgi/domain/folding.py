"""Text as it is compared and searched: the same here as `folded` in the database."""

import re
import unicodedata

_LIGATURES = {"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ß": "ss"}
_STROKES = dict(zip("łŁøØđĐıħĦ", "lLoOdDihH", strict=True))
_PLAIN = str.maketrans(_LIGATURES | _STROKES)
_MARKS = re.compile("[\u0300-\u036f]")


def plain(text: str) -> str:
    """Small letters without accents; ligatures are two letters."""
    return _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_PLAIN))).lower()
