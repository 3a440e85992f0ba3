"""How long a slide is kept, why it may be destroyed, and by whom: rules alone, without a clock.

Dates are calendar dates in UTC. French law (code de la santé publique, art. R1112-7) keeps a
hospital's record 20 years from the last stay or visit; that of a minor to the 28th birthday at
least; of who dies within 10 years of the last visit, 10 years from the death. The last would often
be shorter: here it only ever prolongs. A litigation suspends all of it: see legal holds.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sgi.domain.arrival import ReasonCode

USUAL_YEARS = 20
YEARS_OF_BIRTH = 28
YEARS_OF_DEATH = 10
FEWEST_YEARS = 1
MOST_YEARS = 100

USUAL_WAIT = timedelta(days=7)
"""Between an approval and the destruction: so long anybody who may ask may withdraw it."""
LONGEST_WAIT = timedelta(days=90)

SHORTEST_REASON = 5
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """Of one establishment."""

    years: int = USUAL_YEARS
    """`FEWEST_YEARS` to `MOST_YEARS`."""
    wait: timedelta = USUAL_WAIT
    """0 to `LONGEST_WAIT`."""


def counted_from(published_at: datetime, last_stay: date | None = None) -> date:
    """The day from which the years run: of the patient's last stay, where it is known.

    A slide that was published after that stay is counted from its publication.
    """
    published = published_at.astimezone(UTC).date()
    return published if last_stay is None else max(published, last_stay)


def kept_until(
    start: date, years: int, *, born: date | None = None, died_on: date | None = None
) -> date:
    """The first day on which a slide may go: the same day of the year, `years` later, or when what
    is known of the patient says so, if that is later.

    29 February becomes 1 March in a common year, so that no day is missing. Raises ValueError for
    years that no rule has, and beyond the year 9999.
    """
    if not FEWEST_YEARS <= years <= MOST_YEARS:
        raise ValueError(f"A retention has {FEWEST_YEARS} to {MOST_YEARS} years.")
    ends = [_years_after(start, years)]
    if born is not None:  # who was there was born
        ends.append(_years_after(min(born, start), YEARS_OF_BIRTH))
    if died_on is not None and died_on < _years_after(start, YEARS_OF_DEATH):
        ends.append(_years_after(died_on, YEARS_OF_DEATH))
    return max(ends)


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


class Counted(StrEnum):
    """What says from which day a slide's years run: the newest of them."""

    PUBLICATION = "publication"
    CASE = "case"
    """A case of the patient's was received or signed out."""
    STAY = "stay"
    """The administration said that the patient was there."""


@dataclass(frozen=True, slots=True)
class Days:
    """What is known of a slide and its patient that says how long it is kept; none is ahead."""

    published_at: datetime
    last_case: date | None = None
    last_stay: date | None = None
    born: date | None = None
    died_on: date | None = None

    @property
    def start(self) -> date:
        """From which the years run."""
        known = [day for day in (self.last_case, self.last_stay) if day is not None]
        return counted_from(self.published_at, max(known, default=None))

    @property
    def counted_by(self) -> Counted:
        if self.start == counted_from(self.published_at):
            return Counted.PUBLICATION
        return Counted.STAY if self.start == self.last_stay else Counted.CASE

    def kept_until(self, years: int) -> date:
        """Raises ValueError as `kept_until` does."""
        return kept_until(self.start, years, born=self.born, died_on=self.died_on)


def newest_start(today: date, years: int) -> date:
    """The latest start whose retention has ended by `today`: `kept_until(start) <= today` holds up
    to this day and for none after it. Raises ValueError as `kept_until`, and before the year 1.
    """
    if not FEWEST_YEARS <= years <= MOST_YEARS:
        raise ValueError(f"A retention has {FEWEST_YEARS} to {MOST_YEARS} years.")
    try:
        return today.replace(year=today.year - years)
    except ValueError:
        return date(today.year - years, 2, 28)


class Ground(StrEnum):
    """Why a slide is to be destroyed."""

    RETENTION_ENDED = "retention_ended"
    WRONG_SLIDE = "wrong_slide"
    DUPLICATE = "duplicate"
    TEST = "test"
    OTHER = "other"


def is_early(ground: Ground) -> bool:
    """Whether the ground holds before the retention has ended."""
    return ground is not Ground.RETENTION_ENDED


class DestructionState(StrEnum):
    """Where a destruction stands."""

    ASKED = "asked"
    APPROVED = "approved"
    """By a second person; it waits, and may still be withdrawn."""
    DESTROYING = "destroying"
    """The slide is shown to nobody any more; there is no way back."""
    DONE = "done"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({DestructionState.ASKED, DestructionState.APPROVED, DestructionState.DESTROYING})
"""A slide has one of these at most."""
WITHDRAWABLE = frozenset({DestructionState.ASKED, DestructionState.APPROVED})


@dataclass(frozen=True, slots=True)
class Person:
    """Who did something, as they were called on that day; the session keeps two hands apart."""

    account_id: UUID
    name: str
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold: while it lasts nobody destroys the slide."""

    id: UUID
    slide_id: UUID
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None = None
    lifted_at: datetime | None = None
    lift_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Destruction:
    """One slide's, from the first person's wish to its certificate."""

    id: UUID
    establishment_id: UUID
    slide_id: UUID
    arrival_id: UUID
    scene: int
    source_sha256: str
    source_size_bytes: int
    study_uid: str
    series_uid: str
    published_at: datetime
    kept_until: date
    state: DestructionState
    ground: Ground
    reason: str
    asked_by: Person
    asked_at: datetime
    approved_by: Person | None = None
    approved_at: datetime | None = None
    not_before: datetime | None = None
    """When the waiting time after the approval ends."""
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None
    withdrawal_reason: str | None = None
    began_at: datetime | None = None
    done_at: datetime | None = None
    failure: str | None = None
    """Why the last try did not end it, in words; None once it goes on."""
    failure_code: ReasonCode | None = None
    """Of what kind that is."""


def may_approve(destruction: Destruction, person: Person) -> bool:
    """Another account in another session than asked; nobody approves what is not asked for."""
    return (
        destruction.state is DestructionState.ASKED
        and person.account_id != destruction.asked_by.account_id
        and person.session_id != destruction.asked_by.session_id
    )
