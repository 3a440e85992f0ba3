"""The French of the sentences in which readers say what is wrong with a slide, or with a message.

The tables hold pairs of lines, a sentence as the code has it and its French, with an empty line
between; `{name}` stands for what a sentence is told. Readers know no languages:
they are libraries.
"""

import re
from functools import cache
from importlib.resources import files

SLIDES = "french.txt"
MESSAGES = "french_hl7.txt"
LINKS = "french_links.txt"
"""Why something is not told to another system."""
LEFT_OUT = "french_left_out.txt"
"""What of a file is not in its slide."""
KEEPING = "french_keeping.txt"
"""Why work on what is stored does not go on."""
CONFLICTS = "french_conflicts.txt"
"""What stands against something that a person asks, or takes it back: told to them word for word
as it stands here."""

_PLACE = re.compile(r"\{(\w+)\}")
_LONGEST = 500
_DEEPEST = 1
"""Sentences within a sentence: `{sentence}` is translated itself."""


@cache
def sentences(table: str = SLIDES) -> dict[str, str]:
    """All pairs of a table, with their placeholders."""
    blocks = files(__package__).joinpath(table).read_text("utf-8").strip().split("\n\n")
    pairs = dict(block.split("\n", 1) for block in blocks)
    return {english: _spaced(french) for english, french in pairs.items()}


def in_french(sentence: str, depth: int = 0, table: str = SLIDES) -> str | None:
    """A sentence in French; None where the table does not have it."""
    exact = sentences(table).get(sentence)
    if exact is not None:
        return exact
    for pattern, french in _patterns(table):
        match = pattern.fullmatch(sentence[:_LONGEST])
        if match is None:
            continue
        told = match.groupdict()
        if "sentence" in told:
            within = (
                in_french(f"{told['sentence']}.", depth + 1, table) if depth < _DEEPEST else None
            )
            if within is None:
                return None
            told["sentence"] = within
        return french.format(**told)
    return None


@cache
def _patterns(table: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    found = []
    for english, french in sentences(table).items():
        if _PLACE.search(english):
            pieces = _PLACE.split(english)  # text, name, text, name, text
            pieces[::2] = map(re.escape, pieces[::2])
            pieces[1::2] = [f"(?P<{name}>.+?)" for name in pieces[1::2]]
            found.append((re.compile("".join(pieces), re.DOTALL), french))
    return tuple(found)


def _spaced(french: str) -> str:
    """With the narrow space that does not break a line before it."""
    return re.sub(r" ([;:!?»])", "\u202f\\1", french).replace("« ", "«\u202f")
