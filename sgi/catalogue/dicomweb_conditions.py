"""A query's conditions as SQL over DICOM JSON: fixed words, every value a parameter."""

from typing import Any

from psycopg.types.json import Jsonb

from dicom.web.attributes import (
    MODALITIES_IN_STUDY,
    MODALITY,
    SERIES_LEVEL,
    SERIES_UID,
    STUDY_LEVEL,
    STUDY_UID,
    Attribute,
)
from dicom.web.matching import Between, Condition, Equal, Like, OneOf, Words
from dicom.web.query import Query

Parameters = dict[str, Any]
_AFTER_DIGITS = ":"
"""Sorts behind every digit, sign and point: what a bound begins lies before the bound and it."""
_UID_COLUMNS = {STUDY_UID: "study_uid", SERIES_UID: "series_uid"}


def conditions(query: Query, parameters: Parameters, series: str, instance: str | None) -> str:
    """All of a query's, with "and" between; adds to `parameters`.

    `series` and `instance` are the names of the tables in the statement; without `instance` the
    header of the base, which the series has, answers for all.
    """
    found = ["true"]
    for attribute, condition in query.conditions:
        if attribute.outermost in _UID_COLUMNS and isinstance(condition, OneOf):
            name = _named(parameters, list(condition.values))
            found.append(f"{series}.{_UID_COLUMNS[attribute.outermost]} = any({name})")
            continue
        of_series = attribute.outermost in STUDY_LEVEL | SERIES_LEVEL
        table = series if instance is None or of_series else instance
        found.append(_condition(_known(attribute), condition, parameters, table, table == series))
    return " and ".join(found)


def _known(attribute: Attribute) -> Attribute:
    """What a study is asked is an attribute of its series."""
    if attribute.outermost == MODALITIES_IN_STUDY:
        return Attribute((MODALITY,), "CS")
    return attribute


def _condition(
    attribute: Attribute,
    condition: Condition,
    parameters: Parameters,
    table: str,
    has_folded: bool,
) -> str:
    exact = _exact(attribute, condition)
    if exact is not None:  # by the index
        return f"{table}.document @> {_named(parameters, Jsonb(exact))}"
    if isinstance(condition, Words) and has_folded and len(attribute.tags) == 1:
        names = f"(' ' || ({table}.folded ->> {_named(parameters, attribute.outermost)}::text))"
        return " and ".join(
            f"{names} like {_named(parameters, f'% {_escaped(word)}%')}" for word in condition.words
        )
    within, value = _values(attribute, f"{table}.document", parameters)
    return f"exists (select from {within} where {_test(condition, value, parameters)})"


def _exact(attribute: Attribute, condition: Condition) -> dict[str, Any] | None:
    """The part of a document that is there where the condition holds, if one tells that."""
    value: Any
    if isinstance(condition, Equal):
        value = _json_number(condition.number)
    elif isinstance(condition, OneOf) and len(condition.values) == 1:
        (value,) = condition.values
    elif isinstance(condition, Like) and not condition.any_case and _is_plain(condition.pattern):
        value = condition.pattern
    else:
        return None
    for tag in reversed(attribute.tags):
        value = {tag: {"Value": [value]}}
    part: dict[str, Any] = value
    return part


def _json_number(text: str) -> int | float:
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def _is_plain(pattern: str) -> bool:
    return not {"*", "?"} & set(pattern)


def _values(attribute: Attribute, document: str, parameters: Parameters) -> tuple[str, str]:
    """What to select from, and the text of each value in it."""
    steps = []
    for depth, tag in enumerate(attribute.tags):
        name = _named(parameters, tag)
        steps.append(f"jsonb_array_elements({document} -> {name}::text -> 'Value') as v{depth}")
        document = f"v{depth}"
    if attribute.representation != "PN":
        return ", ".join(steps), f"({document} #>> '{{}}')"
    name_or_none = f"case jsonb_typeof({document}) when 'object' then {document} else '{{}}' end"
    steps.append(f"jsonb_each_text({name_or_none}) as name(part, said)")
    return ", ".join(steps), "name.said"


def _test(condition: Condition, value: str, parameters: Parameters) -> str:
    if isinstance(condition, OneOf):
        return f"{value} = any({_named(parameters, list(condition.values))})"
    if isinstance(condition, Words):
        return " and ".join(
            f"lower({value}) like {_named(parameters, f'%{_escaped(word)}%')}"
            for word in condition.words
        )
    if isinstance(condition, Like):
        pattern = _escaped(condition.pattern).replace("*", "%").replace("?", "_")
        if condition.any_case:
            return f"lower({value}) like lower({_named(parameters, pattern)})"
        return f"{value} like {_named(parameters, pattern)}"
    if isinstance(condition, Between):
        low = f'{value} collate "C" >= {_named(parameters, condition.low or "")}'
        if condition.high is None:
            return low
        high = _named(parameters, condition.high + _AFTER_DIGITS)
        return f'{low} and {value} collate "C" < {high}'
    raise TypeError("a number is told by `_exact`")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _named(parameters: Parameters, value: object) -> str:
    """A parameter of its own for a value; gives its place in the statement."""
    name = f"p{len(parameters)}"
    parameters[name] = value
    return f"%({name})s"
