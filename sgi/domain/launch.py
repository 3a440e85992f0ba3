"""What another system asks us to show (IHE RAD-106, Invoke Image Display), read from its query.

Also as the French imaging report writes it, with both keys at once: both must mean the same.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from sgi.errors import LaunchRequestError

_LONGEST_QUERY = 4096
_MOST_NAMED = 20
_LONGEST_NUMBER = 64
_LONGEST_IDENTIFIER = 250
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_NAMES = {"requesttype", "studyuid", "accessionnumber", "patientid", "mostrecentresults"}
"""Of parameters that decide what is shown; letter case differs from system to system."""


@dataclass(frozen=True, slots=True)
class StudiesAsked:
    """`requestType=STUDY`: at least one of the two names something."""

    study_uids: tuple[str, ...] = ()
    accession_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientAsked:
    """`requestType=PATIENT`."""

    identifier: str
    assigners: frozenset[str] = frozenset()
    """Any of its names: of the namespace, or the OID; empty where the system does not say."""
    newest: int | None = None
    """How many of the patient's cases, the newest first; None for all."""


Asked = StudiesAsked | PatientAsked


def asked_by(query: str) -> Asked:
    """What a query string asks for, without its `?`; parameters that decide nothing are ignored.

    Raises LaunchRequestError with a sentence that says what is wrong, and repeats nothing of it.
    """
    if len(query) > _LONGEST_QUERY:
        raise LaunchRequestError("The request is too long.")
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=50, errors="strict")
    except ValueError as error:
        raise LaunchRequestError("The request is not written as a query in UTF-8.") from error
    said: dict[str, str] = {}
    for name, value in pairs:
        known = name.lower()
        if known not in _NAMES:
            continue
        if known in said:
            raise LaunchRequestError("A parameter is there twice: give lists with commas.")
        said[known] = value.strip()
    kind = said.get("requesttype", "").upper()
    if kind == "STUDY":
        return _studies(said)
    if kind == "PATIENT":
        return _patient(said)
    raise LaunchRequestError("requestType is to be STUDY or PATIENT.")


def _studies(said: dict[str, str]) -> StudiesAsked:
    uids, numbers = _listed(said.get("studyuid")), _listed(said.get("accessionnumber"))
    if not uids and not numbers:
        raise LaunchRequestError("STUDY goes with studyUID or accessionNumber.")
    if any(len(uid) > _LONGEST_NUMBER or not _UID.fullmatch(uid) for uid in uids):
        raise LaunchRequestError("studyUID is a UID, of figures and dots, or several with commas.")
    if any(not _is_word(number, _LONGEST_NUMBER) for number in numbers):
        raise LaunchRequestError("accessionNumber is a number as the laboratory writes it.")
    return StudiesAsked(uids, numbers)


def _listed(value: str | None) -> tuple[str, ...]:
    """Without repetitions, in order; empty for what is not there or says nothing."""
    found = [each.strip() for each in (value or "").split(",")]
    if len(found) > _MOST_NAMED:
        raise LaunchRequestError(f"At most {_MOST_NAMED} studies are shown at once.")
    return tuple(dict.fromkeys(each for each in found if each))


def _patient(said: dict[str, str]) -> PatientAsked:
    if said.get("studyuid") or said.get("accessionnumber"):
        raise LaunchRequestError("PATIENT goes with patientID, and not with a study's number.")
    value, *others = said.get("patientid", "").split("^")
    assigner = others[2] if len(others) > 2 else ""
    if not _is_word(value, _LONGEST_IDENTIFIER) or len(assigner) > _LONGEST_IDENTIFIER:
        raise LaunchRequestError("PATIENT goes with patientID, such as 4711^^^Hospital.")
    newest = said.get("mostrecentresults") or None
    if newest is not None and not re.fullmatch(r"[1-9][0-9]{0,3}", newest):
        raise LaunchRequestError("mostRecentResults is a number from 1 on.")
    return PatientAsked(value.strip(), names_of(assigner), None if newest is None else int(newest))


def names_of(assigner: str) -> frozenset[str]:
    """The names that an assigner has in CX.4: its own, and its universal id, of whatever type."""
    parts = (part.strip() for part in assigner.split("&")[:2])
    return frozenset(part for part in parts if part)


def _is_word(text: str, longest: int) -> bool:
    return 0 < len(text.strip()) <= longest and text.isprintable()


def said_both_ways(by_uid: Sequence[object], by_number: Sequence[object]) -> bool:
    """Whether the two keys of one request mean the same; a key that is not given says nothing."""
    return not by_uid or not by_number or set(by_uid) == set(by_number)
