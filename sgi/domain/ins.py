"""The matricule INS: 13 characters of a NIR or NIA, and a key of two digits."""

import re
from enum import StrEnum

from sgi.domain.patient import INS_OIDS, OBSOLETE_OID

_MATRICULE = re.compile(r"(?P<number>\d{5}(?:\d|2[AB])\d*)(?P<key>\d\d)", re.ASCII)
_CORSICA = {"2A": "19", "2B": "18"}
_USUAL_FIRST = frozenset("12")


class InsFault(StrEnum):
    """Why something is no INS."""

    FORM = "form"
    """Not 15 characters, digits but for 2A and 2B of Corsica."""
    KEY = "key"
    """The last two digits are not those that go with the others."""
    OBSOLETE = "obsolete"
    """An INS-C."""
    ROOT = "root"
    """Of none of the four OIDs."""


def key_of(number: str) -> int:
    """The key of the first 13 characters: 97 less their remainder, 2A counted 19 and 2B 18.

    Raises ValueError for what is no number of a NIR.
    """
    digits = number[:5] + _CORSICA.get(number[5:7], number[5:7]) + number[7:]
    if len(number) != 13 or not (digits.isascii() and digits.isdigit()):
        raise ValueError("The number of a NIR has 13 digits, or 2A or 2B as its department.")
    return 97 - int(digits) % 97


def matricule_fault(matricule: str) -> InsFault | None:
    """What is wrong with 15 characters without blanks; None of a right one."""
    match = _MATRICULE.fullmatch(matricule)
    if match is None or len(matricule) != 15:
        return InsFault.FORM
    return None if int(match["key"]) == key_of(match["number"]) else InsFault.KEY


def ins_fault(matricule: str, oid: str) -> InsFault | None:
    """As `matricule_fault`, and that the OID is one of the INS."""
    if oid == OBSOLETE_OID:
        return InsFault.OBSOLETE
    return InsFault.ROOT if oid not in INS_OIDS else matricule_fault(matricule)


def is_unusual(matricule: str) -> bool:
    """Whether it begins with neither 1 nor 2, as those of a temporary registration do.

    To be looked at, never to be refused for it.
    """
    return matricule[:1] not in _USUAL_FIRST
