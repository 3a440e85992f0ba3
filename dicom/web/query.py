"""A QIDO-RS query (PS3.18 8.3.4 and 10.6) out of its query string."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from dicom.web.attributes import (
    AVAILABILITY,
    RETRIEVE_URL,
    SERIES_INSTANCES,
    STUDY_INSTANCES,
    STUDY_SERIES,
    Attribute,
    attribute_named,
)
from dicom.web.errors import BadQueryError
from dicom.web.matching import Condition, condition_on

LONGEST_QUERY = 16384
"""Bytes of a query string."""
USUAL_RESULTS = 200
"""Of one answer where the client sets no limit."""
MOST_RESULTS = 1000
"""Of one answer, whatever limit is set."""
_MOST_OFFSET = 10_000_000
_MOST_PARAMETERS = 600
_MOST_CONDITIONS = 30
_MOST_INCLUDED = 300
_COUNTED = frozenset({AVAILABILITY, RETRIEVE_URL, SERIES_INSTANCES, STUDY_INSTANCES, STUDY_SERIES})
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for, and what to tell of what is found."""

    conditions: tuple[tuple[Attribute, Condition], ...] = ()
    included: tuple[Attribute, ...] = ()
    """Beside what is always told: what `includefield` names, and what was asked for."""
    all_included: bool = False
    limit: int = USUAL_RESULTS
    offset: int = 0


def parse_query(query_string: bytes) -> Query:
    """Raises BadQueryError for what is not understood: a condition is never silently dropped."""
    if len(query_string) > LONGEST_QUERY:
        raise BadQueryError(f"The query has more than {LONGEST_QUERY} bytes.")
    try:
        said = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError as error:
        raise BadQueryError("The query is not a list of names and values in UTF-8.") from error
    named: dict[str, list[str]] = {}
    for name, value in said:
        if "\0" in value:
            raise BadQueryError("A value of the query holds a NUL.")
        named.setdefault(name, []).append(value)
    named.pop("accept", None)  # read with the headers
    fuzzy = _flag(named.pop("fuzzymatching", ["false"]))
    limit = _count(named.pop("limit", [str(USUAL_RESULTS)]))
    offset = _count(named.pop("offset", ["0"]))
    fields = [field for value in named.pop("includefield", []) for field in value.split(",")]
    if len(named) > _MOST_CONDITIONS or len(fields) > _MOST_INCLUDED:
        raise BadQueryError("The query names more attributes than can be looked for.")
    asked = [(attribute_named(name), values) for name, values in named.items()]
    if any(attribute.outermost in _COUNTED for attribute, _ in asked):
        raise BadQueryError("The query asks for what is counted or made when it is answered.")
    found = [(each, _condition(each, values, fuzzy=fuzzy)) for each, values in asked]
    included = [attribute_named(field) for field in fields if field and field != "all"]
    return Query(
        conditions=tuple((each, condition) for each, condition in found if condition is not None),
        included=tuple(dict.fromkeys([*included, *(each for each, _ in asked)])),
        all_included="all" in fields,
        limit=min(limit, MOST_RESULTS),
        offset=min(offset, _MOST_OFFSET),
    )


def _condition(attribute: Attribute, values: list[str], *, fuzzy: bool) -> Condition | None:
    if attribute.representation == "UI":  # clients say a list by saying the name several times
        return condition_on(attribute, ",".join(filter(None, values)), fuzzy=fuzzy)
    if len(values) > 1:
        raise BadQueryError("The query asks two things of one attribute.")
    return condition_on(attribute, values[0], fuzzy=fuzzy)


def _flag(values: list[str]) -> bool:
    if values not in (["true"], ["false"]):
        raise BadQueryError("fuzzymatching is true or false.")
    return values == ["true"]


def _count(values: list[str]) -> int:
    if len(values) != 1 or _COUNT.fullmatch(values[0]) is None:
        raise BadQueryError("limit and offset are numbers, each said once.")
    return int(values[0])
