from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgi.hl7.errors import Location, WrongTypeError
from sgi.hl7.times import is_likely, parse_date, parse_time

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20260612", datetime(2026, 6, 11, 22, 0, tzinfo=UTC)),
        ("2026061210", datetime(2026, 6, 12, 8, 0, tzinfo=UTC)),
        ("202606121015", datetime(2026, 6, 12, 8, 15, tzinfo=UTC)),
        ("20260112101559", datetime(2026, 1, 12, 9, 15, 59, tzinfo=UTC)),
        ("20260612101559.25", datetime(2026, 6, 12, 8, 15, 59, 250_000, tzinfo=UTC)),
        ("20260612101559.1234567+0000", datetime(2026, 6, 12, 10, 15, 59, 123_456, tzinfo=UTC)),
        ("202606121015-0330", datetime(2026, 6, 12, 13, 45, tzinfo=UTC)),
        (" 20260612 ", datetime(2026, 6, 11, 22, 0, tzinfo=UTC)),
        ("2026", None),
        ("202606", None),
        ("202606+0200", None),
    ],
)
def test_times(text: str, expected: datetime | None) -> None:
    found = parse_time(text, PARIS)
    assert found == expected
    assert found is None or found.tzinfo is not None


@pytest.mark.parametrize(
    "text",
    ["", "2", "20261301", "20260230", "2026061225", "202606121060", "20260612101500+9999", "x"],
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(WrongTypeError) as raised:
        parse_time(text, PARIS, Location("SPM", field=18))
    assert str(raised.value.location) == "SPM-18"
    assert text == "" or text not in str(raised.value) or text in {"x", "2"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("19790328", date(1979, 3, 28)),
        ("19790328101500+0200", date(1979, 3, 28)),
        ("1979", None),
        ("197903", None),
        ("19790300", None),
        ("19790000", None),
    ],
)
def test_dates(text: str, expected: date | None) -> None:
    assert parse_date(text) == expected


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1900 < moment.year < 2100),
    st.integers(-14 * 60, 14 * 60),
)
def test_what_is_written_with_an_offset_is_read_again(moment: datetime, minutes: int) -> None:
    aware = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_time(aware.strftime("%Y%m%d%H%M%S%z"), PARIS) == aware


@given(st.text(max_size=30))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        parse_time(text, PARIS)
        parse_date(text)
    except WrongTypeError:
        pass


def test_what_a_laboratory_cannot_have_done() -> None:
    now = datetime(2026, 6, 12, tzinfo=UTC)
    for likely in ("19700101000000+0000", "20260612", "20270101"):
        moment = parse_time(likely, UTC)
        assert moment is not None
        assert is_likely(moment, now)
    for odd in ("19691231", "19000101", "20270701", "99991201"):
        moment = parse_time(odd, UTC)
        assert moment is not None
        assert not is_likely(moment, now)
