"""What a checker says of a slide."""

from dataclasses import dataclass


class CheckerAbsentError(Exception):
    """The checker is not installed here."""


class ObjectionError(Exception):
    """The checker found something wrong, or read something else than was written."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One cell of the table."""

    passed: bool
    words: str
    """"passes", the checker's own known limit, "not here", or what it objects to."""


PASSES = Verdict(passed=True, words="passes")
ABSENT = Verdict(passed=True, words="not here")


def own_limit(words: str) -> Verdict:
    """The checker cannot read this of anybody's; it was asked all the same."""
    return Verdict(passed=True, words=f"its limit: {words}")


def objects(step: str, error: Exception) -> Verdict:
    return Verdict(passed=False, words=f"**{step}: {type(error).__name__}: {str(error)[:200]}**")
