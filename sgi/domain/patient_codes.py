"""Whether words hold a patient's INS code, in whatever dress: such words are told to nobody.

Scanners write what they read as it is, packed, in two bytes a letter, broken into lines; readers
drop, add and mistake letters. What is told is therefore looked at for the code's beginning and for
a matricule whose key is right.
"""

import base64
import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import chain

from sgi.domain.datamatrix import before_ins_text, identity_of
from sgi.domain.ins import matricule_fault
from sgi.domain.patient import Identity

_LEAST = 15
"""Characters of a matricule."""
_LEAST_MARKED = 17
_DEEPEST = 2
"""Times that a code may be packed."""
_BEGINNING = re.compile(r"[I1L|]S[0-9OQ]{2}[0OQ]{16,}")
"""Of a datamatrix in capitals without blanks, as readers and people mistake letters."""
_MARKED = re.compile(r"(?<=S1)[1-8]\d{4}(?:\d\d|2[AB])\d{8}(?!\d)", re.ASCII)
"""A matricule in its place in the datamatrix."""
_BARE = re.compile(
    r"(?<![\d])(?<!\d\.)[1-8]{s}\d\d{s}(?:0[1-9]|1[0-2]|20|3\d|4[0-2]|[5-9]\d){s}(?:\d\d|2[AB])"
    r"{s}\d{{3}}{s}\d{{3}}{s}\d\d(?!\d|\.\d)".format(s=r"[ \t\xa0\u202f-]?"),
    re.ASCII,
)
"""One that stands alone, its groups apart or not; no part of a UID."""
_IN_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}")
_IN_HEX = re.compile(r"[0-9A-Fa-f]{34,}")
_OF_URLS = str.maketrans("-_", "+/")
_SILENT = re.compile(r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060\ufeff\ufffd]+")
_NO_DIGIT = re.compile(r"0[xX]|[^0-9A-Za-z]+")


def is_patient_code(text: str) -> bool:
    """Whether a code is the patient's, or has theirs in it: it names no glass."""
    return len(text) >= _LEAST_MARKED and any(map(_is_marked, _views(text)))


def holds_patient_code(text: str) -> bool:
    """As `is_patient_code`, and whether it has a matricule alone: it is not told."""
    return len(text) >= _LEAST and any(_is_marked(view) or _is_bare(view) for view in _views(text))


def before_patient_code(text: str) -> str | None:
    """What stands before a patient's code, which may be nothing; None where the text holds none, so
    that it may be told whole.
    """
    if not holds_patient_code(text):
        return None
    before = before_ins_text(text) or ""
    return "" if holds_patient_code(before) else before.rstrip()


def is_withheld(words: str, *, of_patient: bool) -> bool:
    """Whether no DICOM instance is to hold these words of a file; where it says who the patient is,
    a matricule alone is in its place.
    """
    return is_patient_code(words) if of_patient else holds_patient_code(words)


def identity_on(texts: Iterable[str]) -> Identity | None:
    """Whom the sound INS datamatrix of a label names, packed or not; None of none, or of two
    people's.
    """
    return identity_of(chain.from_iterable(map(_views, texts)))


def _is_marked(text: str) -> bool:
    bare = _SILENT.sub("", unicodedata.normalize("NFKC", text)).upper()
    return _BEGINNING.search(bare) is not None or _has_key(_MARKED, bare)


def _is_bare(text: str) -> bool:
    return _has_key(_BARE, unicodedata.normalize("NFKC", text).upper())


def _has_key(form: re.Pattern[str], text: str) -> bool:
    return any(
        matricule_fault(re.sub("[^0-9AB]", "", found[0])) is None for found in form.finditer(text)
    )


def _views(text: str, depth: int = _DEEPEST) -> Iterator[str]:
    """The text, and what may be packed in it."""
    yield text
    if depth and len(text) >= _LEAST_MARKED:
        for packed in dict.fromkeys(_unpacked(text)):
            yield from _views(packed, depth - 1)


def _unpacked(text: str) -> Iterator[str]:
    """What each run says from each place where it may begin."""
    for shown in dict.fromkeys((text, _SILENT.sub("", text))):
        for run in _IN_BASE64.findall(shown):
            for at in range(4):
                part = run[at:].translate(_OF_URLS)
                yield base64.b64decode(part[: len(part) // 4 * 4]).decode(errors="replace")
    for run in _IN_HEX.findall(_NO_DIGIT.sub("", text)):
        for at in range(2):
            part = run[at:]
            yield bytes.fromhex(part[: len(part) // 2 * 2]).decode(errors="replace")
