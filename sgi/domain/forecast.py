"""How many bytes and how much money the coming years take: arithmetic alone.

Months are whole calendar months, in UTC. Slides come evenly within a month. TB are 10^12 bytes.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field

YEARS = 5
BYTES_PER_TB = 10**12
USUAL_COLD_FACTOR = 0.8
"""Of JPEG frames recompressed without loss: 0.74 to 0.85 was measured."""
USUAL_WARM_SHARE = 0.01
"""Of a slide's bytes, in the levels of at most some thousand pixels a side."""
_OLDEST_MONTHS = 1200


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Prices(_Given):
    """EUR for one TB in one month, without requests and without what is read back."""

    warm: float = Field(ge=0, le=100_000)
    cold: float = Field(ge=0, le=100_000)


class Room(_Given):
    """TB that a tier can hold, all copies together; None where there is no such limit."""

    warm: float | None = Field(default=None, gt=0, le=10**9)
    cold: float | None = Field(default=None, gt=0, le=10**9)


class Activity(_Given):
    """What a laboratory does in a year, and what becomes of its slides."""

    slides_per_day: float = Field(ge=0, le=100_000)
    """On a working day of the first year."""
    working_days_per_year: int = Field(ge=1, le=366)
    mean_size_bytes: int = Field(ge=0, le=10**12)
    """Of a slide as it comes, one copy."""
    growth_percent_per_year: float = Field(default=0, ge=-90, le=100)
    """Slides of each year against the year before."""
    days_until_cold: int | None = Field(default=None, ge=0, le=36_500)
    """Age at which a slide becomes cold; None: never."""
    cold_factor: float = Field(default=USUAL_COLD_FACTOR, gt=0, le=1)
    """Bytes in the cold store for each byte that moves there."""
    warm_share: float = Field(default=USUAL_WARM_SHARE, ge=0, le=1)
    """Of a cold slide's bytes, what stays warm: its small levels."""
    retention_years: float = Field(default=20, ge=1 / 12, le=100)
    """Rounded to whole months, from the month in which a slide came."""
    copies: int = Field(default=1, ge=1, le=5)
    prices: Prices | None = None
    """None: nothing is said of costs."""
    room: Room = Room()

    @property
    def retention_months(self) -> int:
        """At least one."""
        return max(1, round(self.retention_years * 12))

    @property
    def slides_per_year(self) -> float:
        """In the first year."""
        return self.slides_per_day * self.working_days_per_year


@dataclass(frozen=True, slots=True)
class Amount:
    """Slides and their bytes as they came, one copy."""

    slides: float
    size_bytes: float


NOTHING = Amount(0, 0)


