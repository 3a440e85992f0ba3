"""When a case is due."""

from datetime import UTC, datetime, timedelta

import pytest

from sgi.domain.case import Priority
from sgi.domain.turnaround import DEFAULT_HOURS, TargetKind, due_at, target_kind

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_every_kind_has_a_target() -> None:
    assert set(DEFAULT_HOURS) == set(TargetKind)


@pytest.mark.parametrize("priority", list(Priority))
def test_a_frozen_section_is_due_first(priority: Priority) -> None:
    frozen = due_at(AT, target_kind(priority, extemporane=True), {})
    other = due_at(AT, target_kind(priority, extemporane=False), {})
    assert frozen == AT + timedelta(minutes=30)
    assert frozen < other


def test_an_establishments_target_replaces_the_usual() -> None:
    kind = target_kind(Priority.STAT, extemporane=False)
    assert due_at(AT, kind, {TargetKind.STAT: 2.0}) == AT + timedelta(hours=2)
    assert due_at(AT, kind, {TargetKind.ASAP: 2.0}) == AT + timedelta(hours=24)
