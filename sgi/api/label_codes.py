"""What was read from a label, as it is told: that a code is the patient's, never what it says.

Names, birth date and matricule are of patients, and who sees a slide is not always told those.
"""

import base64
from collections.abc import Iterable, Mapping

from sgi.domain.datamatrix import before_ins_text


def codes_out(codes: Iterable[str]) -> list[str | None]:
    """In their order; None in place of a patient's INS datamatrix."""
    return [code if before_ins_text(code) is None else None for code in codes]


def label_text_out(text: str | None) -> str | None:
    """As far as the patient's INS datamatrix: what follows may be more of it."""
    before = None if text is None else before_ins_text(text)
    return text if before is None else before.rstrip() or None


def metadata_out(said: Mapping[str, str]) -> dict[str, str]:
    """The vendor's words without those that hold such a datamatrix, as it is or in base64."""
    return {name: words for name, words in said.items() if not _holds_ins(name + "\n" + words)}


def _holds_ins(words: str) -> bool:
    return before_ins_text(words) is not None or any(
        before_ins_text(_unpacked(word)) is not None for word in words.split()
    )


def _unpacked(word: str) -> str:
    """As far as it is base64, cut or not; empty where it is none."""
    try:
        return base64.b64decode(word[: len(word) // 4 * 4], validate=True).decode("latin-1")
    except ValueError:
        return ""
