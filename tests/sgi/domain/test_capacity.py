"""What is read from what is stored."""

from datetime import date

import pytest

from sgi.domain.capacity import StoredMonth, activity_from, came_by_month, seen
from sgi.domain.forecast import Amount
from sgi.domain.tier import Tier

TODAY = date(2026, 11, 22)
GB = 10**9


def stored(year: int, month: int, slides: int, tier: Tier = Tier.WARM) -> StoredMonth:
    taken = slides * GB if tier is Tier.WARM else slides * GB * 3 // 4
    return StoredMonth(date(year, month, 1), tier, slides, slides * GB, taken)


def test_before_the_first_slide_nothing_is_said() -> None:
    found = seen([], None, TODAY)
    assert (found.since, found.days, found.slides) == (None, 0, 0)
    assert found.slides_per_day is found.mean_size_bytes is found.cold_factor is None
    offered = activity_from(found, copies=1, days_until_cold=None, retention_years=20)
    assert (offered.slides_per_day, offered.retention_years) == (0, 20)


def test_the_last_three_months_and_this_one_are_looked_at() -> None:
    months = [stored(2026, month, 1000) for month in (6, 7, 8, 9, 10, 11)]
    found = seen(months, date(2026, 6, 3), TODAY)
    assert (found.since, found.days, found.slides) == (date(2026, 8, 1), 114, 4000)
    assert found.slides_per_day == pytest.approx(4000 / (114 / 365 * 250))
    assert found.mean_size_bytes == GB
    assert found.growth_percent_per_year is None


def test_a_young_laboratory_is_counted_from_its_first_day() -> None:
    found = seen([stored(2026, 11, 10)], date(2026, 11, 20), TODAY)
    assert (found.since, found.days) == (date(2026, 11, 20), 3)
    today = seen([stored(2026, 11, 1)], TODAY, TODAY)
    assert (today.days, today.slides) == (1, 1)
    future = seen([stored(2026, 12, 1)], date(2026, 12, 2), TODAY)
    assert (future.days, future.slides) == (1, 0)


def test_growth_needs_two_years() -> None:
    months = [stored(2024 + n // 12, n % 12 + 1, 100 if n < 22 else 120) for n in range(10, 34)]
    assert months[0].month == date(2024, 11, 1)
    grown = seen(months, date(2024, 10, 30), TODAY)
    assert grown.growth_percent_per_year == pytest.approx(20)
    assert seen(months, date(2024, 11, 30), TODAY).growth_percent_per_year is None


def test_the_cold_factor_is_what_was_saved() -> None:
    months = [stored(2026, 1, 40, Tier.COLD), stored(2026, 10, 60)]
    assert seen(months, date(2026, 1, 1), TODAY).cold_factor == 0.75
    assert seen(months[1:], date(2026, 1, 1), TODAY).cold_factor is None


def test_what_stays_warm_is_read_from_months_that_are_wholly_cold() -> None:
    cold = StoredMonth(date(2026, 1, 1), Tier.COLD, 40, 38 * GB, 30 * GB)
    small = StoredMonth(date(2026, 1, 1), Tier.WARM, 0, 2 * GB, 2 * GB)
    mixed = [stored(2026, 2, 10), StoredMonth(date(2026, 2, 1), Tier.COLD, 5, 5 * GB, 4 * GB)]
    assert seen([cold, small, *mixed], date(2026, 1, 1), TODAY).warm_share == 0.05
    assert seen(mixed, date(2026, 1, 1), TODAY).warm_share is None


def test_tiers_are_together_what_came() -> None:
    months = [stored(2026, 1, 40, Tier.COLD), stored(2026, 1, 2), stored(2026, 2, 5)]
    assert came_by_month(months) == {
        date(2026, 1, 1): Amount(42, 42 * GB),
        date(2026, 2, 1): Amount(5, 5 * GB),
    }


def test_what_is_offered_is_what_was_seen() -> None:
    found = seen([stored(2026, 10, 1000)], date(2026, 10, 1), TODAY)
    offered = activity_from(found, copies=2, days_until_cold=90, retention_years=10)
    assert offered.slides_per_day == pytest.approx(1000 * 365 / 53 / 250, abs=0.05)
    assert (offered.copies, offered.days_until_cold, offered.retention_years) == (2, 90, 10)
    assert offered.prices is None
