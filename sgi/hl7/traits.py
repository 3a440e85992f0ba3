"""PID-5 to PID-30 and ZFA: what is said of a patient, as PAM-FR writes it."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from sgi.domain.patient import Dmp, DmpFeeding, DmpReading, Traits
from sgi.hl7.errors import WrongTypeError
from sgi.hl7.identifiers import plain, sent
from sgi.hl7.message import Message, Repetition, Segment
from sgi.hl7.times import parse_date

_BIRTH_PLACE_TYPE = "BDL"
_USED_TYPE = "D"
_EARLIEST_YEAR = 1850
_SEXES = {"M": "M", "F": "F", "O": "O", "A": "O", "U": "U", "N": "U", "I": "U"}
"""Table 0001, and I of French registries."""


def traits_of(pid: Segment, notes: list[str]) -> Traits:
    """What a PID says; raises WrongTypeError."""
    birth, used = _names(pid)
    return Traits(
        birth_name=_name(birth, 1, pid),
        first_given_name=_name(birth, 2, pid),
        given_names=_name(birth, 3, pid),
        used_name=_name(used, 1, pid),
        used_given_name=_name(used, 2, pid),
        sex=_sex(pid, notes),
        birth_date=_birth_date(pid, notes),
        birth_place=_birth_place(pid, notes),
        died=_died(pid, notes),
    )


def _names(pid: Segment) -> tuple[Repetition | None, Repetition | None]:
    """The name at birth (XPN-7 L, or without a type) and the one in use (D)."""
    repetitions = pid.field(5).repetitions
    births = [r for r in repetitions if r.value(7) in {"L", None}]
    births.sort(key=lambda repetition: repetition.value(7) is None)
    used = [r for r in repetitions if r.value(7) == _USED_TYPE]
    return (births[0] if births else None), (used[0] if used else None)


def _name(repetition: Repetition | None, component: int, pid: Segment) -> str | None:
    text = None if repetition is None else repetition.value(component)
    return None if text is None else plain(" ".join(text.split()), pid.at(5))


def _sex(pid: Segment, notes: list[str]) -> str | None:
    code = pid.value(8)
    if code is not None and code not in _SEXES:
        notes.append(f"{pid.at(8)} is not in table 0001; the sex was left aside.")
    return _SEXES.get(code or "")


def _birth_date(pid: Segment, notes: list[str]) -> date | None:
    text, place = pid.value(7), pid.at(7)
    if text is None:
        return None
    day = parse_date(text, place)
    if day is None:
        notes.append(f"{place} is no whole date; the birth date was left aside.")
        return None
    if day.year < _EARLIEST_YEAR or day > datetime.now(UTC).date() + timedelta(days=1):
        raise WrongTypeError(f"{place} is no date on which a patient can be born.", place)
    return day


def _birth_place(pid: Segment, notes: list[str]) -> str | None:
    """XAD-9 of the repetition of type BDL: an INSEE code."""
    for number, repetition in sent(pid.field(11)):
        code = repetition.value(9)
        if repetition.value(7) != _BIRTH_PLACE_TYPE or code is None:
            continue
        if len(code) == 5 and code.isascii() and code.isalnum():
            return code.upper()
        place = pid.at(11, component=9, repetition=number)
        notes.append(f"{place} is no INSEE code of 5 characters; it was left aside.")
    return None


def _died(pid: Segment, notes: list[str]) -> bool | None:
    said = {"Y": True, "N": False}.get(pid.value(30) or "")
    if pid.value(29) is None:
        return said
    if not _can_have_died_then(pid):
        notes.append(
            f"{pid.at(29)} is no date on which the patient can have died; it was left aside."
        )
        return said
    return True if said is None else said


def died_on_of(pid: Segment) -> date | None:
    """The day of PID-29; None where none is said, one that cannot be, or only its year or month."""
    if pid.value(29) is None or not _can_have_died_then(pid) or not _died(pid, []):
        return None
    return parse_date(pid.value(29) or "", pid.at(29))


def _can_have_died_then(pid: Segment) -> bool:
    """Whether PID-29, which may be a year or a month alone, lies between birth and tomorrow."""
    text = (pid.value(29) or "").strip()
    try:
        day = parse_date(text, pid.at(29))
        born = parse_date(pid.value(7) or "", pid.at(7)) if pid.value(7) else None
    except WrongTypeError:
        return False
    latest = datetime.now(UTC).date() + timedelta(days=1)
    if day is None:  # of digits: years, and then months, compare as they are written
        said, last = text[:4] + text[4:6].removesuffix("00"), f"{latest:%Y%m}"
        first = f"{_EARLIEST_YEAR}01" if born is None else f"{born:%Y%m}"
        return first[: len(said)] <= said <= last[: len(said)]
    return (born or date(_EARLIEST_YEAR, 1, 1)) <= day <= latest


Code = TypeVar("Code", bound=StrEnum)


def dmp_of(message: Message, notes: list[str]) -> Dmp | None:
    """ZFA, where it says anything."""
    zfa = message.segment("ZFA")
    if zfa is None:
        return None
    state = zfa.value(1)
    dmp = Dmp(
        state=None if state is None else plain(state, zfa.at(1)),
        feeding=_code(zfa, 9, DmpFeeding, notes),
        reading=_code(zfa, 11, DmpReading, notes),
    )
    return None if dmp == Dmp() else dmp


def _code(segment: Segment, number: int, known: type[Code], notes: list[str]) -> Code | None:
    code = segment.value(number)
    if code is None:
        return None
    if code not in list(known):
        notes.append(f"{segment.at(number)} is a code that is not known; it was left aside.")
        return None
    return known(code)
