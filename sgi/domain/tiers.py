"""What goes cold and when: rules in an establishment's own words, and what they come to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from sgi.domain.arrival import ReasonCode
from sgi.domain.slide import Slide, StoredInstance
from sgi.domain.tier import Tier

_VOLUME = "volume"
_BYTES_A_TERABYTE = 1e12


class TierEvent(StrEnum):
    """From when on a rule counts its days."""

    PUBLISHED = "published"
    LAST_VIEWED = "last_viewed"
    """By anybody; one that nobody looked at counts from when it was published."""
    SIGNED_OUT = "signed_out"
    """Of the slide's case; never for a slide without a case, or whose case is open (again)."""


class TierRule(BaseModel):
    """So many days after this, the slide goes there."""

    model_config = ConfigDict(extra="forbid")

    after_days: int = Field(ge=1, le=36_500)
    event: TierEvent
    to: Literal["cold"] = "cold"


class TierPolicy(BaseModel):
    """What an establishment has decided; a slide moves as soon as one rule says so."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    active: bool = False
    """False: nothing moves by itself, whatever the rules say."""
    rules: Annotated[list[TierRule], Field(max_length=8)] = []
    warm_side: int = Field(default=8192, ge=256, le=1 << 20)
    """Levels whose longer side has at most so many pixels stay warm; the coarsest always does."""
    slides_per_day: int = Field(default=500, ge=1, le=100_000)
    """The set pace: no more moves than this begin in 24 hours."""
    restored_days: int = Field(default=30, ge=0, le=3650)
    """A slide that was restored stays warm for so many days, whatever the rules say."""
    warm_price: float | None = Field(default=None, ge=0, le=1e6)
    """Of a terabyte (10^12 bytes) a month, in the establishment's money; None: not known."""
    cold_price: float | None = Field(default=None, ge=0, le=1e6)

    def days(self, event: TierEvent) -> int | None:
        """The shortest time of the rules that count from this event; None without one."""
        found = [rule.after_days for rule in self.rules if rule.event is event]
        return min(found, default=None)

    def saved_a_month(self, warm_bytes: int, cold_bytes: int) -> float | None:
        """What is no longer paid when so many bytes become so many colder ones."""
        if self.warm_price is None or self.cold_price is None:
            return None
        saved = warm_bytes * self.warm_price - cold_bytes * self.cold_price
        return saved / _BYTES_A_TERABYTE


class MoveState(StrEnum):
    """How far a move has come."""

    WAITING = "waiting"
    RUNNING = "running"
    THAWING = "thawing"
    """An archive was asked for the cold copies, and has not given them back yet."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """Somebody asked for the opposite before it was over."""


@dataclass(frozen=True, slots=True)
class TierMove:
    """A slide on its way between tiers."""

    id: UUID
    slide_id: UUID
    file_name: str
    target: Tier
    """`Tier.WARM`: a restore."""
    state: MoveState
    asked_by: UUID | None
    """None: the policy."""
    asked_by_name: str | None
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    expected_at: datetime | None
    """Of a restore, when it is there at the latest, as far as that is known."""
    progress: float
    attempts: int
    reason: str | None
    """Why it has not succeeded so far: an English sentence."""
    archive_asked_at: datetime | None
    """Since when an archive thaws what is to be restored."""
    reason_code: ReasonCode | None = None
    """Of what kind the reason is."""


@dataclass(frozen=True, slots=True)
class ColdCopy:
    """The packed copy of an instance."""

    size_bytes: int
    sha256: bytes


@dataclass(frozen=True, slots=True)
class DueSlide:
    """One that the rules would move now."""

    id: UUID
    file_name: str
    published_at: datetime
    last_viewed_at: datetime | None
    size_bytes: int
    """Of the levels that would move."""
    cold_bytes: int
    """What they are expected to take there."""


def levels_to_cool(slide: Slide, warm_side: int) -> Sequence[StoredInstance]:
    """The warm levels of a slide that are too large to stay warm, largest first."""
    return [
        level
        for level in slide.levels[:-1]
        if level.tier is Tier.WARM and max(level.columns, level.rows) > warm_side
    ]


def cold_levels(slide: Slide) -> Sequence[StoredInstance]:
    """The levels that must be restored before they are read, largest first."""
    return [level for level in slide.levels if level.tier is not Tier.WARM]
