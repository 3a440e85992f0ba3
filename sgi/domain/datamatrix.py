"""The INS datamatrix: what the barcode on a French identity sheet says of a person.

Reading one is no check of an identity document: what it says is compared, never taken over.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sgi.domain.ins import InsFault, ins_fault
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    Identity,
    IdentityAttribute,
    Patient,
    Trait,
    Traits,
    folded,
)
from sgi.errors import UnreadableDatamatrixError

_HEADER = re.compile(rb"IS(\d\d)0{22}")
_HEADER_LENGTH = 26
_HEADER_ANYWHERE = re.compile(r"I\s*S\s*\d\s*\d(?:\s*0){22}", re.ASCII)
_VERSION = b"01"
_GS = b"\x1d"
_LARGEST = 512
"""Bytes; all fields at their longest make less."""


LONGEST_TEXT = 600
"""Characters of a reader's text, its own marks included."""
_SEPARATORS = re.compile(r"\u241d|<GS>|\{GS\}|\[GS\]|\\x1d|\^\]", re.IGNORECASE)
"""What readers and forms write where the code has a GS, which no keyboard has."""
_SYMBOLOGY = re.compile(r"\][A-Za-z]\d")
_IN_PLACE = b" |#~;^]"
_NUMBER_ENDS = re.compile(rb"[^0-9.]|\Z")
_NAME_ENDS = re.compile(rb"S[1-7]|\Z")


@dataclass(frozen=True, slots=True)
class _Field:
    longest: int
    fixed: bool


_FIELDS = {
    b"S1": _Field(15, fixed=True),  # matricule
    b"S2": _Field(20, fixed=False),  # OID
    b"S3": _Field(100, fixed=False),  # given names at birth
    b"S4": _Field(100, fixed=False),  # birth name
    b"S5": _Field(1, fixed=True),  # sex
    b"S6": _Field(10, fixed=True),  # birth date, DD-MM-YYYY
    b"S7": _Field(5, fixed=True),  # INSEE code of the birth place
}


def as_read(text: str) -> bytes:
    """The barcode's bytes, of the text that a reader gave: without its prefix and line end, its
    separators made those of the code.

    Raises UnreadableDatamatrixError for more than LONGEST_TEXT, and letters that no code holds.
    """
    bare = text.strip(" \t\r\n\0") if len(text) <= LONGEST_TEXT else ""
    bare = _SEPARATORS.sub("\x1d", _SYMBOLOGY.sub("", bare, count=1) if bare[:1] == "]" else bare)
    try:
        return bare.encode("latin-1")
    except UnicodeEncodeError as error:
        raise UnreadableDatamatrixError(
            "The barcode is no INS datamatrix; scan another one."
        ) from error


def before_ins_text(text: str) -> str | None:
    """What stands before such a barcode in a text, broken into lines or not; None where the text
    shows the beginning of none.
    """
    found = _HEADER_ANYWHERE.search(text)
    return None if found is None else text[: found.start()]


def identity_of(codes: Iterable[str]) -> Identity | None:
    """Whom the sound INS datamatrix of a label names; None of none, or of two people's."""
    found: set[Identity] = set()
    for text in codes:
        with contextlib.suppress(UnreadableDatamatrixError):
            found.add(parse_datamatrix(as_read(text)))
    return found.pop() if len(found) == 1 else None


def parse_datamatrix(raw: bytes) -> Identity:
    """What the barcode says, fields in any order; nothing is said of the status.

    Raises UnreadableDatamatrixError for what is no sound INS datamatrix.
    """
    header = _HEADER.match(raw[:_HEADER_LENGTH])
    if header is None or len(raw) > _LARGEST:
        raise UnreadableDatamatrixError("The barcode is no INS datamatrix; scan another one.")
    if header[1] != _VERSION:
        raise UnreadableDatamatrixError(
            "The INS datamatrix is of another version; compare the identity by hand."
        )
    said: dict[str, str] = {}
    for tag, value in _fields(raw[_HEADER_LENGTH:]):
        if said.setdefault(tag, value) != value:
            raise UnreadableDatamatrixError("The INS datamatrix contradicts itself; scan it again.")
    matricule, oid = said.get("S1"), said.get("S2")
    if matricule is None or oid is None:
        raise UnreadableDatamatrixError("The INS datamatrix holds no matricule; scan it again.")
    _require_ins(matricule, oid)
    given_names = said.get("S3")
    traits = Traits(
        birth_name=said.get("S4"),
        first_given_name=given_names.split()[0] if given_names else None,
        given_names=given_names,
        sex=_sex(said.get("S5")),
        birth_date=_birth_date(said.get("S6")),
        birth_place=said.get("S7"),
    )
    return Identity((Identifier(matricule, oid, IdentifierKind.INS),), traits)


