"""The INS datamatrix: what the barcode on a French identity sheet says of a person.

Reading one is no check of an identity document: what it says is compared, never taken over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sgi.domain.ins import InsFault, ins_fault
from sgi.domain.patient import (
    Identifier,
    IdentifierKind,
    Identity,
    Patient,
    Trait,
    Traits,
    differences,
    folded,
)
from sgi.errors import UnreadableDatamatrixError

_HEADER = re.compile(rb"IS(\d\d)0{22}")
_HEADER_LENGTH = 26
_VERSION = b"01"
_GS = b"\x1d"
_LARGEST = 512
"""Bytes; all fields at their longest make less."""


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


def is_ins_datamatrix(raw: bytes) -> bool:
    """Whether a barcode is one of these, sound or not: then it names no slide."""
    return _HEADER.match(raw) is not None


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


def compare(identity: Identity, patient: Patient) -> tuple[Trait, ...]:
    """In what a scanned identity differs from a patient; empty where nothing speaks against it.

    Where one account has only the first of the given names, the others are no difference.
    """
    found = list(differences(identity.traits, patient.traits))
    if Trait.GIVEN_NAMES in found and _one_is_short(identity.traits, patient.traits):
        found.remove(Trait.GIVEN_NAMES)
    said, known = identity.ins, patient.ins
    if said is not None and known is not None and said != known:
        found.append(Trait.INS)
    return tuple(found)


def _one_is_short(one: Traits, other: Traits) -> bool:
    lists = [folded(traits.given_names or "").split() for traits in (one, other)]
    return any(len(names) == 1 for names in lists) and lists[0][:1] == lists[1][:1]


def _fields(raw: bytes) -> Iterator[tuple[str, str]]:
    """Each tag and its text, those that are not empty."""
    while raw:
        known = _FIELDS.get(raw[:2])
        if known is None:
            raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        tag, raw = raw[:2].decode(), raw[2:]
        value = raw[: known.longest]
        if not known.fixed:
            value = value.split(_GS, 1)[0]
        elif len(value) < known.longest or _GS in value:
            raise UnreadableDatamatrixError("The INS datamatrix is damaged; scan it again.")
        raw = raw[len(value) :].removeprefix(_GS)
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
