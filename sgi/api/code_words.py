"""What codes are called, for people."""

from collections.abc import Iterable

from sgi.domain.case import Code


def word_of(code: Code | None) -> str | None:
    """Its text, else the code itself."""
    return None if code is None else code.text or code.code or None


def words_of(codes: Iterable[Code]) -> str | None:
    """Of several, one after the other; None of none."""
    return ", ".join(filter(None, map(word_of, codes))) or None
