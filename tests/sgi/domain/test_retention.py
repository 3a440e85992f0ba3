"""The rule of retention: pure, with leap days."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.domain.retention import (
    FEWEST_YEARS,
    MOST_YEARS,
    Destruction,
    DestructionState,
    Ground,
    Person,
    counted_from,
    is_early,
    kept_until,
    may_approve,
    newest_start,
)

days = st.dates(date(1900, 1, 1), date(2900, 12, 31))
years = st.integers(FEWEST_YEARS, MOST_YEARS)


@pytest.mark.parametrize(
    ("start", "kept", "until"),
    [
        (date(2026, 11, 22), 20, date(2046, 11, 22)),
        (date(2024, 2, 29), 20, date(2044, 2, 29)),
        (date(2024, 2, 29), 1, date(2025, 3, 1)),
        (date(2096, 2, 29), 4, date(2100, 3, 1)),  # 2100 is no leap year
        (date(2023, 12, 31), 1, date(2024, 12, 31)),
        (date(2024, 3, 1), 100, date(2124, 3, 1)),
    ],
)
def test_a_slide_is_kept_to_the_same_day_so_many_years_later(
    start: date, kept: int, until: date
) -> None:
    assert kept_until(start, kept) == until


@pytest.mark.parametrize("kept", [0, -1, 101, 10_000])
def test_no_rule_has_other_years(kept: int) -> None:
    with pytest.raises(ValueError):
        kept_until(date(2026, 1, 1), kept)
    with pytest.raises(ValueError):
        newest_start(date(2026, 1, 1), kept)


@given(start=days, kept=years)
def test_no_day_is_missing_and_no_more_than_one_is_given(start: date, kept: int) -> None:
    until = kept_until(start, kept)
    assert until.year == start.year + kept
    assert (until.month, until.day) in {(start.month, start.day), (3, 1)}
    assert 365 * kept <= (until - start).days <= 366 * kept


@given(start=days, kept=years, later=st.integers(0, 5000))
def test_who_comes_later_stays_at_least_as_long(start: date, kept: int, later: int) -> None:
    assert kept_until(start, kept) <= kept_until(start + timedelta(later), kept)
    if kept < MOST_YEARS:
        assert kept_until(start, kept) < kept_until(start, kept + 1)


@given(today=days, kept=years, off=st.integers(-3, 3))
def test_the_list_of_what_is_due_agrees_with_the_rule(today: date, kept: int, off: int) -> None:
    newest = newest_start(today, kept)
    start = newest + timedelta(off)
    assert (kept_until(start, kept) <= today) == (start <= newest)


def test_the_years_run_from_the_last_stay_once_it_is_known() -> None:
    published = datetime(2026, 11, 22, 23, 30, tzinfo=timezone(timedelta(hours=-2)))
    assert counted_from(published) == date(2026, 11, 23), "a day in UTC"
    assert counted_from(published, date(2030, 1, 5)) == date(2030, 1, 5)
    assert counted_from(published, date(2020, 1, 5)) == date(2026, 11, 23)


def test_every_ground_but_one_is_early() -> None:
    assert [ground for ground in Ground if not is_early(ground)] == [Ground.RETENTION_ENDED]


def person() -> Person:
    return Person(uuid4(), "somebody", uuid4())


def asked_by(who: Person) -> Destruction:
    now = datetime.now(UTC)
    return Destruction(
        id=uuid4(),
        establishment_id=uuid4(),
        slide_id=uuid4(),
        arrival_id=uuid4(),
        scene=0,
        source_sha256="00" * 32,
        source_size_bytes=1,
        study_uid="1",
        series_uid="2",
        published_at=now,
        kept_until=now.date(),
        state=DestructionState.ASKED,
        ground=Ground.TEST,
        reason="made for a test",
        asked_by=who,
        asked_at=now,
    )


def test_two_people_with_two_sessions_are_needed() -> None:
    who, other = person(), person()
    asked = asked_by(who)
    assert may_approve(asked, other)
    assert not may_approve(asked, who)
    assert not may_approve(asked, replace(who, session_id=uuid4())), "the same account again"
    assert not may_approve(asked, replace(other, session_id=who.session_id)), "the same session"
    for state in set(DestructionState) - {DestructionState.ASKED}:
        assert not may_approve(replace(asked, state=state), other)


def test_a_minor_is_kept_to_the_twenty_eighth_birthday() -> None:
    assert kept_until(date(2026, 1, 1), 20, born=date(2020, 5, 5)) == date(2048, 5, 5)
    assert kept_until(date(2026, 1, 1), 20, born=date(1980, 5, 5)) == date(2046, 1, 1)
    assert kept_until(date(2026, 1, 1), 20, born=date(2400, 5, 5)) == date(2054, 1, 1), "nonsense"


def test_who_died_soon_after_is_kept_ten_years_from_then_and_never_shorter() -> None:
    assert kept_until(date(2026, 1, 1), 5, died_on=date(2034, 5, 5)) == date(2044, 5, 5)
    assert kept_until(date(2026, 1, 1), 20, died_on=date(2026, 5, 5)) == date(2046, 1, 1)
    assert kept_until(date(2026, 1, 1), 5, died_on=date(2036, 1, 1)) == date(2031, 1, 1), "late"


@given(start=days, kept=years, born=st.none() | days, died=st.none() | days)
def test_what_is_known_of_a_patient_never_shortens(
    start: date, kept: int, born: date | None, died: date | None
) -> None:
    assert kept_until(start, kept, born=born, died_on=died) >= kept_until(start, kept)