@dataclass(frozen=True, slots=True)
class Stored:
    """What a tier holds, all copies, at one moment."""

    warm_bytes: float
    cold_bytes: float

    @property
    def total_bytes(self) -> float:
        return self.warm_bytes + self.cold_bytes


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a year of a forecast; what is kept and stored is so at its end."""

    first_day: date
    last_day: date
    came: Amount
    destroyed: Amount
    kept: Amount
    """Before copies and recompression: what was kept and what came, less what was destroyed."""
    stored: Stored
    cost: float | None
    """EUR; a month costs the mean of what is stored at its beginning and at its end."""
    cost_since_start: float | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """Month by month and year by year."""

    at_start: Stored
    kept_at_start: Amount
    months: Sequence[Period]
    years: Sequence[Period]
    warm_full: date | None
    """Last day of the first month at whose end the room is too small; None: not in these years."""
    cold_full: date | None


def forecast(
    activity: Activity, start: date, existing: Mapping[date, Amount], years: int = YEARS
) -> Forecast:
    """What `years` years from the month of `start` take.

    `existing` is what came in each month before, by its first day; later months are left out, for
    the forecast itself counts them. What has outlived its retention by `start` counts as destroyed.
    `start` lies in 2000 or later.
    """
    first = start.replace(day=1)
    coming = _coming(activity, first, 12 * years)
    past = _past(existing, first)
    came = _Came(add_months(first, -len(past)), [*past, *coming])
    kept, stored = _at(activity, came, len(past))
    at_start, kept_at_start = stored, kept
    months: list[Period] = []
    cost_since_start = 0.0
    for index, new in enumerate(coming, start=len(past)):
        stored_before, (kept, stored) = stored, _at(activity, came, index + 1)
        cost = _cost(activity.prices, stored_before, stored)
        cost_since_start += cost or 0
        months.append(
            Period(
                first_day=came.boundaries[index],
                last_day=came.boundaries[index + 1] - timedelta(1),
                came=new,
                destroyed=came.in_month(index - activity.retention_months),
                kept=kept,
                stored=stored,
                cost=cost,
                cost_since_start=None if cost is None else cost_since_start,
            )
        )
    warm_room, cold_room = activity.room.warm, activity.room.cold
    return Forecast(
        at_start=at_start,
        kept_at_start=kept_at_start,
        months=months,
        years=[_year(months[n : n + 12]) for n in range(0, len(months), 12)],
        warm_full=_full([(m.last_day, m.stored.warm_bytes) for m in months], warm_room),
        cold_full=_full([(m.last_day, m.stored.cold_bytes) for m in months], cold_room),
    )


def add_months(first_day: date, months: int) -> date:
    """The first day of another month; `months` may be negative."""
    count = first_day.year * 12 + first_day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


class _Came:
    """What has come by any day, counted from the first month on."""

    def __init__(self, first: date, amounts: Sequence[Amount]) -> None:
        self._amounts = amounts
        self.boundaries = [add_months(first, n) for n in range(len(amounts) + 1)]
        """First day of each month, and the day after the last."""
        self._slides = [0.0, *accumulate(amount.slides for amount in amounts)]
        self._bytes = [0.0, *accumulate(amount.size_bytes for amount in amounts)]

    def in_month(self, index: int) -> Amount:
        """Nothing before the first month."""
        return self._amounts[index] if index >= 0 else NOTHING

    def by_month(self, index: int) -> Amount:
        """In all months before that one."""
        return Amount(self._slides[max(index, 0)], self._bytes[max(index, 0)])

    def by_day(self, day: date) -> float:
        """Bytes in all days before that one, by the share of the month that has gone."""
        index = bisect_right(self.boundaries, day) - 1
        if index < 0:
            return 0.0
        if index == len(self._amounts):
            return self._bytes[-1]
        begin, end = self.boundaries[index : index + 2]
        share = (day - begin).days / (end - begin).days
        return self._bytes[index] + share * self._amounts[index].size_bytes


def _coming(activity: Activity, first: date, months: int) -> list[Amount]:
    """What each month brings: its share, by its days, of a year's slides."""
    found: list[Amount] = []
    for index in range(months):
        year = index // 12
        begin, end = add_months(first, index), add_months(first, index + 1)
        of_year = add_months(first, 12 * year + 12) - add_months(first, 12 * year)
        grown = (1 + activity.growth_percent_per_year / 100) ** year
        slides = activity.slides_per_year * grown * ((end - begin) / of_year)
        found.append(Amount(slides, slides * activity.mean_size_bytes))
    return found


def _past(existing: Mapping[date, Amount], first: date) -> list[Amount]:
    """Every month from the oldest to the one before `first`, those without a slide too."""
    oldest = add_months(first, -_OLDEST_MONTHS)
    by_month: dict[date, Amount] = {}
    for month, amount in existing.items():
        day = max(month.replace(day=1), oldest)
        before = by_month.get(day, NOTHING)
        by_month[day] = Amount(before.slides + amount.slides, before.size_bytes + amount.size_bytes)
    months = [day for day in by_month if day < first]
    if not months:
        return []
    begin = min(months)
    count = (first.year - begin.year) * 12 + first.month - begin.month
    return [by_month.get(add_months(begin, n), NOTHING) for n in range(count)]


def _at(activity: Activity, came: _Came, index: int) -> tuple[Amount, Stored]:
    """What is kept, and where it lies, at the beginning of a month."""
    total, gone = came.by_month(index), came.by_month(index - activity.retention_months)
    kept = Amount(total.slides - gone.slides, total.size_bytes - gone.size_bytes)
    cold = 0.0
    if activity.days_until_cold is not None:
        aged = came.by_day(came.boundaries[index] - timedelta(activity.days_until_cold))
        cold = max(aged - gone.size_bytes, 0.0)
    moved = cold * (1 - activity.warm_share)
    return kept, Stored(
        warm_bytes=activity.copies * (kept.size_bytes - moved),
        cold_bytes=activity.copies * moved * activity.cold_factor,
    )


def _cost(prices: Prices | None, begin: Stored, end: Stored) -> float | None:
    if prices is None:
        return None
    warm_tb = (begin.warm_bytes + end.warm_bytes) / 2 / BYTES_PER_TB
    cold_tb = (begin.cold_bytes + end.cold_bytes) / 2 / BYTES_PER_TB
    return warm_tb * prices.warm + cold_tb * prices.cold


def _year(months: Sequence[Period]) -> Period:
    last = months[-1]
    costs = [month.cost for month in months if month.cost is not None]
    return replace(
        last,
        first_day=months[0].first_day,
        came=_sum([month.came for month in months]),
        destroyed=_sum([month.destroyed for month in months]),
        cost=sum(costs) if costs else None,
    )


def _sum(amounts: Sequence[Amount]) -> Amount:
    return Amount(sum(a.slides for a in amounts), sum(a.size_bytes for a in amounts))


def _full(ends: Sequence[tuple[date, float]], room_tb: float | None) -> date | None:
    if room_tb is None:
        return None
    return next((day for day, found in ends if found > room_tb * BYTES_PER_TB), None)
