"""Which glass a scan is of: what its label reads, and why nobody can say yet.

A code names a glass only whole: identifiers are opaque, and one that is cut names another glass.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from string import ascii_uppercase, digits

from sgi.domain.facts import SlideFacts
from sgi.domain.patient import Identity
from sgi.domain.patient_codes import before_patient_code, identity_on, is_patient_code

LONGEST_CODE = 200
"""Characters of what is looked for as a glass's identifier."""
MOST_CODES = 20
_ALPHABET = digits + ascii_uppercase + "-._/ "
_LONGEST_VARIED = 40


Reader = Callable[[str], str | None]
"""From a code as it was printed to the identifier in it, by an interface's rules; None: there is
none."""


class Unidentified(StrEnum):
    """Why a slide has no glass."""

    WAITING = "waiting"
    """Its label was not compared yet; that is a matter of moments."""
    NOTHING_READ = "nothing_read"
    PATIENT_CODE = "patient_code"
    """Only the patient's own datamatrix was read."""
    UNKNOWN = "unknown"
    """The laboratory has registered no such glass here, or not yet."""
    SEVERAL = "several"
    """The codes of the label name more than one glass."""
    CANCELLED = "cancelled"
    CONTRADICTION = "contradiction"
    """The scanner read another code than the label's picture shows."""
    ANOTHER_PATIENT = "another_patient"
    """The label names a glass, and its INS code is another person's than the glass's patient."""
    UNDONE = "undone"
    """A person took the slide away from the glass that its label names."""


class Doubt(StrEnum):
    """What speaks against a glass that a person chooses for a slide; to be confirmed by them."""

    ANOTHER_PATIENT = "another_patient"
    """The INS code of the label is another person's than the glass's patient."""
    ANOTHER_GLASS = "another_glass"
    """The label names another glass, and not this one."""
    NOT_NAMED = "not_named"
    """The label is silent, or what it reads is no glass here and not this one: perhaps one that the
    laboratory has yet to register, however near."""
    TAKEN_AWAY = "taken_away"
    """A person has taken the slide away from it before."""
    SIGNED_OUT = "signed_out"
    """The case is signed out: what somebody has signed changes."""


class How(StrEnum):
    """How a slide came to its glass."""

    BARCODE = "barcode"
    LATE = "late"
    """The laboratory registered the glass after it was scanned."""
    PERSON = "person"


AUTOMATIC = frozenset(
    {
        Unidentified.WAITING,
        Unidentified.UNKNOWN,
        Unidentified.CANCELLED,
        Unidentified.ANOTHER_PATIENT,
    }
)
"""Reasons that a word of the laboratory may end; all others are a person's to end."""


def codes_of(facts: SlideFacts, readers: Sequence[Reader] = ()) -> tuple[str, ...]:
    """What may be a glass's identifier: each code as it was printed, and what each reader finds in
    it; never a file's name.

    What the file says that the label reads counts where no code was read, line by line.
    """
    return _codes(facts.barcodes or _lines(facts), readers)


def _lines(facts: SlideFacts) -> tuple[str, ...]:
    """Of the label's text; what parts the fields of a code parts no lines."""
    return tuple((facts.label_text or "").replace("\r", "\n").split("\n"))


def _codes(said: Iterable[str], readers: Sequence[Reader]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for text in said:
        bare = text.strip()
        if not bare or len(bare) > LONGEST_CODE:
            continue
        is_patients = is_patient_code(bare)
        if not is_patients:
            found[bare] = None
        elif not before_patient_code(bare):
            continue
        for read in readers:  # they may find the glass's code before the patient's, of one barcode
            identifier = (read(bare) or "").strip()
            if not identifier or len(identifier) > LONGEST_CODE:
                continue
            if not (is_patients and is_patient_code(identifier)):
                found[identifier] = None
        if len(found) >= MOST_CODES:
            break
    return tuple(found)[:MOST_CODES]


def whose_label(facts: SlideFacts) -> Identity | None:
    """Whom the sound INS datamatrix of the label names, by its codes and what the file says that it
    reads; None of none, or of two people's.
    """
    return identity_on((*facts.barcodes, *_lines(facts)))


def contradicts(facts: SlideFacts, readers: Sequence[Reader] = ()) -> bool:
    """Whether the scanner's code and those of the label's picture name nothing in common.

    A patient's code, read by one of the two alone, is no glass's and contradicts none.
    """
    if not facts.barcode_contradicts:
        return False
    of_scanner, *of_picture = facts.barcodes or ("",)
    if is_patient_code(of_scanner) or (of_picture and all(map(is_patient_code, of_picture))):
        return False
    said, seen = _codes([of_scanner], readers), _codes(of_picture, readers)
    return not {folded(code) for code in said} & {folded(code) for code in seen}


def nothing_read(facts: SlideFacts) -> Unidentified:
    """Why there are no codes."""
    if any(map(is_patient_code, (*facts.barcodes, *_lines(facts)))):
        return Unidentified.PATIENT_CODE
    return Unidentified.NOTHING_READ


def folded(code: str) -> str:
    """As the catalogue compares codes."""
    return code.strip(" ").upper()


def name_of_code(code: str) -> str:
    """By what those take turns who look a code up, and who register a glass of that name."""
    return f"code {folded(code)}"


def variants(code: str) -> set[str]:
    """Every folded code at one edit from this one; none of a long one."""
    word = folded(code)
    if not 0 < len(word) <= _LONGEST_VARIED:
        return set()
    found: set[str] = set()
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        found.update(before + letter + after for letter in _ALPHABET)
        if after:
            found.add(before + after[1:])
            found.update(before + letter + after[1:] for letter in _ALPHABET)
        if len(after) > 1:
            found.add(before + after[1] + after[0] + after[2:])
    return {each.strip(" ") for each in found} - {word, ""}


def distance(one: str, other: str, most: int = 2) -> int | None:
    """Insertions, deletions and replacements between two codes; None for more than `most`."""
    one, other = folded(one), folded(other)
    if abs(len(one) - len(other)) > most:
        return None
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        left, row[0] = row[0], at
        for to, there in enumerate(other, 1):
            left, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, left + (letter != there))
        if min(row) > most:
            return None
    return row[-1] if row[-1] <= most else None
