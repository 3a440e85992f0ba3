"""Who leads to whom: merges and changes of identifier, told in any order, read as one story.

What comes out depends on what was said and since when it is so, never on when it was heard, except
where two things are true since the same moment: then the one that was heard later holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID


class Standing(IntEnum):
    """How much what was said of a record counts for the living patient that it leads to."""

    MERGED = 0
    """Of somebody who was held for another: it fills in what nobody else has said."""
    CHANGED = 1
    """Of the same person under an identifier that they bear no more."""
    LIVING = 2


@dataclass(frozen=True, slots=True)
class Leads:
    """`one` leads to `other`, and the identifier `gone` is not used any more."""

    one: UUID
    other: UUID
    gone: UUID
    said_at: datetime
    rank: int
    by_change: bool
    """A47; else A40."""


def current(leads: Collection[Leads]) -> dict[UUID, Leads]:
    """Of each record that is none any more, where it leads: no circles, newest word last.

    Whoever is kept lives: to merge A into B and later B into A turns the first round.
    """
    found: dict[UUID, Leads] = {}
    for lead in sorted(leads, key=lambda lead: (lead.said_at, lead.rank)):
        found[lead.one] = lead
        if lead.one in path(lead.other, found):
            del found[lead.other]
    return found


def path(start: UUID, leading: Mapping[UUID, Leads]) -> list[UUID]:
    """From a record to the living one, both included; a circle is walked once."""
    walked = {start: None}
    at = start
    while (lead := leading.get(at)) is not None and lead.other not in walked:
        at = lead.other
        walked[at] = None
    return list(walked)


def living(start: UUID, leading: Mapping[UUID, Leads]) -> UUID:
    """The living record that one leads to, or itself."""
    return path(start, leading)[-1]


def standing(
    record: UUID, retired: bool, said_at: datetime, leading: Mapping[UUID, Leads]
) -> Standing:
    """How much it counts that something was said of a record by one of its identifiers.

    What is said by an identifier that is still borne counts in full once the record leads on.
    """
    steps = [leading[step] for step in path(record, leading)[:-1]]
    if not steps or (not retired and said_at >= max(step.said_at for step in steps)):
        return Standing.LIVING
    if all(step.by_change for step in steps):
        return Standing.CHANGED
    return Standing.MERGED
