"""Worklists: which cases each shows, in which order, and what they can be narrowed to."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sgi.domain.case import CaseState, Priority

COUNTED_TO = 1000
"""More are told as "1000+"."""
MOST_WORDS = 8
_DAY_FIRST = re.compile(r"\b(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})\b")
_YEAR_FIRST = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


class Worklist(StrEnum):
    """The lists that everybody has. All but the last hold open cases alone."""

    MINE = "mine"
    GROUP = "group"
    """Of the groups that the account is in, and not yet somebody's."""
    UNASSIGNED = "unassigned"
    """Nobody's and no group's."""
    EXTEMPORANE = "extemporane"
    READY = "ready"
    """All slides have images, nobody has begun."""
    LATE = "late"
    """Past the time at which they were due."""
    TO_RESCAN = "to-rescan"
    ON_HOLD = "on-hold"
    """Put aside by a person, with a reason."""
    OPEN = "open"
    ALL = "all"
    """Signed out and cancelled ones too; the newest first."""


class Order(StrEnum):
    """What comes first."""

    PRIORITY = "priority"
    """Frozen sections, then by priority, then what is due first."""
    DUE = "due"
    RECEIVED = "received"
    """The oldest first in lists of work, the newest in the list of all."""


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """What a worklist is narrowed to; None narrows nothing."""

    text: str | None = None
    """Words, or their beginnings, of accession number, patient, organ and stain; case and accents
    do not count."""
    accession_number: str | None = None
    """The whole of one."""
    states: tuple[CaseState, ...] = ()
    priority: Priority | None = None
    extemporane: bool | None = None
    organ: str | None = None
    service: str | None = None
    """Its code."""
    account_id: UUID | None = None
    group_id: UUID | None = None
    patient_id: UUID | None = None
    received_from: datetime | None = None
    received_before: datetime | None = None
    due_before: datetime | None = None


def text_with_dates(text: str) -> str:
    """A searched text with each date as one word, as the catalogue has birth dates: 19600312."""
    joined = _YEAR_FIRST.sub(r"\1\2\3", text)
    return _DAY_FIRST.sub(lambda m: f"{m[3]}{int(m[2]):02}{int(m[1]):02}", joined)
