"""Dates and times of HL7 (v2.5.1 chapter 2.A.21 and 22): `YYYY[MM[DD[HH[MM[SS[.S]]]]]][+ZZZZ]`."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from sgi.hl7.errors import Location, WrongTypeError

_TIME = re.compile(
    r"(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:\.(\d{1,6})\d*)?)?)?)?)?)?"
    r"(?:([+-])(\d\d)(\d\d))?",
    re.ASCII,
)
_LARGEST_OFFSET = timedelta(hours=15)
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=366)
"""What is planned may lie ahead, but not further."""


def is_likely(moment: datetime, now: datetime | None = None) -> bool:
    """Whether something of a laboratory can have been then: not before 1970, and not more than a
    year after `now` (the clock's, unless it is given). `moment` has an offset.
    """
    return _FIRST <= moment <= (now or datetime.now(UTC)) + _AHEAD


def parse_time(text: str, zone: tzinfo, location: Location | None = None) -> datetime | None:
    """A moment, with an offset: its own, or that of `zone` then.

    A day without a time is its first moment. None for a year or a month alone, which are no
    moments. Raises WrongTypeError for anything else.
    """
    match = _match(text, location)
    year, month, day, hour, minute, second, fraction, sign, hours, minutes = match.groups()
    if day is None:
        return None
    try:
        local = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "").ljust(6, "0")),
            tzinfo=zone,
        )
        if sign is None:
            return local
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset > _LARGEST_OFFSET:
            raise _wrong(location)
        return local.replace(tzinfo=timezone(offset if sign == "+" else -offset))
    except (ValueError, OverflowError) as error:
        raise _wrong(location) from error


def parse_date(text: str, location: Location | None = None) -> date | None:
    """A day, whatever follows it; None for a year or a month alone, or the French 00 for a day
    that nobody knows. Raises WrongTypeError for anything else.
    """
    match = _match(text, location)
    year, month, day = match.groups()[:3]
    if day is None or month == "00" or day == "00":
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise _wrong(location) from error


def _match(text: str, location: Location | None) -> re.Match[str]:
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise _wrong(location)
    return match


def _wrong(location: Location | None) -> WrongTypeError:
    place = location or "A field"
    return WrongTypeError(f"{place} is no date or time; write it as YYYYMMDDHHMMSS+ZZZZ.", location)
