"""What is stored, month by month, and the activity that can be seen in it: arithmetic alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sgi.domain.forecast import (
    USUAL_COLD_FACTOR,
    USUAL_WARM_SHARE,
    Activity,
    Amount,
    Prices,
    add_months,
)
from sgi.domain.tier import Tier

WINDOW_MONTHS = 3
"""Whole months that activity is read from, beside the one that runs."""
WORKING_DAYS = 250
"""Of a year, until a laboratory says how many it has."""
USUAL_SIZE_BYTES = 10**9
"""Of a slide, where none has been seen."""


@dataclass(frozen=True, slots=True)
class StoredMonth:
    """The slides that were published in one month and lie in one tier."""

    month: date
    """Its first day."""
    tier: Tier
    """WARM or COLD: what is being restored is cold still."""
    slides: int
    """Those whose base lies in this tier."""
    original_bytes: int
    """As they came."""
    stored_bytes: int
    """As they lie there, one copy."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last months were like; None where that cannot be said."""

    since: date | None
    """The first day that was counted; None: there is no slide yet."""
    days: int
    """With today."""
    slides: int
    slides_per_day: float | None
    """On a working day."""
    mean_size_bytes: int | None
    growth_percent_per_year: float | None
    """The last twelve whole months against the twelve before; None without two such years."""
    cold_factor: float | None
    """Bytes in the cold store for each byte that was moved there."""
    warm_share: float | None
    """Of the bytes of cold slides, those that stayed warm."""


def seen(months: Sequence[StoredMonth], first_day: date | None, today: date) -> Seen:
    """What `months` tell; `first_day` is that of the oldest slide."""
    factor, share = _cold_factor(months), _warm_share(months)
    if first_day is None:
        return Seen(None, 0, 0, None, None, None, factor, share)
    this_month = today.replace(day=1)
    since = min(max(add_months(this_month, -WINDOW_MONTHS), first_day), today)
    recent = _between(months, since.replace(day=1), add_months(this_month, 1))
    days = (today - since).days + 1
    mean = round(recent.size_bytes / recent.slides) if recent.slides > 0 else None
    per_day = recent.slides * 365 / (days * WORKING_DAYS)
    growth = _growth(months, this_month) if first_day < add_months(this_month, -24) else None
    return Seen(since, days, round(recent.slides), per_day, mean, growth, factor, share)


def activity_from(
    found: Seen,
    *,
    copies: int,
    days_until_cold: int | None,
    retention_years: float,
    prices: Prices | None = None,
) -> Activity:
    """What is offered until somebody types in something else."""
    return Activity(
        slides_per_day=min(round(found.slides_per_day or 0, 1), 100_000),
        working_days_per_year=WORKING_DAYS,
        mean_size_bytes=min(found.mean_size_bytes or USUAL_SIZE_BYTES, 10**12),
        growth_percent_per_year=found.growth_percent_per_year or 0,
        days_until_cold=days_until_cold,
        cold_factor=found.cold_factor or USUAL_COLD_FACTOR,
        warm_share=USUAL_WARM_SHARE if found.warm_share is None else found.warm_share,
        retention_years=retention_years,
        copies=copies,
        prices=prices,
    )


def came_by_month(months: Sequence[StoredMonth]) -> dict[date, Amount]:
    """What the forecast starts from: every tier together, in bytes as they came."""
    found: dict[date, Amount] = {}
    for stored in months:
        before = found.get(stored.month, Amount(0, 0))
        found[stored.month] = Amount(
            before.slides + stored.slides, before.size_bytes + stored.original_bytes
        )
    return found


def _between(months: Sequence[StoredMonth], begin: date, end: date) -> Amount:
    inside = [stored for stored in months if begin <= stored.month < end]
    return Amount(sum(s.slides for s in inside), sum(s.original_bytes for s in inside))


def _growth(months: Sequence[StoredMonth], this_month: date) -> float | None:
    last = _between(months, add_months(this_month, -12), this_month).slides
    before = _between(months, add_months(this_month, -24), add_months(this_month, -12)).slides
    if before <= 0:
        return None
    return min(max(round((last / before - 1) * 100, 1), -90), 100)


def _cold_factor(months: Sequence[StoredMonth]) -> float | None:
    cold = [stored for stored in months if stored.tier is Tier.COLD]
    original = sum(stored.original_bytes for stored in cold)
    taken = sum(stored.stored_bytes for stored in cold)
    return round(taken / original, 3) if 0 < taken < original else None


def _warm_share(months: Sequence[StoredMonth]) -> float | None:
    """From the months of which every slide is cold."""
    mixed = {stored.month for stored in months if stored.tier is Tier.WARM and stored.slides}
    wholly_cold = [stored for stored in months if stored.month not in mixed]
    original = sum(stored.original_bytes for stored in wholly_cold)
    warm = sum(s.original_bytes for s in wholly_cold if s.tier is Tier.WARM)
    return round(warm / original, 4) if original > 0 else None
