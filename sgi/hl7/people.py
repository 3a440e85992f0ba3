"""Who reads a case: PRT of DPOW, or OBR-32 as version 2.5.1 has it."""

import re

from sgi.hl7.message import Repetition
from sgi.hl7.scope import Scope

_RPPS = re.compile(r"10\d{9}", re.ASCII)
_LONGEST = 200


def pathologist_of(scope: Scope) -> tuple[str | None, str | None]:
    """Number and name; the number is the national one (8 and the RPPS) where it is an RPPS."""
    for segment in scope.all("PRT"):
        if segment.value(4) in scope.interface.pathologist_roles:
            for person in segment.field(5).repetitions:
                scope.places["pathologist"] = segment.at(5)
                return _person(person)
    found = scope.first(scope.interface.read.pathologist, "pathologist")
    return (None, None) if found is None else _person(found.repetition)


def _person(person: Repetition) -> tuple[str | None, str | None]:
    """Of an XCN, or of an NDL, whose first component holds the same as subcomponents."""
    first = person.component(1)
    if first.subcomponent(2) or first.subcomponent(3):
        number, names = first.subcomponent(1), (first.subcomponent(2), first.subcomponent(3))
    else:
        number, names = person.value(1), (person.value(2), person.value(3))
    if number is not None and _RPPS.fullmatch(number):
        number = f"8{number}"
    name = " ".join(filter(None, names))
    return (number[:_LONGEST] if number else None), (name[:_LONGEST] or None)
