"""How an interface is said to be: the worst that is true of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sgi.domain.interface import (
    SENTENCES,
    Health,
    Interface,
    NoticeKind,
    Traffic,
    health,
    minutes_behind,
)

NOW = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
INTERFACE = Interface("sgl", "mllp", 2575, frozenset({NoticeKind.IMAGE}), NOW)
WELL = Traffic(NOW - timedelta(minutes=3), None, 0, 0, None, 0)


def ago(**how_long: float) -> datetime:
    return NOW - timedelta(**how_long)


@pytest.mark.parametrize(
    ("seen_at", "changes", "expected"),
    [
        (NOW, {}, Health.WELL),
        (ago(seconds=89), {}, Health.WELL),
        (ago(seconds=91), {}, Health.SILENT_PROCESS),
        (ago(days=9), {"stopped": 3, "refused_today": 2}, Health.SILENT_PROCESS),
        (NOW, {"backlog": 3, "oldest_at": ago(minutes=4)}, Health.WELL),
        (NOW, {"backlog": 3, "oldest_at": ago(minutes=6), "stopped": 1}, Health.BEHIND),
        (NOW, {"stopped": 1, "refused_today": 1}, Health.STOPPED),
        (NOW, {"refused_today": 1, "last_in_at": None}, Health.REFUSING),
        (NOW, {"last_in_at": None}, Health.NEVER),
        (NOW, {"last_in_at": ago(hours=23)}, Health.WELL),
        (NOW, {"last_in_at": ago(hours=25)}, Health.QUIET),
    ],
)
def test_the_worst_is_told(seen_at: datetime, changes: dict[str, Any], expected: Health) -> None:
    interface = replace(INTERFACE, seen_at=seen_at)
    assert health(interface, replace(WELL, **changes), NOW) is expected


def test_every_health_has_its_sentence() -> None:
    assert set(SENTENCES) == set(Health)
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())


@pytest.mark.parametrize(
    ("oldest_at", "minutes"),
    [(None, 0), (NOW, 0), (ago(seconds=59), 0), (ago(minutes=7, seconds=59), 7), (ago(days=-1), 0)],
)
def test_minutes_behind(oldest_at: datetime | None, minutes: int) -> None:
    assert minutes_behind(replace(WELL, oldest_at=oldest_at), NOW) == minutes
