"""What belongs to a worklist, as SQL over `lab_case c`: fixed words, every value a parameter.

Each list's words repeat the condition of a partial index of migration 0012.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from sgi.domain.case import OPEN, CaseState
from sgi.domain.worklist import CaseFilter, Worklist


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a list asks of its cases, and how they are ordered."""

    sql: str
    parameters: Mapping[str, Any]
    is_open: bool
    """Whether it asks for open cases alone."""
    has_more: bool = False
    """Whether it asks for more than to be in the list and what a search finds by itself."""
    order: str = field(default="c.id")
    is_falling: bool = False

    def narrowed(self, sql: str, parameters: Mapping[str, Any]) -> "Conditions":
        """With one more."""
        return replace(
            self, sql=f"{self.sql} and {sql}", parameters={**self.parameters, **parameters}
        )

    def with_order(self, order: str, *, is_falling: bool) -> "Conditions":
        return replace(self, order=order, is_falling=is_falling)


_LISTS = {
    Worklist.MINE: "c.open and c.account_id = %(mine)s",
    Worklist.GROUP: "c.open and c.group_id = any(%(groups)s) and c.account_id is null",
    Worklist.UNASSIGNED: "c.open and c.account_id is null and c.group_id is null",
    Worklist.EXTEMPORANE: "c.open and c.extemporane",
    Worklist.READY: "c.open and c.state = 'ready'",
    Worklist.LATE: "c.open and c.due_at < now()",
    Worklist.TO_RESCAN: "c.open and c.rescans > 0",
    Worklist.ON_HOLD: "c.open and c.held_at is not null",
    Worklist.OPEN: "c.open",
    Worklist.ALL: "true",
}
_SEARCHED = frozenset({"received_from", "received_before", "account", "group"})


def conditions(
    worklist: Worklist, account_id: UUID, groups: Sequence[UUID], narrowed: CaseFilter
) -> Conditions:
    """Of a list as one account sees it, with the filter's but for its words."""
    found, parameters = [_LISTS[worklist]], {"mine": account_id, "groups": list(groups)}
    is_open = worklist is not Worklist.ALL
    if narrowed.states and OPEN.issuperset(narrowed.states) and not is_open:
        is_open = True
        found.append("c.open")
    more = _narrowing(narrowed)
    for sql, name, value in more:
        found.append(sql)
        parameters[name] = value
    has_more = any(name not in _SEARCHED for _, name, _ in more)
    return Conditions(" and ".join(found), parameters, is_open, has_more)


def _narrowing(narrowed: CaseFilter) -> list[tuple[str, str, Any]]:
    asked = [
        (
            "c.accession_number = %(accession_number)s",
            "accession_number",
            narrowed.accession_number,
        ),
        ("c.state = any(%(states)s)", "states", _words(narrowed.states)),
        ("c.priority = %(priority)s", "priority", narrowed.priority),
        ("c.extemporane = %(extemporane)s", "extemporane", narrowed.extemporane),
        ("c.account_id = %(account)s", "account", narrowed.account_id),
        ("c.group_id = %(group)s", "group", narrowed.group_id),
        (
            "c.patient_id in (select id from patient where id = %(patient)s"
            " or merged_into = %(patient)s)",
            "patient",
            narrowed.patient_id,
        ),
        ("c.received_at >= %(received_from)s", "received_from", narrowed.received_from),
        ("c.received_at < %(received_before)s", "received_before", narrowed.received_before),
        ("c.due_at < %(due_before)s", "due_before", narrowed.due_before),
    ]
    return [(sql, name, value) for sql, name, value in asked if value is not None]


def _words(states: Sequence[CaseState]) -> list[str] | None:
    return [str(state) for state in states] or None
