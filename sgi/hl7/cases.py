"""A case: what the ORC, OBR and the segments around them say of it (DPOW A.2, A.3, A.7, A.8)."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace

from sgi.domain.case import CaseSaid, CaseState, Code, Priority
from sgi.hl7.assets import comment_of
from sgi.hl7.errors import ContradictionError, Location, MissingFieldError, UnknownCodeError
from sgi.hl7.message import Path
from sgi.hl7.people import pathologist_of
from sgi.hl7.scope import Scope

_KEYS = {("ORC", 38), ("SPM", 30)}
"""Where DPOW has the case's own number: both are of one case."""
_CANCELLED = "CA"
_COMPLETE = "CM"


def accession_number_of(
    scope: Scope, aside: Collection[tuple[str, int]] = frozenset()
) -> str | None:
    """The case's number, not looked for in the fields `aside`; raises ContradictionError where
    ORC-38 and SPM-30 are of two cases.
    """
    paths = [p for p in scope.interface.read.case if (p.segment, p.field) not in aside]
    keys: dict[str, Location] = {}
    for found in scope.every(paths):
        if (found.location.segment, found.location.field) in _KEYS:
            keys.setdefault(found.value, found.location)
    if len(keys) > 1:
        places = list(keys.values())
        raise ContradictionError(
            f"{places[0]} and {places[1]} are of two cases; send one message for each.", places[1]
        )
    return scope.name(paths, None, "accession_number")


def no_number(scope: Scope, paths: Sequence[Path] | None = None) -> MissingFieldError:
    """The error of a message that does not say which case it is about."""
    paths = scope.interface.read.case if paths is None else paths
    names = ", ".join(dict.fromkeys(f"{path.segment}-{path.field}" for path in paths))
    segments = [(path, scope.segment(path.segment)) for path in paths]
    places = [path.location(segment) for path, segment in segments if segment is not None]
    place = places[0] if places else None
    return MissingFieldError(
        f"The number of the case is missing; send it in one of {names}.", place
    )


def case_of(scope: Scope, accession_number: str, *, update: bool, service: bool) -> CaseSaid:
    """What is said of the case; `update` where the message is about the case itself (LAB-101),
    `service` where OBR-4 is what was ordered of all of it.
    """
    read = scope.interface.read
    number, name = pathologist_of(scope)
    return CaseSaid(
        accession_number=accession_number,
        placer_number=scope.text(read.placer, "placer_number"),
        filler_number=scope.text(read.filler, "filler_number"),
        priority=_priority(scope),
        extemporane=_extemporane(scope, update=update),
        service=service_of(scope) if service else None,
        clinical_information=_clinical(scope),
        pathologist=number,
        pathologist_name=name,
        visit_number=scope.text(read.visit, "visit_number"),
        state=_state(scope, strict=update),
        comment=comment_of(scope),
    )


def service_of(scope: Scope) -> Code | None:
    """What was ordered."""
    found = scope.first(scope.interface.read.service, "service")
    return None if found is None else scope.code_in(found.repetition, found.location)


def joined(one: CaseSaid, other: CaseSaid) -> CaseSaid:
    """Two parts of one message about a case: what the first leaves open, from the other."""
    return replace(
        one,
        **{
            field.name: getattr(other, field.name)
            for field in fields(CaseSaid)
            if getattr(one, field.name) is None
        },
    )


def is_cancelled(scope: Scope) -> bool:
    """ORC-5 of a status change."""
    orc = scope.segment("ORC")
    return orc is not None and orc.value(5) == _CANCELLED


def _priority(scope: Scope) -> Priority | None:
    found = scope.first(scope.interface.read.priority, "priority")
    if found is None:
        return None
    known = scope.interface.codes.priorities.get(found.value)
    if known is None:
        scope.note(f"{found.location} is no priority that is known here; it was left aside.")
    return known


def _extemporane(scope: Scope, *, update: bool) -> bool | None:
    """True by the interface's words; False only where the case itself is said to be something
    else, as its slides are ordered by themselves.
    """
    rule = scope.interface.extemporane
    said = {value.casefold() for value in scope.codes_said(rule.fields)}
    if said & {value.casefold() for value in rule.values}:
        scope.first(rule.fields, "extemporane")
        return True
    orc = scope.segment("ORC")
    corrects = update and orc is not None and orc.value(1) == "XO"
    return False if said and corrects else None


def _clinical(scope: Scope) -> str | None:
    """A text, or the text of a code."""
    found = scope.first(scope.interface.read.clinical, "clinical_information")
    if found is None:
        return None
    obr = scope.segment("OBR")
    repetitions = [found.repetition]
    if obr is not None and found.location.field is not None:
        repetitions = obr.field(found.location.field).repetitions or repetitions
    lines = [text for one in repetitions if (text := one.value(2) or one.value(1))]
    return scope.bounded("\n".join(lines), found.location) or None


def _state(scope: Scope, *, strict: bool) -> CaseState | None:
    """ORC-25 by the table `states`; else a complete case is signed out.

    Raises UnknownCodeError for a modifier that is not in the table, of a case update.
    """
    orc = scope.segment("ORC")
    if orc is None:
        return None
    states = scope.interface.codes.states
    modifier, status = orc.value(25), orc.value(5)
    if modifier is not None and modifier in states:
        scope.places["state"] = orc.at(25)
        return states[modifier]
    if modifier is not None and strict:
        place = orc.at(25)
        raise UnknownCodeError(f"{place} is no state of a case that is known here.", place)
    if status is not None and (status in states or (strict and status == _COMPLETE)):
        scope.places["state"] = orc.at(5)
        return states.get(status, CaseState.SIGNED_OUT)
    return None
