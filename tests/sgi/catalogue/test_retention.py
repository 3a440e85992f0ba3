"""From which day a slide's years run, by what the laboratory and the administration said."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from sgi.catalogue import attachments, patient_days, patients, retention
from sgi.domain.identification import How
from sgi.domain.patient import Identifier, Identity
from sgi.domain.retention import Counted, kept_until
from sgi.domain.slide import Slide

TODAY = datetime.now(UTC).date()


def years_ago(years: float) -> date:
    return TODAY - timedelta(days=365.25 * years)


@pytest.fixture
def lab(laboratory: Any, here: Any) -> Any:
    return laboratory(here)


@pytest.fixture
def slide(publish: Any, here: Any, store: Any) -> Slide:
    made: Slide = publish(here, store)
    return made


@pytest.fixture
def of_patient(lab: Any, here: Any, url: str) -> Callable[[Slide, str, Any], None]:
    """The slide is an old one, of a case of that patient's, both of `day`."""

    def make(slide: Slide, number: str, patient_id: Any, day: date) -> None:
        case_id = lab.case(number, patient_id)
        glass_id = lab.asset(f"{number}.A", accession_number=number)
        lab.do(lambda c: attachments.attach(c, here.id, slide.id, glass_id, How.PERSON))
        with psycopg.connect(url) as owner:
            owner.execute("update slide set published_at = %s where id = %s", [day, slide.id])
            owner.execute("update lab_case set received_at = %s where id = %s", [day, case_id])

    return make


def set_received(url: str, number: str, at: Any) -> None:
    with psycopg.connect(url) as owner:
        owner.execute(
            "update lab_case set received_at = %s where accession_number = %s", [at, number]
        )


def kept(lab: Any, slide: Slide) -> Any:
    return lab.do(lambda c: retention.days_of(c, slide.id))


def due(lab: Any, years: int = 20) -> list[Any]:
    found = lab.do(lambda c: retention.due(c, TODAY, years, 100))
    return [(each.id, each.kept_until) for each in found]


def test_a_slide_of_nobody_is_counted_from_its_publication(lab: Any, slide: Slide) -> None:
    days = kept(lab, slide)
    assert (days.start, days.counted_by) == (TODAY, Counted.PUBLICATION)


def test_the_newest_case_of_the_patient_counts(
    lab: Any, slide: Slide, of_patient: Any, url: str
) -> None:
    patient_id = lab.patient()
    of_patient(slide, "05P1", patient_id, years_ago(21))
    ((_, until),) = due(lab)
    assert until == kept_until(years_ago(21), 20)
    lab.case("20P9", patient_id)
    set_received(url, "20P9", years_ago(6))
    days = kept(lab, slide)
    assert (days.start, days.counted_by) == (years_ago(6), Counted.CASE)
    assert due(lab) == []
    assert due(lab, years=5) == [(slide.id, kept_until(years_ago(6), 5))]


def test_a_case_of_a_record_that_was_merged_counts(
    lab: Any, here: Any, slide: Slide, of_patient: Any, url: str
) -> None:
    first, second = lab.patient("IPP1"), lab.patient("IPP2")
    of_patient(slide, "05P1", first, years_ago(21))
    lab.case("20P9", second)
    set_received(url, "20P9", years_ago(6))
    assert len(due(lab)) == 1, "two are two"
    lab.do(
        lambda c: patients.merge(
            c,
            here.id,
            Identity((Identifier("IPP2", "CHU"),)),
            Identifier("IPP1", "CHU"),
            said_at=datetime.now(UTC),
            source="x",
        )
    )
    assert due(lab) == []


def test_a_stay_counts_and_an_older_one_that_comes_late_does_not(
    lab: Any, here: Any, slide: Slide, of_patient: Any
) -> None:
    patient_id = lab.patient()
    of_patient(slide, "05P1", patient_id, years_ago(21))
    for years in (3, 8):
        lab.do(lambda c, y=years: patient_days.hear(c, here.id, patient_id, stay=years_ago(y)))
    days = kept(lab, slide)
    assert (days.start, days.counted_by) == (years_ago(3), Counted.STAY)


def test_nothing_that_is_said_of_the_future_counts(
    lab: Any, slide: Slide, of_patient: Any, url: str
) -> None:
    patient_id = lab.patient()
    of_patient(slide, "05P1", patient_id, years_ago(21))
    set_received(url, "05P1", datetime(9999, 12, 30, tzinfo=UTC))
    assert kept(lab, slide).start == TODAY
    assert due(lab) == []


def test_a_child_is_kept_until_twenty_eight(lab: Any, slide: Slide, of_patient: Any) -> None:
    patient_id = lab.patient(birth_date=years_ago(26))
    of_patient(slide, "05P1", patient_id, years_ago(25))
    assert due(lab) == []
    assert kept(lab, slide).kept_until(20) == kept_until(years_ago(26), 28)


def test_the_list_agrees_with_the_rule_whatever_the_days(
    lab: Any, here: Any, slide: Slide, of_patient: Any, url: str
) -> None:
    dice = random.Random(7)
    patient_id = lab.patient()
    of_patient(slide, "05P1", patient_id, years_ago(30))
    for _ in range(60):
        # Leap days, and the day of the year that it is.
        days = [_day(dice) for _ in range(4)]
        born, published, stay, died = days
        with psycopg.connect(url) as owner:
            owner.execute(
                "update slide set published_at = %s where id = %s",
                [datetime(published.year, published.month, published.day, tzinfo=UTC), slide.id],
            )
            owner.execute("update lab_case set received_at = '1960-01-01'")
            owner.execute("update patient set birth_date = %s where id = %s", [born, patient_id])
            owner.execute(
                """insert into patient_days (patient_id, establishment_id, stay, died_on)
                   values (%s, %s, %s, %s) on conflict (patient_id) do update
                   set stay = excluded.stay, died_on = excluded.died_on""",
                [patient_id, here.id, stay, died],
            )
        for years in (1, 4, 20):
            until = kept(lab, slide).kept_until(years)
            assert due(lab, years) == ([(slide.id, until)] if until <= TODAY else [])


def _day(dice: random.Random) -> date:
    month, day = dice.choice([(2, 28), (2, 29), (3, 1), (TODAY.month, min(TODAY.day, 28))])
    year = dice.randrange(1960, TODAY.year)
    return date(year - year % 4 if (month, day) == (2, 29) else year, month, day)
