"""How a specimen, block or slide was prepared: the OBX after its SPM (DPOW A.10.1).

One OBX tells one substance; those of one stain share OBX-4. SPM-6, which older systems use for it,
is not read.
"""

from collections.abc import Iterable

from sgi.domain.case import Code
from sgi.hl7.errors import CardinalityError, MissingFieldError, WrongTypeError
from sgi.hl7.message import Segment
from sgi.hl7.scope import Scope

FIXATIVE = "430864009"
EMBEDDING = "430863003"
STAIN = "397165007"

_TYPES = {"CWE", "CE", "CNE", "ST", "TX", None}
_MOST_STAINS = 50
"""Substances of one slide."""
_TAKEN_BACK = {"D", "W", "X"}
"""OBX-11: deleted, sent for the wrong patient, cannot be obtained."""


def fixative_of(scope: Scope) -> Code | None:
    return _only(scope, FIXATIVE, "fixative")


def embedding_of(scope: Scope) -> Code | None:
    return _only(scope, EMBEDDING, "embedding")


def stains_of(scope: Scope) -> tuple[Code, ...]:
    """Each substance once: stain after stain, in the order in which they are first met."""
    groups: dict[str, list[Code]] = {}
    for segment in _about(scope, STAIN):
        group = segment.value(4) or f"alone {segment.sequence}"
        for code in _values(scope, segment):
            groups.setdefault(group, []).extend(translated(scope, code))
        if sum(map(len, groups.values())) > _MOST_STAINS:
            raise _too_many(segment)
    if groups:
        scope.places["stains"] = next(iter(_about(scope, STAIN))).at(5)
    return tuple(dict.fromkeys(code for group in groups.values() for code in group))


def translated(scope: Scope, stain: Code) -> tuple[Code, ...]:
    """A stain by the interface's table."""
    known = scope.interface.codes.stains.get(stain.code)
    return tuple(word.as_code() for word in known) if known else (stain,)


def _only(scope: Scope, kind: str, what: str) -> Code | None:
    for segment in _about(scope, kind):
        for code in _values(scope, segment):
            scope.places[what] = segment.at(5)
            return code
    return None


def _about(scope: Scope, kind: str) -> Iterable[Segment]:
    for segment in scope.all("OBX"):
        if segment.value(3) == kind and segment.value(11) not in _TAKEN_BACK:
            yield segment


def _values(scope: Scope, segment: Segment) -> Iterable[Code]:
    if segment.value(2) not in _TYPES:
        place = segment.at(2)
        raise WrongTypeError(f"{place} must be CWE for a substance.", place)
    place = segment.at(5)
    if segment.field(5).raw.count(segment.delimiters.repetition) >= _MOST_STAINS:
        raise _too_many(segment)
    codes = [scope.code_in(one, place) for one in segment.field(5).repetitions]
    found = [code for code in codes if code is not None]
    if not found:
        raise MissingFieldError(f"{place} is empty; it names the substance.", place)
    return found


def _too_many(segment: Segment) -> CardinalityError:
    place = segment.at(5)
    return CardinalityError(f"{place}: a slide has at most {_MOST_STAINS} substances.", place)
