"""What was read from a label, as it is told: that a code is the patient's, never what it says.

Names, birth date and matricule are of patients, and who sees a slide is not always told those.
"""

from collections.abc import Iterable, Mapping

from sgi.domain.facts import SlideFacts
from sgi.domain.patient_codes import before_patient_code, holds_patient_code

_MOST_LOOKED_AT = 1 << 19
"""Characters of a file's own words, half a second's work; what comes after them is not told."""


def codes_out(codes: Iterable[str]) -> list[str | None]:
    """In their order; None in place of a patient's INS code."""
    return [None if holds_patient_code(code) else code for code in codes]


def label_text_out(text: str | None) -> str | None:
    """As far as a patient's INS code, if one can see where it begins: what follows may be more of
    it.
    """
    before = None if text is None else before_patient_code(text)
    return text if before is None else before or None


def metadata_out(said: Mapping[str, str]) -> dict[str, str]:
    """The vendor's words without those that hold such a code."""
    told, looked_at = {}, 0
    for name, words in said.items():
        both = f"{name}\n{words}"
        looked_at += len(both)
        if looked_at <= _MOST_LOOKED_AT and not holds_patient_code(both):
            told[name] = words
    return told


def shows_patient_code(facts: SlideFacts) -> bool:
    """Whether a patient's INS code was read on the label, or stands in what the file says of it: a
    picture of the label shows it.
    """
    return any(map(holds_patient_code, (*facts.barcodes, facts.label_text or "")))
