"""The arithmetic of a forecast: nothing appears or is lost, and every slide leaves in its month."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import ValidationError

from sgi.domain.forecast import (
    BYTES_PER_TB,
    Activity,
    Amount,
    Forecast,
    Prices,
    Room,
    add_months,
    forecast,
)

START = date(2026, 11, 1)
STARTS = some.dates(date(2000, 1, 1), date(2200, 12, 31))
ACTIVITIES = some.builds(
    Activity,
    slides_per_day=some.floats(0, 100_000),
    working_days_per_year=some.integers(1, 366),
    mean_size_bytes=some.integers(0, 10**12),
    growth_percent_per_year=some.floats(-90, 100),
    days_until_cold=some.none() | some.integers(0, 36_500),
    cold_factor=some.floats(0.01, 1),
    warm_share=some.floats(0, 1),
    retention_years=some.floats(1 / 12, 100),
    copies=some.integers(1, 5),
    prices=some.none()
    | some.builds(Prices, warm=some.floats(0, 100_000), cold=some.floats(0, 100_000)),
)
AMOUNTS = some.builds(Amount, some.integers(0, 10**7), some.integers(0, 10**18))
EXISTING = some.dictionaries(
    some.integers(1, 400).map(lambda n: add_months(START, -n)), AMOUNTS, max_size=12
)


def usual(**changes: Any) -> Activity:
    values: dict[str, Any] = {
        "slides_per_day": 400,
        "working_days_per_year": 250,
        "mean_size_bytes": 10**9,
        "days_until_cold": 90,
    }
    return Activity(**(values | changes))


def near(value: float, scale: float = 0) -> Any:
    """Equal but for the rounding of sums of numbers up to `scale`."""
    return pytest.approx(value, rel=1e-9, abs=1e-9 * max(scale, 1))


def largest(made: Forecast, existing: dict[date, Amount]) -> float:
    """Bytes that were ever there: sums are rounded by a part of this."""
    came = sum(month.came.size_bytes for month in made.months)
    return came + sum(amount.size_bytes for amount in existing.values())


@given(ACTIVITIES, EXISTING)
def test_what_is_kept_is_what_came_less_what_was_destroyed(
    activity: Activity, existing: dict[date, Amount]
) -> None:
    made = forecast(activity, START, existing)
    total = largest(made, existing)
    kept = made.kept_at_start
    for month in made.months:
        expected = kept.size_bytes + month.came.size_bytes - month.destroyed.size_bytes
        assert month.kept.size_bytes == near(expected, total)
        slides = kept.slides + month.came.slides - month.destroyed.slides
        assert month.kept.slides == near(slides, 1e10)
        kept = month.kept


@given(ACTIVITIES, EXISTING)
def test_tiers_hold_what_is_kept(activity: Activity, existing: dict[date, Amount]) -> None:
    made = forecast(activity, START, existing)
    total = largest(made, existing)
    for stored, kept in [
        (made.at_start, made.kept_at_start),
        *((month.stored, month.kept) for month in made.months),
    ]:
        assert stored.warm_bytes >= -1e-9 * total * activity.copies
        assert stored.cold_bytes >= 0
        as_they_came = stored.warm_bytes + stored.cold_bytes / activity.cold_factor
        assert as_they_came / activity.copies == near(kept.size_bytes, total)
        if activity.days_until_cold is None:
            assert stored.cold_bytes == 0


@given(ACTIVITIES, STARTS)
def test_a_year_brings_its_slides_whatever_its_months(activity: Activity, start: date) -> None:
    made = forecast(activity, start, {})
    for number, year in enumerate(made.years):
        slides = activity.slides_per_year * (1 + activity.growth_percent_per_year / 100) ** number
        assert year.came.slides == near(slides)
        assert year.came.size_bytes == near(slides * activity.mean_size_bytes)


@given(ACTIVITIES, STARTS)
def test_months_follow_each_other_without_a_gap(activity: Activity, start: date) -> None:
    made = forecast(activity, start, {})
    assert len(made.months) == 60
    assert made.months[0].first_day == start.replace(day=1)
    for one, other in pairwise(made.months):
        assert one.last_day + timedelta(1) == other.first_day
        assert other.first_day.day == 1
    assert [(y.first_day, y.last_day) for y in made.years] == [
        (made.months[n].first_day, made.months[n + 11].last_day) for n in range(0, 60, 12)
    ]


@given(ACTIVITIES, EXISTING)
def test_years_are_their_months(activity: Activity, existing: dict[date, Amount]) -> None:
    made = forecast(activity, START, existing)
    so_far = 0.0
    for number, year in enumerate(made.years):
        months = made.months[12 * number : 12 * number + 12]
        assert year.stored == months[-1].stored
        assert year.kept == months[-1].kept
        assert year.destroyed.slides == near(sum(m.destroyed.slides for m in months))
        if activity.prices is None:
            assert year.cost is year.cost_since_start is None
        else:
            assert year.cost == near(sum(m.cost or 0 for m in months))
            so_far += year.cost or 0
            assert year.cost_since_start == near(so_far)


@given(ACTIVITIES, EXISTING)
def test_more_copies_are_as_many_times_the_bytes_and_the_cost(
    activity: Activity, existing: dict[date, Amount]
) -> None:
    one = forecast(activity.model_copy(update={"copies": 1}), START, existing)
    three = forecast(activity.model_copy(update={"copies": 3}), START, existing)
    for alone, thrice in zip(one.months, three.months, strict=True):
        assert thrice.stored.total_bytes == near(3 * alone.stored.total_bytes)
        assert thrice.kept == alone.kept
        if alone.cost is not None:
            assert thrice.cost == near(3 * alone.cost)


def test_a_month_has_the_share_of_its_days() -> None:
    made = forecast(usual(), date(2027, 1, 15), {})
    by_month = {month.first_day.month: month.came.slides for month in made.months[:12]}
    assert by_month[1] == pytest.approx(100_000 * 31 / 365)
    assert by_month[2] == pytest.approx(100_000 * 28 / 365)
    leap = next(m for m in made.months if m.first_day == date(2028, 2, 1))
    assert leap.came.slides == pytest.approx(100_000 * 29 / 366)


def test_a_slide_leaves_in_the_month_in_which_its_retention_ends() -> None:
    existing = {date(2024, 3, 1): Amount(10, 10**12), date(2025, 7, 1): Amount(3, 10**11)}
    made = forecast(usual(slides_per_day=0, retention_years=3), START, existing)
    destroyed = {m.first_day: m.destroyed.slides for m in made.months if m.destroyed.slides}
    assert destroyed == {date(2027, 3, 1): 10, date(2028, 7, 1): 3}
    assert made.months[-1].stored.total_bytes == 0
    assert forecast(usual(retention_years=1), START, existing).kept_at_start == Amount(0, 0)


def test_with_a_short_retention_storage_stops_growing() -> None:
    made = forecast(usual(retention_years=1, days_until_cold=None), START, {})
    assert [year.kept.size_bytes for year in made.years] == [near(10**14)] * 5
    assert made.years[0].destroyed.size_bytes == 0
    assert made.years[1].destroyed.size_bytes == near(10**14)


def test_slides_become_cold_at_their_age() -> None:
    existing = {date(2026, 10, 1): Amount(31, 31 * 10**12)}
    activity = usual(
        slides_per_day=0, days_until_cold=45, cold_factor=0.5, warm_share=0.1, copies=2
    )
    made = forecast(activity, START, existing)
    # On 1 December, 45 days ago was 17 October: the slides of 16 days are cold.
    assert made.at_start.cold_bytes == 0
    assert made.months[0].stored.cold_bytes == near(2 * 16 * 10**12 * 0.9 * 0.5)
    assert made.months[0].stored.warm_bytes == near(2 * (15 + 16 * 0.1) * 10**12)
    assert made.months[1].stored.cold_bytes == near(2 * 31 * 10**12 * 0.9 * 0.5)
    at_once = forecast(activity.model_copy(update={"days_until_cold": 0}), START, existing)
    assert at_once.at_start.cold_bytes == near(2 * 31 * 10**12 * 0.9 * 0.5)


def test_a_month_costs_the_mean_of_its_ends() -> None:
    existing = {date(2020, 1, 1): Amount(1, 10 * BYTES_PER_TB)}
    prices = Prices(warm=20, cold=4)
    still = usual(slides_per_day=0, days_until_cold=None, prices=prices)
    made = forecast(still, START, existing)
    assert {month.cost for month in made.months} == {200}
    assert made.years[-1].cost_since_start == 60 * 200
    growing = forecast(usual(days_until_cold=None, prices=prices), START, {})
    first = growing.months[0]
    assert first.cost == near(first.stored.warm_bytes / BYTES_PER_TB / 2 * 20)


def test_the_room_is_too_small_from_a_month_on() -> None:
    room = Room(warm=50, cold=None)
    made = forecast(usual(days_until_cold=None, room=room), START, {})
    assert made.warm_full == date(2027, 5, 31)  # half a year of 100 TB a year
    assert made.cold_full is None
    months = {month.last_day: month.stored.warm_bytes for month in made.months}
    assert months[date(2027, 4, 30)] <= 50 * BYTES_PER_TB < months[date(2027, 5, 31)]
    assert forecast(usual(days_until_cold=None), START, {}).warm_full is None


def test_months_from_the_start_on_are_not_counted_twice() -> None:
    existing = {START: Amount(5, 5), date(2027, 1, 1): Amount(5, 5)}
    assert forecast(usual(), START, existing) == forecast(usual(), START, {})


def test_what_is_very_old_still_counts() -> None:
    existing = {date(1, 1, 1): Amount(2, 7), date(1850, 5, 1): Amount(1, 3)}
    made = forecast(usual(retention_years=100), START, existing)
    assert made.kept_at_start == Amount(3, 10)


@pytest.mark.parametrize("months", [-23, -12, -1, 0, 1, 13, 600])
def test_months_are_counted_across_years(months: int) -> None:
    found = add_months(START, months)
    assert (found.year - START.year) * 12 + found.month - START.month == months


@pytest.mark.parametrize(
    "wrong",
    [
        {"slides_per_day": -1},
        {"slides_per_day": float("nan")},
        {"slides_per_day": float("inf")},
        {"slides_per_day": 100_001},
        {"working_days_per_year": 367},
        {"working_days_per_year": 0},
        {"mean_size_bytes": 10**12 + 1},
        {"growth_percent_per_year": -91},
        {"growth_percent_per_year": 101},
        {"days_until_cold": -1},
        {"days_until_cold": 36_501},
        {"cold_factor": 0},
        {"cold_factor": 1.1},
        {"warm_share": 1.1},
        {"retention_years": 0},
        {"retention_years": 101},
        {"copies": 0},
        {"copies": 6},
        {"prices": {"warm": -1, "cold": 0}},
        {"prices": {"warm": 1}},
        {"room": {"warm": 0}},
        {"something": 1},
    ],
)
def test_numbers_have_bounds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        usual(**wrong)