class Agreement(StrEnum):
    """What a scanned field is to what is known."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"
    """One of the two leaves it open."""


class Whose(StrEnum):
    """Whether a code and a patient are of one person."""

    SAME = "same"
    ANOTHER = "another"
    CANNOT_TELL = "cannot_tell"


def agreements(identity: Identity, patient: Patient) -> dict[Trait, Agreement]:
    """Field by field, what a scanned identity is to a patient.

    Names are compared without case, accents, hyphens and apostrophes. Where one account has only
    the first of the given names, the others are no difference.
    """
    found: dict[Trait, Agreement] = {}
    for trait in Trait:
        if trait is Trait.INS:
            found[trait] = _agreement(identity.ins, patient.ins)
            continue
        one, other = getattr(identity.traits, trait), getattr(patient.traits, trait)
        found[trait] = _agreement(
            *(None if each is None else folded(str(each)) for each in (one, other))
        )
    if found[Trait.GIVEN_NAMES] is Agreement.DIFFERS and _one_is_short(
        identity.traits, patient.traits
    ):
        found[Trait.GIVEN_NAMES] = Agreement.SAME
    return found


def compare(identity: Identity, patient: Patient) -> tuple[Trait, ...]:
    """In what a scanned identity differs from a patient; empty where nothing speaks against it."""
    found = agreements(identity, patient)
    return tuple(trait for trait in Trait if found[trait] is Agreement.DIFFERS)


def whose(identity: Identity, patient: Patient) -> Whose:
    """Whether a code is this patient's.

    One person may be given another matricule in their life, and two may share all traits: neither
    alone decides against the other.
    """
    found = agreements(identity, patient)
    ins = found.pop(Trait.INS)
    differs = Agreement.DIFFERS in found.values()
    all_same = all(found[trait] is Agreement.SAME for trait in _STRICT)
    if ins is Agreement.SAME:
        return Whose.CANNOT_TELL if differs else Whose.SAME
    if differs:
        return Whose.ANOTHER
    if ins is Agreement.DIFFERS:
        return Whose.CANNOT_TELL if all_same else Whose.ANOTHER
    homonym = IdentityAttribute.HOMONYM in patient.attributes
    return Whose.SAME if all_same and not homonym else Whose.CANNOT_TELL


_STRICT = (
    Trait.BIRTH_NAME,
    Trait.FIRST_GIVEN_NAME,
    Trait.SEX,
    Trait.BIRTH_DATE,
    Trait.BIRTH_PLACE,
)


def _agreement(one: object, other: object) -> Agreement:
    if one is None or other is None:
        return Agreement.UNKNOWN
    return Agreement.SAME if one == other else Agreement.DIFFERS


def _one_is_short(one: Traits, other: Traits) -> bool:
    lists = [folded(traits.given_names or "").split() for traits in (one, other)]
    return any(len(names) == 1 for names in lists) and lists[0][:1] == lists[1][:1]


def _fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Each tag and its text, those that are not empty.

    Some readers drop the separators or put something in their place. Then a number ends where
    neither digit nor dot comes, and a name where the next tag does: no name holds a digit.
    """
    is_separated = _GS in raw
    while raw:
        known = _FIELDS.get(raw[:2])
        if known is None:
            raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        tag, raw = raw[:2].decode(), raw[2:]
        value = raw[: known.longest]
        if not known.fixed and is_separated:
            value = value.split(_GS, 1)[0]
        elif not known.fixed:
            end = (_NUMBER_ENDS if tag == "S2" else _NAME_ENDS).search(raw)
            value = raw[: end.start()] if end else raw
            if len(value.rstrip(_IN_PLACE)) > known.longest:
                raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        elif len(value) < known.longest or _GS in value:
            raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        raw = raw[len(value) :].removeprefix(_GS)
        if not known.fixed and not is_separated:
            raw, value = raw.lstrip(_IN_PLACE), value.rstrip(_IN_PLACE)
        text = value.decode("latin-1").strip()
        if not text.isprintable():
            raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        if text:
            yield tag, text


def _require_ins(matricule: str, oid: str) -> None:
    fault = ins_fault(matricule, oid)
    if fault is InsFault.KEY:
        raise UnreadableDatamatrixError("The key of the matricule is not right; scan it again.")
    if fault is not None:
        raise UnreadableDatamatrixError("What the datamatrix holds is no INS; scan another one.")


def _sex(text: str | None) -> str | None:
    return text if text in {"M", "F"} else None


def _birth_date(text: str | None) -> date | None:
    """None as well for a day or month that the registry does not know (00)."""
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%d-%m-%Y").date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        return None
