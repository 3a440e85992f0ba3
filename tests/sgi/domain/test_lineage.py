"""Who leads to whom, and which identifiers are not borne any more."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from sgi.domain.lineage import (
    Leads,
    current,
    going_and_staying,
    living,
    naming_who_stays,
    retired,
)
from sgi.domain.patient import Identifier
from sgi.errors import IdentityConflictError

ONE, TWO, THREE = uuid4(), uuid4(), uuid4()
OLD, NEW, OTHER = uuid4(), uuid4(), uuid4()
NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
A1, A2, B9, B8 = (Identifier(name[1], name[0]) for name in ("A1", "A2", "B9", "B8"))


def leads(one: UUID, other: UUID, gone: UUID, minutes: int, kept: UUID | None = None) -> Leads:
    at = NOON + timedelta(minutes=minutes)
    return Leads(one, other, gone, at, minutes, by_change=False, kept=kept)


def test_to_lose_an_identifier_leads_nowhere() -> None:
    told = [leads(ONE, TWO, OLD, 1), leads(ONE, ONE, NEW, 2), leads(TWO, TWO, OTHER, 3)]
    leading = current(told)
    assert living(ONE, leading) == TWO
    assert set(retired(told, leading)) == {OLD, NEW, OTHER}


def test_an_identifier_is_borne_again_once_it_is_kept() -> None:
    there = leads(ONE, ONE, OLD, 1, kept=NEW)
    back = leads(ONE, ONE, NEW, 2, kept=OLD)
    assert set(retired([there], {})) == {OLD}
    assert set(retired([back, there], {})) == {NEW}
    elsewhere = leads(THREE, ONE, OTHER, 2, kept=OLD)
    assert set(retired([there, elsewhere], current([there, elsewhere]))) == {OTHER}


def test_of_one_who_lives_again_nothing_is_retired() -> None:
    told = [leads(ONE, TWO, OLD, 1, kept=NEW), leads(TWO, ONE, NEW, 2, kept=OLD)]
    leading = current(told)
    assert living(TWO, leading) == ONE
    assert set(retired(told, leading)) == {NEW}


@pytest.mark.parametrize(
    ("named", "gone", "going", "staying"),
    [
        ([A2], [A1], [A1], [A2]),
        ([A2, B9], [A1, B9], [A1], [A2, B9]),
        ([A2, A1], [A1], [A1], [A2]),
        ([A2, A1, B9], [A1, B9], [A1, B9], [A2]),
        ([A2], [A1, A1], [A1], [A2]),
    ],
)
def test_what_goes_and_what_stays(
    named: list[Identifier],
    gone: list[Identifier],
    going: list[Identifier],
    staying: list[Identifier],
) -> None:
    assert going_and_staying(named, gone) == (going, staying)


@pytest.mark.parametrize("both", [[A1], [A1, B9]])
def test_something_stays(both: list[Identifier]) -> None:
    with pytest.raises(IdentityConflictError, match="the same"):
        going_and_staying(both, both[::-1])


@pytest.mark.parametrize(
    ("staying", "going", "naming"),
    [
        ([B9, A2], [A1], [A2]),
        ([B9, A2], [A1, B8], [B9, A2]),
        ([B9, B8], [A1], [B9, B8]),
    ],
)
def test_an_office_speaks_of_its_own_numbers(
    staying: list[Identifier], going: list[Identifier], naming: list[Identifier]
) -> None:
    assert naming_who_stays(staying, going) == naming
