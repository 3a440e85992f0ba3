"""Who leads to whom: merges and changes of identifier, told in any order, read as one story.

What comes out depends on what was said and since when it is so, never on when it was heard, except
where two things are true since the same moment: then the one that was heard later holds.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from sgi.domain.patient import Identifier
from sgi.errors import IdentityConflictError


class Standing(IntEnum):
    """How much what was said of a record counts for the living patient that it leads to."""

    MERGED = 0
    """Of somebody who was held for another: it fills in what nobody else has said."""
    CHANGED = 1
    """Of the same person under an identifier that they bear no more."""
    LIVING = 2


@dataclass(frozen=True, slots=True)
class Leads:
    """`one` leads to `other`, and the identifier `gone` is not used any more.

    Where both are one record it leads nowhere, but loses the identifier.
    """

    one: UUID
    other: UUID
    gone: UUID
    said_at: datetime
    rank: int
    by_change: bool
    """A47; else A40."""
    kept: UUID | None = None
    """The identifier that is used instead, where that is on record."""


def current(leads: Collection[Leads]) -> dict[UUID, Leads]:
    """Of each record that is none any more, where it leads: no circles, newest word last.

    Whoever is kept lives: to merge A into B and later B into A turns the first round.
    """
    found: dict[UUID, Leads] = {}
    for lead in _in_order(leads):
        if lead.one == lead.other:
            continue
        found[lead.one] = lead
        if lead.one in path(lead.other, found):
            del found[lead.other]
    return found


def retired(leads: Collection[Leads], leading: Mapping[UUID, Leads]) -> dict[UUID, datetime]:
    """The identifiers that are not borne any more, and since when.

    Those of a record that leads on, and within a record those that were not used instead again.
    """
    found: dict[UUID, datetime] = {}
    within: dict[UUID, datetime] = {}
    for lead in _in_order(leads):
        if lead.one == lead.other:
            within[lead.gone] = lead.said_at
        elif lead.one in leading:
            found[lead.gone] = lead.said_at
        if lead.kept is not None:
            within.pop(lead.kept, None)
    return within | found


def _in_order(leads: Collection[Leads]) -> list[Leads]:
    return sorted(leads, key=lambda lead: (lead.said_at, lead.rank))


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


def going_and_staying(
    named: Sequence[Identifier], gone: Sequence[Identifier]
) -> tuple[list[Identifier], list[Identifier]]:
    """What a merge or a change does away with, and what of `named` is still borne.

    An identifier on both sides stays where others go; some systems list what goes among the
    others, so that it goes where it alone does. Raises IdentityConflictError when nothing stays.
    """
    going = [each for each in dict.fromkeys(gone) if each not in named] or list(gone)
    staying = [each for each in named if each not in going]
    if not staying:
        raise IdentityConflictError(
            "The identifier that goes and the one that stays are the same; name the other one."
        )
    return going, staying


def naming_who_stays(
    staying: Sequence[Identifier], going: Sequence[Identifier]
) -> list[Identifier]:
    """Those of an assigner of what goes: the others are only known of who stays, if at all."""
    assigners = {each.assigner for each in going}
    return [each for each in staying if each.assigner in assigners] or list(staying)
