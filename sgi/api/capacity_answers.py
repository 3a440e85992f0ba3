"""The shapes of the answers about capacity."""

from datetime import date

from pydantic import BaseModel

from sgi.api.sign_in import EstablishmentOut
from sgi.domain.forecast import Activity


class StoredMonthOut(BaseModel):
    """What was published in one month, and lies in one tier."""

    month: date
    """Its first day, in UTC."""
    tier: str
    """"warm" or "cold"; what is being restored is cold still."""
    slides: int
    """Those whose full resolution lies in this tier."""
    size_bytes: int
    """As it lies there, one copy."""
    original_bytes: int
    """As it came."""


class TotalOut(BaseModel):
    """Of all months."""

    slides: int
    size_bytes: int
    warm_bytes: int
    cold_bytes: int
    mean_size_bytes: int | None
    """Of a slide as it came; None without slides."""


class CapacityOut(BaseModel):
    """What is stored, oldest month first."""

    items: list[StoredMonthOut]
    total: TotalOut
    establishment: EstablishmentOut


class SeenOut(BaseModel):
    """What the last three months and the one that runs were like; null where it cannot be said."""

    since: date | None
    days: int
    slides: int
    slides_per_day: float | None
    mean_size_bytes: int | None
    growth_percent_per_year: float | None
    cold_factor: float | None
    warm_share: float | None


class ActivityOut(BaseModel):
    """What the forecast of this establishment is made of."""

    activity: Activity
    """What was typed in, else what is offered."""
    typed_in: bool
    offered: Activity
    """From what was seen, the establishment's rules and the usual values."""
    seen: SeenOut


class StoredOut(BaseModel):
    """All copies, at one moment."""

    warm_bytes: float
    cold_bytes: float


class PeriodOut(StoredOut):
    """A month or a year; what is kept and stored is so at its end."""

    first_day: date
    last_day: date
    slides: float
    """That come."""
    size_bytes: float
    """Of them, one copy."""
    destroyed_slides: float
    destroyed_bytes: float
    kept_slides: float
    kept_bytes: float
    """As they came, one copy."""
    cost: float | None
    """EUR; null without prices."""
    cost_since_start: float | None


class ForecastOut(BaseModel):
    """Five years from the month that runs."""

    start: date
    at_start: StoredOut
    months: list[PeriodOut]
    years: list[PeriodOut]
    warm_full: date | None
    """Last day of the first month whose end finds the room too small; null: none of these."""
    cold_full: date | None
